"""The three terms of Eq. 1."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def reconstruction_loss(reconstructed: Tensor, frames: Tensor) -> Tensor:
    """First term of Eq. 1 for one frame: squared error summed over all values, mean over the `N` frames.

    Both are `(N, 3, H, W)`. The sum over pixels is the paper's; it is what makes gamma = 0.001 a gentle
    regulariser instead of the largest term.
    """
    return (reconstructed.float() - frames.float()).square().sum() / len(frames)


def prediction_loss(predicted: Tensor, observed: Tensor) -> Tensor:
    """Second term of Eq. 1: squared error summed over a code's elements, mean over the `N` windows."""
    return (predicted.float() - observed.float()).square().sum() / len(predicted)


def l2_term(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Third term of Eq. 1, before gamma: the sum of squares of the convolution weights.

    Biases and the BatchNorm scales are vectors and left out: pulling the scales to nought would shrink
    the latent code itself.
    """
    return torch.stack([weight.square().sum() for weight in parameters if weight.ndim > 1]).sum()
