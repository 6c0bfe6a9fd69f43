"""FFP: a U-Net predicts the next frame from four; what it cannot predict is strange.

Liu, Luo, Lian and Gao, *Future frame prediction for anomaly detection: a new baseline* (CVPR 2018).
Departures:

- The optical-flow loss needs FlowNet, whose weights cannot be had here. In its place stands
  `motion_loss`: the amount of change since the last frame, in cells of 8x8 pixels, must be that of the real
  frame. It sees how much moves and where, not which way. It has the paper's weight, 2.
- Weights are 1 for intensity and gradient, 2 for flow and 0.05 for the adversarial loss, as in the authors'
  settings; losses are means over values, not sums.
- Transposed convolutions are 2x2, as in the authors' code, and have no ReLU; the paper says 3x3.
- The input size is a setting, not 256x256. One learning rate for grey and colour footage.
- The score is -PSNR in dB; the scaling to [0, 1] within a clip is the evaluation's.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.baselines.scorer import Baseline, BaselineSettings, negative_psnr, scaled, squared_error
from latentwatch.baselines.unet import UNetDecoder, UNetEncoder
from latentwatch.models.losses import gradient_differences

CELL = 8
"""Pixels of a side of a cell in `motion_loss`."""
GRADIENT, MOTION, ADVERSARIAL = 1.0, 2.0, 0.05
"""Weights of the losses beside the intensity's 1."""


class FutureFrame(Baseline):
    """Four frames to the fifth. `critic` judges patches of real and made frames."""

    name = "future-frame"
    clip_length = 5
    grey = False
    multiple = 16
    learning_rate = 2e-4
    critic_learning_rate = 2e-5
    critic: nn.Module

    def __init__(self, settings: BaselineSettings) -> None:
        super().__init__(settings)
        widths = scaled(settings, (64, 128, 256, 512))
        self.encoder = UNetEncoder(3 * (self.clip_length - 1), widths, norm=False)
        self.decoder = UNetDecoder(widths[-1], widths, 3, norm=False)
        self.critic = patch_critic(scaled(settings, (128, 256, 512, 512)))

    def forward(self, clips: Tensor) -> Tensor:
        """The prediction `(N, 3, H, W)` in [-1, 1] of the last frame of clips `(N, 5, 3, H, W)`."""
        return cast(Tensor, self.decoder(*self.encoder(clips[:, :-1].flatten(1, 2))))

    def loss(self, batch: Tensor) -> Tensor:
        """The generator's: intensity, gradient, motion and adversarial loss of the predicted frame."""
        made, real, last = self(batch), batch[:, -1], batch[:, -2]
        return (
            squared_error(made, real).mean()
            + GRADIENT * gradient_loss(made, real)
            + MOTION * motion_loss(made, real, last)
            + ADVERSARIAL * ls_loss(self.critic(made), 1)
        )

    def critic_loss(self, batch: Tensor) -> Tensor:
        """The discriminator's objective: the critic is to say 1 of real frames and 0 of made ones."""
        with torch.no_grad():
            made = self(batch)
        return ls_loss(self.critic(batch[:, -1]), 1) + ls_loss(self.critic(made), 0)

    def terms(self, clips: Tensor) -> Tensor:
        """-PSNR of the prediction: `(N, 1)`."""
        return negative_psnr(self(clips), clips[:, -1])[:, None]


def patch_critic(widths: list[int]) -> nn.Sequential:
    """The patch discriminator: 4x4 convolutions, the first three of stride 2.

    Pictures `(N, 3, H, W)` to verdicts `(N, 1, h, w)`, one a patch.
    """
    layers: list[nn.Module] = []
    source = 3
    for index, width in enumerate(widths):
        layers += [nn.Conv2d(source, width, 4, stride=2 if index < 3 else 1, padding=1), nn.LeakyReLU(0.2)]
        source = width
    return nn.Sequential(*layers, nn.Conv2d(source, 1, 4, padding=2))


def ls_loss(verdicts: Tensor, wanted: float) -> Tensor:
    """Half the squared distance of verdicts, any shape, from what they are wanted to be; mean (LSGAN)."""
    return 0.5 * (verdicts.float() - wanted).square().mean()


def gradient_loss(made: Tensor, real: Tensor) -> Tensor:
    """Difference of the sizes of horizontal and of vertical steps, mean; both pictures are `(N, C, H, W)`."""
    return torch.stack([each.mean() for each in gradient_differences(made, real)]).sum()


def motion_loss(made: Tensor, real: Tensor, last: Tensor) -> Tensor:
    """Difference of the amounts of change since `last`, mean over cells of 8x8 pixels.

    All are `(N, C, H, W)`, with H and W of 8 or more. Per cell, since pixel by pixel it would be nearly the
    intensity loss once more.
    """
    amounts = [F.avg_pool2d((each.float() - last.float()).abs(), CELL) for each in (made, real)]
    return (amounts[0] - amounts[1]).abs().mean()
