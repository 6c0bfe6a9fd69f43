"""Several scores of a frame made one, each measured by how much it varies on normal footage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
"""Scores `(N,)` of consecutive frames, 0 or more, in any unit."""

SMALLEST = 1e-9
"""Scores below count as this: a logarithm is taken of them."""


@dataclass(frozen=True)
class UsualScore:
    """Mean and standard deviation of a score's natural logarithm on normal footage."""

    mean: float
    deviation: float

    @classmethod
    def of(cls, scores: Scores) -> Self:
        """From the scores of normal frames."""
        logs = _logs(scores)
        return cls(float(logs.mean()), max(float(logs.std()), SMALLEST))

    def deviations(self, scores: Scores) -> Scores:
        """By how many standard deviations the logarithm of each score is above its usual mean."""
        return (_logs(scores) - self.mean) / self.deviation


def fused(scores: Sequence[Scores], usual: Sequence[UsualScore]) -> Scores:
    """The sum of the scores' deviations, each `(N,)`: the unusual by any of them, more so by several."""
    return np.asarray(sum(each.deviations(of) for of, each in zip(scores, usual, strict=True)))


def _logs(scores: Scores) -> Scores:
    return np.log(np.maximum(scores, SMALLEST))
