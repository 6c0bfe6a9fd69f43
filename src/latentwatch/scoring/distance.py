"""The latent error measured against what is usual for it, where it is.

Eq. 2 adds the squares of all errors, so a few things that stand out (a person in white), or many ordinary
things, weigh more than one that is odd. Here the error of each place is

1. measured in units of the errors on normal footage (their covariance over channels), and compressed by a
   logarithm: up to a constant, the negative log-likelihood of heavy-tailed (Student t) errors;
2. divided by what is usual at its place: people come in at the edges and go along paths;
3. and the frame's score is the highest value of the smoothed map, whatever else is in view.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

RIDGE = 0.01
"""Share of the mean variance that is added to each channel's, for channels that hardly err."""

FLOOR = 0.2
"""Added to what is usual at a place, so that places where nothing ever happens do not count without limit."""

SMOOTHING = 1.5
"""Standard deviation, in places of the code, of the smoothing before the highest place is taken."""


def fit_usual(errors: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """What is usual for latent errors `(N, C, h, w)` of normal footage, for `distance_maps`.

    Gives the matrix `(C, C)` that takes half of all places to a distance below 1, and the mean compressed
    distance by place `(h, w)`. Raises `ValueError` without errors.
    """
    parts = list(errors)
    if not parts:
        raise ValueError("no latent errors to measure by")
    every = torch.cat([each.permute(0, 2, 3, 1).flatten(0, 2) for each in parts]).double()
    channels = every.shape[1]
    covariance = every.T @ every / len(every)
    covariance += RIDGE * covariance.trace() / channels * torch.eye(channels, dtype=torch.float64)
    whitening = torch.linalg.inv(torch.linalg.cholesky(covariance))
    median = (every @ whitening.T).square().mean(dim=1).median()
    whitening = (whitening / median.sqrt().clamp_min(1e-12)).float()
    mean = torch.cat([_compressed(each, whitening) for each in parts]).mean(dim=0)
    return whitening, torch.from_numpy(ndimage.uniform_filter(mean.numpy(), 3, mode="nearest"))


def distance_maps(errors: Tensor, whitening: Tensor, usual: Tensor) -> Tensor:
    """log(1 + squared distance) of each place of errors `(N, C, h, w)`, in units of what is usual there.

    whitening, usual: from `fit_usual`. Gives `(N, h, w)`, 0 or more, about 1 where all is as usual.
    """
    return _compressed(errors, whitening) / (usual + FLOOR)


def _compressed(errors: Tensor, whitening: Tensor) -> Tensor:
    measured = torch.einsum("dc,nchw->ndhw", whitening, errors)
    return measured.square().mean(dim=1).log1p()


def highest(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """One score a frame from distance maps `(N, h, w)`: the smoothed map's highest value; NaN stays NaN."""
    if not len(maps):
        return np.empty(0)
    smooth = ndimage.gaussian_filter(maps.astype(np.float64), (0, SMOOTHING, SMOOTHING), mode="constant")
    return np.asarray(smooth.max(axis=(1, 2)))
