"""The appearance model: a U-Net-type autoencoder whose skip connections come from the previous frame.

Section 3.1 and Fig. 1(a, b) of the paper. The encoder sees one background-subtracted frame and knows nothing
of any other; the decoder gets that frame's code and the skip features of the frame *before* it, so copying
the input through the skips is impossible.
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_block(channels_in: int, channels_out: int) -> nn.Sequential:
    """Two times (3x3 convolution, BatchNorm, leaky ReLU): `(N, in, H, W)` to `(N, out, H, W)`."""
    layers: list[nn.Module] = []
    for source in (channels_in, channels_out):
        layers += [
            nn.Conv2d(source, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.LeakyReLU(inplace=True),
        ]
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    """One frame to its latent code.

    Each block is a `conv_block` at width `base_width * 2 ** i`, then 2x2 max pooling. What stands before
    the pooling is the block's skip feature. Without `pool_last` the last block's output is the code itself.
    """

    def __init__(self, base_width: int, blocks: int, pool_last: bool) -> None:
        super().__init__()
        self.pools = blocks if pool_last else blocks - 1
        widths = [3, *(base_width * 2**i for i in range(blocks))]
        self.blocks = nn.ModuleList(conv_block(a, b) for a, b in pairwise(widths))

    def forward(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Background-subtracted frames `(N, 3, H, W)` in [-1, 1] to codes and skip features.

        Codes are `(N, C, h, w)`, see `Architecture.code_shape`. Skip features, one for each pooling, go from
        fine to coarse; the i-th is `(N, base_width * 2^i, H / 2^i, W / 2^i)`.
        """
        skips = []
        features = frames
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index < self.pools:
                skips.append(features)
                features = F.max_pool2d(features, 2)
        return features, skips


class Decoder(nn.Module):
    """A latent code and the previous frame's skip features to a frame.

    Each level doubles the resolution by a transposed convolution, puts the skip feature beside it, and
    runs a `conv_block`; a 1x1 convolution gives the three colour channels.
    """

    def __init__(self, base_width: int, blocks: int, pool_last: bool) -> None:
        super().__init__()
        widths = [base_width * 2**i for i in reversed(range(blocks if pool_last else blocks - 1))]
        sources = [base_width * 2 ** (blocks - 1), *widths[:-1]]
        self.ups = nn.ModuleList(
            nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in zip(sources, widths, strict=True)
        )
        self.blocks = nn.ModuleList(conv_block(2 * width, width) for width in widths)
        self.head = nn.Conv2d(base_width, 3, 1)

    def forward(self, codes: Tensor, previous_skips: list[Tensor]) -> Tensor:
        """Codes `(N, C, h, w)` and skips as from `Encoder` to background-subtracted frames `(N, 3, H, W)`."""
        features = codes
        for up, block, skip in zip(self.ups, self.blocks, reversed(previous_skips), strict=True):
            features = block(torch.cat([up(features), skip], dim=1))
        return cast(Tensor, self.head(features))
