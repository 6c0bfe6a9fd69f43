"""The three terms of Eq. 1, and one against collapse."""

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


CODE_DEVIATION = 0.5
"""Standard deviation over time below which `variance_term` pulls a channel up. BatchNorm gives each channel 1
over all places and times together, so that this much is left for what stands still."""


def variance_term(codes: Tensor) -> Tensor:
    """What keeps the code about what moves: codes `(R, T, C, h, w)` of R runs of T frames to one number.

    The variance of a channel is taken about each place's own mean in the run, so what stands still does not
    count; how far its root is below `CODE_DEVIATION` is squared, averaged over channels and multiplied by the
    code's number of elements, as the prediction loss is a sum over them. (Not in the paper. The hinge is that
    of VICReg, Bardes, Ponce and LeCun 2022, there over a batch instead of over time.)
    """
    moving = codes.float() - codes.float().mean(dim=1, keepdim=True)
    # The small number keeps the root's gradient finite where nothing moves at all.
    deviation = (moving.square().mean(dim=(0, 1, 3, 4)) + 1e-6).sqrt()
    return (CODE_DEVIATION - deviation).clamp_min(0).square().mean() * codes[0, 0].numel()
