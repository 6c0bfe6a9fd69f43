"""Z-MSE and speed made one score, each measured by how much it varies on normal footage."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.fusion import Fusion, UsualScore

Scores = NDArray[np.float64]
"""Scores `(N,)` of consecutive frames, 0 or more, in any unit."""

LEAST_SHARE = 0.05
"""Scores below this share of the highest usual one count as that."""

HIGHEST_QUANTILE = 0.995
"""Share of normal scores below the highest usual one."""

SPEED_WEIGHT = 2.0
"""How many times as much as Z-MSE speed counts. On altered footage of Ped2 2 to 4 are alike, and above 1."""

LEAST_DEVIATION, SMALLEST = 0.1, 1e-9
"""A score that never varies on normal footage, or is always 0 there, must not outweigh all others."""

SMALLEST_SPEED = LEAST_SHARE
"""Relative speeds below count as this: 1 is the highest usual one, however little moves in normal footage."""


def usual_score(scores: Scores, smallest: float = SMALLEST) -> UsualScore:
    """How the scores of normal frames vary. smallest: scores below count as that, whatever the highest is."""
    least = max(LEAST_SHARE * float(np.quantile(scores, HIGHEST_QUANTILE)), smallest)
    logs = np.log(np.maximum(scores, least))
    return UsualScore(mean=float(logs.mean()), deviation=max(float(logs.std()), LEAST_DEVIATION), least=least)


def deviations(scores: Scores, usual: UsualScore) -> Scores:
    """By how many standard deviations the logarithm of each score is above its usual mean."""
    return np.asarray((np.log(np.maximum(scores, usual.least)) - usual.mean) / usual.deviation)


def fused(scores: Sequence[Scores], usual: Sequence[UsualScore], weights: Sequence[float]) -> Scores:
    """One score of several, each `(N,)`: about by how many standard deviations they are above the usual.

    It is the weighted mean of their deviations, bent so that it is 0 or more (softplus): high for what is
    unusual by any of them, higher by several. Where all are as usual it is log 2.
    """
    found = [weight * deviations(of, each) for of, each, weight in zip(scores, usual, weights, strict=True)]
    with np.errstate(invalid="ignore"):  # NaN is a frame without a score
        return np.asarray(np.logaddexp(0, sum(found) / sum(weights)))


def z_mse_and_speed(z_mse: Scores, speed: Scores, fusion: Fusion) -> Scores:
    """The fused score of frames, of any shape. speed: the relative speed of each frame's fastest place."""
    return fused([z_mse, speed], [fusion.z_mse, fusion.speed], [1, fusion.speed_weight])
