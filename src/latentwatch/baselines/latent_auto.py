"""LatentAuto: a 3-D causal autoencoder, and an autoregressive density over its codes.

Abati, Porrello, Calderara and Cucchiara, *Latent space autoregression for novelty detection* (CVPR 2019), the
form for video. A clip of 16 frames becomes 4 codes in time of 64 numbers in (0, 1). The density of each
number, given all numbers of earlier codes and the earlier ones of its own, is a histogram of 100 bins.
Departures:

- A layer of the density is a causal convolution over time whose taps are full connections, the newest tap
  masked to the past within a code. The paper's masked stacked convolutions reach less far in a layer.
- Between two bins the log-likelihood is linear, so that it has a gradient in the number itself; the paper
  rounds to the nearest bin.
- Both terms of the score are standardised by held-out footage instead of scaled within a test clip.
- The reconstruction term is that of the newest frame, so that it comes without delay, and the density's that
  of the clip, where the paper averages over all clips that hold a frame.
- The input size is a setting. No background is taken away.
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.baselines.scorer import Baseline, BaselineSettings, scaled, squared_error
from latentwatch.models.density import Density, negative_log_likelihood

CODE = 64
"""Numbers of a code."""
BINS = 100
"""Of the histogram of one number."""
HIDDEN = (4, 4)
"""Feature maps of the density's hidden layers."""
DENSITY = 1.0
"""Weight of the negative log-likelihood beside the reconstruction's 1, both sums over a clip."""
STRIDES = ((1, 2, 2), (1, 2, 2), (2, 2, 2), (1, 2, 2), (2, 2, 2))


class LatentAuto(Baseline):
    """Encoder, decoder and density. 16 frames become features `(64, 4, H/32, W/32)`, then 4 codes."""

    name = "latent-auto"
    clip_length = 16
    grey = False
    multiple = 32
    term_weights = (1.0, 1.0)
    learning_rate = 1e-3
    batch = 2

    def __init__(self, settings: BaselineSettings) -> None:
        super().__init__(settings)
        widths = [3, *scaled(settings, (8, 16, 32, 64, 64))]
        steps = list(zip(pairwise(widths), STRIDES, strict=True))
        self.down = nn.Sequential(*(Block(a, b, stride) for (a, b), stride in steps))
        self.place = (widths[-1], settings.height // self.multiple, settings.width_px // self.multiple)
        features, hidden = self.place[0] * self.place[1] * self.place[2], settings.channels(512)
        # Shared by all times: a Linear works on the last dimension.
        self.to_code = nn.Sequential(
            nn.Linear(features, hidden), nn.Tanh(), nn.Linear(hidden, CODE), nn.Sigmoid()
        )
        self.from_code = nn.Sequential(
            nn.Linear(CODE, hidden), nn.Tanh(), nn.Linear(hidden, features), nn.LeakyReLU()
        )
        back = [*reversed(widths[1:]), widths[1]]
        self.up = nn.Sequential(
            *(Block(a, b, s, up=True) for (a, b), s in zip(pairwise(back), reversed(STRIDES), strict=True))
        )
        self.head = CausalConv3d(widths[1], 3, 1)
        self.density = Density(CODE, HIDDEN, BINS)

    def encode(self, clips: Tensor) -> Tensor:
        """Clips `(N, 16, 3, H, W)` to codes `(N, 4, 64)` in (0, 1). No code knows of later frames."""
        features = self.down(clips.transpose(1, 2))
        with torch.autocast("cpu", enabled=False):  # bfloat16 is hardly finer than the bins
            return cast(Tensor, self.to_code(features.transpose(1, 2).flatten(2).float()))

    def decode(self, codes: Tensor) -> Tensor:
        """Codes `(N, 4, 64)` to clips `(N, 16, 3, H, W)`."""
        features = self.from_code(codes).reshape(*codes.shape[:2], *self.place).transpose(1, 2)
        return cast(Tensor, self.head(self.up(features))).transpose(1, 2)

    def surprise(self, codes: Tensor) -> Tensor:
        """Negative log-likelihood, in nats, of all numbers of codes `(N, 4, 64)`: `(N,)`."""
        return negative_log_likelihood(self.density(codes), codes).flatten(1).sum(dim=1)

    def loss(self, batch: Tensor) -> Tensor:
        """Squared error and negative log-likelihood (nats), sums over a clip, mean over clips."""
        codes = self.encode(batch)
        error = squared_error(self.decode(codes), batch).mean() * batch[0].numel()
        with torch.autocast("cpu", enabled=False):
            surprise = self.surprise(codes.float()).mean()
        # By the values of a clip, so that the loss has the scale of the other systems'.
        return (error + DENSITY * surprise) / batch[0].numel()

    def terms(self, clips: Tensor) -> Tensor:
        """Squared error of the newest frame, and negative log-likelihood of the clip's codes: `(N, 2)`."""
        codes = self.encode(clips)
        error = squared_error(self.decode(codes)[:, -1], clips[:, -1])
        return torch.stack([error, self.surprise(codes)], dim=1)


class CausalConv3d(nn.Conv3d):
    """A 3-D convolution that pads time at its beginning alone, and place on all sides; odd kernels."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: tuple[int, int, int] = (1, 1, 1)
    ) -> None:
        super().__init__(channels_in, channels_out, kernel, stride=stride)
        side = kernel // 2
        # The last input of a stride is the one its output stands at, so that no output reads past its time.
        self._pads = (side, side, side, side, kernel - stride[0], 0)

    def forward(self, features: Tensor) -> Tensor:
        """`(N, C, T, H, W)` to `(N, C', T / stride, H / stride, W / stride)`."""
        front = self._pads[4]
        if front < 0:  # a kernel of 1 skips to the last input of each stride
            features = features[:, :, -front:]
        return super().forward(F.pad(features, (*self._pads[:4], max(front, 0), 0)))


class Block(nn.Module):
    """A residual block: two 3x3x3 convolutions beside one of 1x1x1, with BatchNorm and leaky ReLU.

    stride shrinks the output, and convolutions are causal; with `up` it enlarges the output by transposed
    convolution, which needs no causality: the codes are known by then.
    """

    def __init__(
        self, channels_in: int, channels_out: int, stride: tuple[int, int, int], *, up: bool = False
    ) -> None:
        super().__init__()
        first: nn.Module
        short: nn.Module
        if up:
            more = (stride[0] - 1, stride[1] - 1, stride[2] - 1)  # so that the size is exactly multiplied
            first = nn.ConvTranspose3d(channels_in, channels_out, 3, stride, 1, more)
            short = nn.ConvTranspose3d(channels_in, channels_out, 1, stride, 0, more)
            second: nn.Module = nn.Conv3d(channels_out, channels_out, 3, padding=1)
        else:
            first = CausalConv3d(channels_in, channels_out, 3, stride)
            short = CausalConv3d(channels_in, channels_out, 1, stride)
            second = CausalConv3d(channels_out, channels_out, 3)
        self.long = nn.Sequential(
            first,
            nn.BatchNorm3d(channels_out),
            nn.LeakyReLU(),
            second,
            nn.BatchNorm3d(channels_out),
        )
        self.short = nn.Sequential(short, nn.BatchNorm3d(channels_out))

    def forward(self, features: Tensor) -> Tensor:
        """`(N, C, T, H, W)` to the same with other channels, shrunk or enlarged by `stride`."""
        return F.leaky_relu(self.long(features) + self.short(features))
