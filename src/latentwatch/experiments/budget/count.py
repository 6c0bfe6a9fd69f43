"""The alarms that a threshold raises on scored footage, counted as `watch` raises them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentwatch.evaluation.intervals import poisson_limits95
from latentwatch.monitor.alarm import Alarm, AlarmRules, Span
from latentwatch.monitor.budget import HOURS_A_DAY, Promise, Tail, fit_tail, promise


@dataclass(frozen=True)
class Scored:
    """A clip that was scored: scores `(N,)`, NaN where a frame has none; labels bool `(N,)`, of anomalies."""

    scores: NDArray[np.float64]
    labels: NDArray[np.bool_]


@dataclass(frozen=True)
class Counted:
    """Alarms, and the hours in which one could have begun or gone on."""

    alarms: int
    hours: float

    @property
    def per_day(self) -> float:
        """The rate that was seen."""
        return self.alarms / self.hours * HOURS_A_DAY

    @property
    def limits(self) -> tuple[float, float]:
        """Exact 95% limits of the rate a day, if alarms come independently of each other."""
        low, high = poisson_limits95(self.alarms)
        return low / self.hours * HOURS_A_DAY, high / self.hours * HOURS_A_DAY

    def __add__(self, other: "Counted") -> "Counted":
        return Counted(self.alarms + other.alarms, self.hours + other.hours)


@dataclass(frozen=True)
class Kept:
    """What became of one budget.

    promised: what `calibrate` says. seen: on the footage that was watched. turns: the rate a day seen for
    each part of the footage that calibrated in its turn, all others being watched. found, events: anomalies
    with an alarm, and all; both 0 where there is none to find.
    """

    promised: Promise
    seen: Counted
    turns: list[float]
    found: int
    events: int

    @property
    def verdict(self) -> str:
        """Where the promise lies to the limits of what was seen: "broken" where it is below both."""
        low, high = self.seen.limits
        if self.promised.per_day < low:
            return "broken"
        return "kept, with fewer" if self.promised.per_day > high else "within the limits"


def alarms_of(scores: NDArray[np.float64], alarm: Alarm, fps: float) -> tuple[list[Span], int]:
    """The alarms of one clip, and the frames of it that had a level. alarm: a fresh one.

    A clip's end ends its alarm, as the end of a stream does.
    """
    spans: list[Span] = []
    frames = 0
    for index, score in enumerate(scores):
        if np.isnan(score):
            continue
        change = alarm.step(index / fps, float(score))
        frames += alarm.level is not None
        if change == "end" and alarm.span is not None:
            spans.append(alarm.span)
    if alarm.break_off() and alarm.span is not None:
        spans.append(alarm.span)
    return spans, frames


def count_alarms(
    clips: Iterable[Scored], tail: Tail, threshold: float, rules: AlarmRules, fps: float
) -> Counted:
    """The alarms of normal clips. tail: of the footage that calibrated."""
    counted = Counted(0, 0.0)
    for clip in clips:
        spans, frames = alarms_of(clip.scores, Alarm(rules, tail.typical, threshold, fps), fps)
        counted += Counted(len(spans), frames / fps / 3600)
    return counted


def count_found(
    clips: Iterable[Scored], tail: Tail, threshold: float, rules: AlarmRules, fps: float
) -> tuple[int, int]:
    """Clips with an anomaly in which an alarm touches labelled frames, and all clips with an anomaly."""
    found = events = 0
    for clip in clips:
        if not clip.labels.any():
            continue
        events += 1
        spans, _ = alarms_of(clip.scores, Alarm(rules, tail.typical, threshold, fps), fps)
        found += any(clip.labels[round(span.start * fps) : round(span.end * fps) + 1].any() for span in spans)
    return found, events


def judge_budget(
    parts: Sequence[Sequence[Scored]],
    tests: Sequence[Scored],
    per_day: float,
    rules: AlarmRules,
    fps: float,
) -> Kept:
    """The first part of the normal footage calibrates for `per_day` false alarms, the others are watched.

    Then each part calibrates in its turn. Raises as `fit_tail` does.
    """
    tails = [fit_tail([clip.scores for clip in part], rules, fps) for part in parts]
    turns = []
    for number, tail in enumerate(tails):
        others = [clip for other, part in enumerate(parts) if other != number for clip in part]
        turns.append(count_alarms(others, tail, tail.threshold(per_day), rules, fps))
    promised = promise(tails[0], per_day)
    found, events = count_found(tests, tails[0], promised.threshold, rules, fps)
    return Kept(promised, turns[0], [turn.per_day for turn in turns], found, events)
