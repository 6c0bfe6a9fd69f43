"""The latent error measured against what is usual for it: a robust Mahalanobis distance.

Eq. 2 adds the squares of all errors, so a few things that stand out (a person in white) weigh more than
everything else together. Here the error of each place is first measured in units of the errors on normal
footage (their covariance over channels), then compressed by a logarithm: up to a constant, the negative
log-likelihood of heavy-tailed (Student t) errors.
"""

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

RIDGE = 0.01
"""Share of the mean variance that is added to each channel's, for channels that hardly err."""


def fit_whitening(errors: Iterable[Tensor]) -> Tensor:
    """From latent errors `(N, C, h, w)` on normal footage, the matrix `(C, C)` for `distance_maps`.

    It takes half of all places of that footage to a distance below 1. Raises `ValueError` without errors.
    """
    vectors = [each.permute(0, 2, 3, 1).flatten(0, 2).double() for each in errors]
    if not vectors:
        raise ValueError("no latent errors to measure by")
    every = torch.cat(vectors)
    covariance = every.T @ every / len(every)
    channels = len(covariance)
    covariance += RIDGE * covariance.trace() / channels * torch.eye(channels, dtype=torch.float64)
    whitening = torch.linalg.inv(torch.linalg.cholesky(covariance))
    usual = (every @ whitening.T).square().mean(dim=1).median()
    scaled: Tensor = whitening / usual.sqrt().clamp_min(1e-12)
    return scaled.float()


def distance_maps(errors: Tensor, whitening: Tensor) -> Tensor:
    """log(1 + squared distance) of each place, `(N, h, w)`, of latent errors `(N, C, h, w)`.

    The mean of a map is the frame's score, see `mahalanobis`.
    """
    measured = torch.einsum("dc,nchw->ndhw", whitening, errors)
    return measured.square().mean(dim=1).log1p()


def mahalanobis(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """One score a frame from distance maps `(N, h, w)`: the mean over places; NaN stays NaN."""
    return np.asarray(maps.mean(axis=(1, 2), dtype=np.float64))
