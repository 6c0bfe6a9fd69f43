"""Ways to make one number of a frame's latent error map: Eq. 2's mean, and others beyond the paper.

All need no decoder and no later frame, so a live camera can use them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Maps = NDArray[np.float32]
"""Latent error maps `(N, h, w)` of consecutive frames, NaN where a frame has no score."""

TOP_SHARE = 0.05
"""Share of places that "top" takes the mean of."""

PEAK_PLACES = 3
"""Side, in places of the code, of the square whose mean error "peak" looks for."""

SMOOTHED_FRAMES = 5
"""How many frames, the current one the last, are averaged in time."""

LEAST = 0.1
"""A place's usual error counts as at least this share of the mean over all places."""


@dataclass(frozen=True)
class UsualError:
    """What the error usually is at each place, float32 `(h, w)`, from held-out normal footage."""

    mean: NDArray[np.float32]

    @classmethod
    def of(cls, maps: Maps) -> Self:
        """From the error maps of normal frames. Neighbours are averaged, since little passes one place."""
        mean = ndimage.gaussian_filter(np.nanmean(maps, axis=0), sigma=1)
        return cls(np.maximum(mean, LEAST * mean.mean()).astype(np.float32))


def mean(maps: Maps) -> NDArray[np.float64]:
    """Z-MSE (Eq. 2)."""
    return np.asarray(maps.mean(axis=(1, 2), dtype=np.float64))


def top(maps: Maps) -> NDArray[np.float64]:
    """Mean of the places with the largest error."""
    flat = np.sort(maps.reshape(len(maps), -1), axis=1)
    return np.asarray(flat[:, -max(round(TOP_SHARE * flat.shape[1]), 1) :].mean(axis=1, dtype=np.float64))


def peak(maps: Maps) -> NDArray[np.float64]:
    """Largest mean error of a small square."""
    smooth = ndimage.uniform_filter(maps, size=(0, PEAK_PLACES, PEAK_PLACES), mode="constant")
    return np.asarray(smooth.max(axis=(1, 2)).astype(np.float64))


POOLINGS: dict[str, Callable[[Maps], NDArray[np.float64]]] = {"mean": mean, "top": top, "peak": peak}


def smoothed(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores `(N,)` averaged with those of the frames just before. NaN counts as no frame."""
    window = np.ones(SMOOTHED_FRAMES)
    around = mean_of_known(scores, lambda values: np.convolve(values, window)[: len(scores)])
    return np.where(np.isnan(scores), np.nan, around)


def mean_of_known(
    scores: NDArray[np.float64], weigh: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Weighted means of scores `(N,)` in which NaN counts as no frame; NaN where no known one is near.

    weigh: the weighted sums `(N,)` about each of N values.
    """
    known = ~np.isnan(scores)
    total, weight = weigh(np.where(known, scores, 0.0)), weigh(known.astype(np.float64))
    return np.asarray(np.divide(total, weight, out=np.full(len(scores), np.nan), where=weight > 0))


def pooled(errors: Maps, kind: str = "") -> dict[str, NDArray[np.float64]]:
    """Every pooling of `errors`, smoothed in time or not, by name. kind: of error, for the names."""
    found = {}
    for name, pool in POOLINGS.items():
        label = f"{name} {kind}".rstrip()
        found[label] = pool(errors)
        found[f"{label}, smoothed"] = smoothed(found[label])
    return found


def variants(maps: Maps, usual: UsualError) -> dict[str, NDArray[np.float64]]:
    """Every pooling of the error, and of the error over the place's usual one; smoothed in time or not."""
    return pooled(maps) | pooled(maps / usual.mean, "by place")
