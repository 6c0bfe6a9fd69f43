"""Whether a camera sees well. A blinded camera is not an anomaly of the scene, and must not be scored."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from latentwatch.monitor.health_reference import INTERVAL, HealthReference
from latentwatch.monitor.picture_measures import Grey, Measures, measure, small_grey
from latentwatch.video.frame import Frame

Problem = Literal[
    "black", "too dark", "overexposed", "frozen", "covered", "defocused", "moved", "too noisy"
]  # fmt: skip

BEGINS_AFTER, ENDS_AFTER = 2.0, 5.0
"""Seconds that a problem must hold before it is reported, and be gone before it is taken back."""

FROZEN_AFTER = 10.0
"""Seconds without the least change, or three times the longest of normal footage, that mean frozen."""

EASE = 0.1
"""Share by which a measure must be better than its limit before a reported problem counts as gone."""

PAUSE = 2.0
"""Seconds between two frames above which they do not follow each other."""


@dataclass(frozen=True)
class HealthEvent:
    """A problem that begins or ends, at `time` in seconds as `Frame.time`."""

    time: float
    problem: Problem
    begins: bool


def problems_of(measures: Measures, reference: HealthReference, *, ease: float = 0.0) -> set[Problem]:
    """What is wrong with a picture; all but `frozen`, which one picture does not show.

    Each limit is a share of the camera's own normal extreme, or lies so far beyond it; see docs/cameras.md. A
    picture that shows nothing (black, too dark, overexposed) is not judged further. ease: share by which the
    limits are nearer to normal.
    """
    normal = reference.limits
    tighter = 1 + ease
    if measures.peak < min(25.0, 0.5 * normal.peak) * tighter:
        return {"black"}
    if measures.brightness < 0.4 * normal.brightness * tighter:
        return {"too dark"}
    if measures.white > normal.white + 0.25 / tighter:
        return {"overexposed"}
    structured = reference.structure >= 1.0
    blind = float((measures.structure < 0.25 * tighter * reference.structure)[structured].sum())
    if blind > 0.3 / tighter * max(structured.sum(), 1) and measures.layout < normal.layout - 0.2 / tighter:
        return {"covered"}
    found: set[Problem] = set()
    if measures.sharpness < 0.7 * normal.sharpness * tighter:
        found.add("defocused")  # edges out of focus seem to lie elsewhere, so nothing is said of those
    elif measures.edges < normal.edges - 0.12 / tighter:
        found.add("moved")
    if measures.noise > max(3 * normal.noise, normal.noise + 4) / tighter:
        found.add("too noisy")
    return found


class HealthMonitor:
    """Tells when a camera's picture goes bad and when it is good again.

    Looks at a picture every `interval` seconds of `Frame.time` (0: at each). A problem is reported once it
    has held for `BEGINS_AFTER` seconds and taken back once it was clearly gone for `ENDS_AFTER`. active: what
    was reported before a restart and not taken back; other names are left out.
    """

    def __init__(
        self, reference: HealthReference, *, interval: float = INTERVAL, active: Collection[str] = ()
    ) -> None:
        self._reference, self._interval = reference, interval
        self._before: Grey | None = None
        self._last = float("-inf")
        self._due = float("-inf")
        self._still_since = float("-inf")
        self._since: dict[Problem, float] = {}  # seen without a break, not yet reported
        self._gone: dict[Problem, float] = {}  # reported, not seen since
        self._active: set[Problem] = {problem for problem in get_args(Problem) if problem in active}

    @property
    def problems(self) -> frozenset[Problem]:
        """What is reported and not taken back."""
        return frozenset(self._active)

    @property
    def usable(self) -> bool:
        """Whether frames should be scored; after a pause the detector must be reset."""
        return not self._active

    @property
    def suspect(self) -> bool:
        """Whether the last picture had a problem that may yet be reported: an alarm can wait for that."""
        return bool(self._since)

    def update(self, frame: Frame) -> list[HealthEvent]:
        """Looks at the next frame; gives the problems that begin or end with it, mostly none."""
        if frame.time < self._due:
            return []
        if frame.time - self._last > PAUSE:
            self._before, self._since = None, {}
        grey = small_grey(frame.rgb)
        measures = measure(grey, self._before, self._reference.usual)
        if not measures.still:
            self._still_since = frame.time
        self._before, self._last, self._due = grey, frame.time, frame.time + self._interval
        strict = problems_of(measures, self._reference)
        lasting = self._active & problems_of(measures, self._reference, ease=EASE)
        if frame.time - self._still_since >= max(FROZEN_AFTER, 3 * self._reference.limits.still_seconds):
            strict.add("frozen")
        return [
            event
            for problem in get_args(Problem)
            for event in self._judge(problem, strict | lasting, frame.time)
        ]

    def _judge(self, problem: Problem, seen: set[Problem], now: float) -> list[HealthEvent]:
        if problem in self._active:
            if problem in seen:
                self._gone.pop(problem, None)
            elif now - self._gone.setdefault(problem, now) >= ENDS_AFTER:
                self._active.remove(problem)
                del self._gone[problem]
                return [HealthEvent(now, problem, begins=False)]
        elif problem not in seen:
            self._since.pop(problem, None)
        elif problem == "frozen" or now - self._since.setdefault(problem, now) >= BEGINS_AFTER:
            self._since.pop(problem, None)
            self._active.add(problem)
            return [HealthEvent(now, problem, begins=True)]
        return []
