"""From scores to alarms, one frame at a time and with no look ahead.

Eq. 3 brings a clip's scores to the range 0 to 1 by its least and greatest score, which a live camera does not
have. Two things replace it here. The level of a frame is the running median of the last scores, so that a
single frame's outlier is no alarm. And a level is told in the camera's own units: 0 is the typical level of
its held-out normal footage, 1 is the alarm threshold.
"""

from collections import deque
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field


class AlarmRules(BaseModel):
    """When an alarm begins and ends, in seconds.

    window: what the running median spans. An anomaly shorter than half of it makes no alarm, which is the
    least length. release: the level, in the camera's units, below which the picture counts as quiet again
    (hysteresis). quiet: how long it must stay so for the alarm to end. cool_down: how long after an end none
    begins. longest: an alarm ends after so long in any case, so that a clip has an end.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    window: float = Field(default=1, gt=0)
    release: float = Field(default=0.8, gt=0, le=1)
    quiet: float = Field(default=3, ge=0)
    cool_down: float = Field(default=20, ge=0)
    longest: float = Field(default=60, gt=0)

    @property
    def apart(self) -> float:
        """Peaks closer together than this cannot be two alarms."""
        return self.quiet + self.cool_down


class Level:
    """The running median of the scores of the last `window` seconds at `fps` frames a second."""

    def __init__(self, window: float, fps: float) -> None:
        self._recent: deque[float] = deque(maxlen=max(1, round(window * fps)))

    def add(self, score: float) -> float | None:
        """Takes the next score; None until the window is full."""
        self._recent.append(score)
        if len(self._recent) < (self._recent.maxlen or 1):
            return None
        # The lower median: for an even window too, more than half of the scores lie above the threshold.
        return sorted(self._recent)[(len(self._recent) - 1) // 2]

    def reset(self) -> None:
        """Forgets the scores so far; call it when the stream jumps."""
        self._recent.clear()


def levels(scores: NDArray[np.float64], window: float, fps: float) -> NDArray[np.float64]:
    """The levels of one clip's scores, `(N,)`; NaN where a frame has none."""
    level = Level(window, fps)
    made = [None if np.isnan(score) else level.add(float(score)) for score in scores]
    return np.array([np.nan if each is None else each for each in made], dtype=np.float64)


@dataclass(frozen=True)
class Span:
    """An alarm: its start, peak and end in seconds, and the level at its peak (1 is the threshold)."""

    start: float
    peak: float
    end: float
    level: float


Change = Literal["start", "peak", "end"]


class Alarm:
    """The state of one camera: watching, in an alarm, or cooling down.

    typical: the score of a normal frame; threshold: the level that the budget allows. fps: scored frames a
    second. Raises `ValueError` where the threshold is not above the typical score.
    """

    def __init__(self, rules: AlarmRules, typical: float, threshold: float, fps: float) -> None:
        if not threshold > typical:
            raise ValueError(f"the threshold {threshold:.4g} is not above the typical score {typical:.4g}")
        self._rules, self._typical, self._threshold = rules, typical, threshold
        self._level = Level(rules.window, fps)
        self.level: float | None = None
        """Of the last frame, in the camera's units; None where its scores are too few yet."""
        self._span: Span | None = None
        self._loud = 0.0  # when the level was last above the release level
        self._ended = -np.inf

    @property
    def span(self) -> Span | None:
        """The alarm that is going on, or the last one; None before the first."""
        return self._span

    @property
    def is_on(self) -> bool:
        """Whether an alarm is going on."""
        return self._span is not None and self._ended < self._span.start

    def step(self, time: float, score: float) -> Change | None:
        """Takes the score of the frame at `time` seconds; says what it changed.

        "peak" is a new highest level within an alarm.
        """
        raw = self._level.add(score)
        if raw is None:
            return None
        self.level = level = (raw - self._typical) / (self._threshold - self._typical)
        if not self.is_on or self._span is None:
            if level <= 1 or time < self._ended + self._rules.cool_down:
                return None
            self._span, self._loud = Span(time, time, time, level), time
            return "start"
        if level >= self._rules.release:
            self._loud = time
        self._span = replace(self._span, end=self._loud)
        if time - self._loud >= self._rules.quiet or time - self._span.start >= self._rules.longest:
            self._ended = time
            return "end"
        if level > self._span.level:
            self._span = replace(self._span, peak=time, level=level)
            return "peak"
        return None

    def break_off(self) -> bool:
        """The stream stops or jumps: forgets the scores. True where that ends an alarm."""
        self._level.reset()
        self.level = None
        if not self.is_on or self._span is None:
            return False
        self._ended = max(self._span.end, self._span.start)
        return True
