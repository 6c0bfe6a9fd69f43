"""Timing of several things that take turns, so that what the machine does beside hits all alike."""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

Lap = Callable[[], object]
"""One unit of work, such as scoring one frame."""


@dataclass
class Times:
    """Seconds a lap of each runner, one figure a round; all runners have the same rounds."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    @property
    def rounds(self) -> int:
        """How many rounds were finished."""
        return min(map(len, self.seconds.values()), default=0)

    def rates(self, name: str) -> list[float]:
        """Laps a second of each round."""
        return [1 / each for each in self.seconds[name]]

    def ratios(self, ours: str, theirs: str) -> list[float]:
        """How many times as many laps a second `ours` did as `theirs`, round by round."""
        return [b / a for a, b in zip(self.seconds[ours], self.seconds[theirs], strict=True)]


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, and their lower and upper quartile."""

    median: float
    low: float
    high: float


def spread(values: list[float]) -> Spread:
    """Of one or more values; the quartiles of a single one are itself."""
    if len(values) == 1:
        return Spread(values[0], values[0], values[0])
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def race(
    runners: Mapping[str, Lap],
    times: Times,
    *,
    rounds: int,
    seconds: float,
    after: Callable[[str], None] = lambda _: None,
) -> None:
    """Adds `rounds` rounds to `times`; in each, every runner has a turn, in random order.

    seconds: about how long a turn is; it has at least one lap, and one before it that does not count unless
    a lap alone is longer. after: told of each turn that ended. Ctrl-C leaves whole rounds in `times`.
    """
    shuffled = random.Random(0)
    names = list(runners)
    for _ in range(rounds):
        shuffled.shuffle(names)
        taken = {}
        for name in names:
            taken[name] = _turn(runners[name], seconds)
            after(name)
        for name, each in taken.items():
            times.seconds.setdefault(name, []).append(each)


def _turn(lap: Lap, seconds: float) -> float:
    began = time.perf_counter()
    lap()
    first = time.perf_counter() - began
    if first > seconds:
        return first
    laps = 0
    began = time.perf_counter()
    while laps == 0 or time.perf_counter() - began < seconds:
        lap()
        laps += 1
    return (time.perf_counter() - began) / laps
