"""The three terms of Eq. 1, the reconstruction losses of Table 4, and two terms that the paper has not."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from latentwatch.models.presets import Reconstruction

GDL, SSIM = 0.1, 0.03
"""Weights of the gradient difference and of 1 - SSIM beside the squared error's 1, each a sum over values.

The paper names none. With these, an empty reconstruction of Ped2's training frames costs about the same in
each: 134 in squared error, 116 and 141 in the others. So no part of a sum drowns the rest, and lambda_p and
gamma weigh as much beside each of the six losses.
"""

SSIM_WINDOW = 11
"""Pixels of a side of the Gaussian window of SSIM (Wang et al. 2004)."""


def reconstruction_loss(reconstructed: Tensor, frames: Tensor, kind: Reconstruction = "mse") -> Tensor:
    """First term of Eq. 1 for one frame: the error summed over all values, mean over the `N` frames.

    Both are `(N, 3, H, W)` in [-1, 1]. The sum over pixels is the paper's; it is what makes gamma = 0.001 a
    gentle regulariser instead of the largest term. "mse" is the squared error; see `GDL` for the others.
    """
    made, real = reconstructed.float(), frames.float()
    parts = kind.split("+")
    terms = []
    if "mse" in parts:
        terms.append((made - real).square().sum())
    if "gdl" in parts:
        terms += [GDL * each.sum() for each in gradient_differences(made, real)]
    if "ssim" in parts:
        terms.append(SSIM * structural_dissimilarity(made, real).sum())
    return torch.stack(terms).sum() / len(frames)


def gradient_differences(made: Tensor, real: Tensor) -> list[Tensor]:
    """By how much the sizes of horizontal and of vertical steps differ (Mathieu et al. 2016, alpha = 1).

    Both pictures are `(N, C, H, W)`; gives `(N, C, H, W - 1)` and `(N, C, H - 1, W)`.
    """
    return [(made.float().diff(dim=dim).abs() - real.float().diff(dim=dim).abs()).abs() for dim in (-1, -2)]


def structural_dissimilarity(made: Tensor, real: Tensor) -> Tensor:
    """1 - SSIM of each value, 0 to 2: pictures `(N, C, H, W)` in [-1, 1] twice to the same shape.

    They are brought to [0, 1] first, since SSIM compares means, which must not be negative.
    """
    from kornia.metrics import ssim  # here: importing it takes seconds, and the other losses do without

    return 1 - ssim((made + 1) / 2, (real + 1) / 2, SSIM_WINDOW)


def prediction_loss(errors: Tensor) -> Tensor:
    """Second term of Eq. 1: errors `(N, C, h, w)` summed over a code's elements, mean over the N windows."""
    return errors.float().sum() / len(errors)


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


CONTRAST = 2.0
"""What the error on sped-up footage shall be, in variances of the code over time. The mean code has 1."""


def speed_contrast(errors: Tensor, codes: Tensor) -> Tensor:
    """What keeps sped-up footage unpredictable: errors `(R, C, h, w)` on R runs of codes `(R, T, C, h, w)`.

    The error of a place, mean over channels, shall be `CONTRAST` times the variance over time of the code
    there, so that nothing is asked where nothing moves. By how much it falls short is averaged over places
    and runs, and multiplied by the code's number of elements, as the prediction loss is a sum over them. (Not
    in the paper. Skipped frames as stand-ins for anomalies: Astrid, Zaheer and Lee, "Synthetic temporal
    anomaly guided end-to-end video anomaly detection", ICCV Workshops 2021.)
    """
    moving = codes.detach().float().var(dim=1).mean(dim=1)
    missing = CONTRAST * moving - errors.float().mean(dim=1)
    return missing.clamp_min(0).mean() * codes[0, 0].numel()
