"""The U-Net that `future_frame` and `mnad` share: the encoder's features, then the decoder with skips."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def two_convolutions(channels_in: int, channels_out: int, norm: bool, bare: bool = False) -> nn.Sequential:
    """Two times (3x3 convolution, BatchNorm with `norm`, ReLU); `bare`: the second is convolution alone."""
    layers: list[nn.Module] = []
    for source in (channels_in, channels_out):
        layers.append(nn.Conv2d(source, channels_out, 3, padding=1))
        if bare and len(layers) > 1:
            break
        layers += [nn.BatchNorm2d(channels_out)] if norm else []
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


class UNetEncoder(nn.Module):
    """`two_convolutions` at each width, with 2x2 max pooling between. bare_end: see there, for the last."""

    def __init__(self, channels_in: int, widths: list[int], *, norm: bool, bare_end: bool = False) -> None:
        super().__init__()
        steps = list(pairwise([channels_in, *widths]))
        self.blocks = nn.ModuleList(
            two_convolutions(a, b, norm, bare_end and index == len(steps) - 1)
            for index, (a, b) in enumerate(steps)
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, list[Tensor]]:
        """`(N, C, H, W)` to the features of the last width, and the skip features of the others."""
        skips: list[Tensor] = []
        features = pictures
        for index, block in enumerate(self.blocks):
            if index:
                skips.append(features)
                features = F.max_pool2d(features, 2)
            features = block(features)
        return features, skips


class UNetDecoder(nn.Module):
    """Doubles the size by transposed convolution, puts the skip beside it, `two_convolutions`; then tanh."""

    def __init__(self, channels_in: int, widths: list[int], channels_out: int, *, norm: bool) -> None:
        """channels_in: of what it is given. widths: the encoder's, whose last is that of the features."""
        super().__init__()
        down = list(reversed(widths[:-1]))
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in zip([channels_in, *down], down, strict=False)
        )
        self.blocks = nn.ModuleList(two_convolutions(2 * width, width, norm) for width in down)
        self.head = nn.Conv2d(widths[0], channels_out, 3, padding=1)

    def forward(self, features: Tensor, skips: list[Tensor]) -> Tensor:
        """Features and skips as from `UNetEncoder` to pictures `(N, channels_out, H, W)` in [-1, 1]."""
        for up, block, skip in zip(self.ups, self.blocks, reversed(skips), strict=True):
            features = block(torch.cat([up(features), skip], dim=1))
        return torch.tanh(self.head(features))
