"""MemAE: a 3-D convolutional autoencoder that may rebuild a clip from memory alone.

Gong, Liu, Le, Saha, Mansour, Venkatesh and van den Hengel, *Memorizing normality to detect anomaly* (ICCV
2019). Departures:

- The score is the error of the newest of the 16 frames, so that it comes without delay; the paper's is that
  of the clip.
- Normal footage is rebuilt from grey frames at an input size that is a setting, not 256x256. The
  reconstruction loss is a mean over values; the entropy's weight is the paper's, 0.0002.
- The threshold of hard shrinkage is 1/N, the low end of what the paper recommends (1/N to 3/N).
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.baselines.scorer import Baseline, BaselineSettings, scaled, squared_error

ITEMS = 2000
ENTROPY = 0.0002
"""Weight of the entropy loss beside the reconstruction's 1."""


class MemAE(Baseline):
    """16 grey frames down to 2x(H/16)x(W/16) features, each replaced by what the memory has of it.

    memory: `(2000, D)`, trained by gradient; D = 256 at the paper's width.
    """

    name = "mem-ae"
    clip_length = 16
    grey = True
    multiple = 16
    learning_rate = 1e-4
    batch = 2

    def __init__(self, settings: BaselineSettings) -> None:
        super().__init__(settings)
        widths = scaled(settings, (96, 128, 256, 256))
        strides = [(1, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2)]
        down: list[nn.Module] = []
        for (a, b), stride in zip(pairwise([1, *widths]), strides, strict=True):
            down += [nn.Conv3d(a, b, 3, stride=stride, padding=1), nn.BatchNorm3d(b), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*down)
        up: list[nn.Module] = []
        ends = [256, 128, 96]
        targets = [*scaled(settings, ends), 1]
        for (a, b), stride in zip(pairwise([widths[-1], *targets]), reversed(strides), strict=True):
            more = (stride[0] - 1, stride[1] - 1, stride[2] - 1)  # so that the size is exactly multiplied
            up.append(nn.ConvTranspose3d(a, b, 3, stride=stride, padding=1, output_padding=more))
            up += [nn.BatchNorm3d(b), nn.LeakyReLU(0.2)]
        self.decoder = nn.Sequential(*up[:-2])  # the last layer is convolution alone
        deviation = widths[-1] ** -0.5
        self.memory = nn.Parameter(torch.empty(ITEMS, widths[-1]).uniform_(-deviation, deviation))

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips `(N, 16, 1, H, W)` rebuilt, same shape, and the addressing `(N, 2 * h * w, 2000)`."""
        features = self.encoder(clips.transpose(1, 2)).float()
        queries = features.flatten(2).transpose(1, 2)
        with torch.autocast("cpu", enabled=False):
            weights = addressing(queries, self.memory, 1 / ITEMS)
            recalled = (weights @ self.memory).transpose(1, 2).reshape(features.shape)
        return cast(Tensor, self.decoder(recalled)).transpose(1, 2), weights

    def loss(self, batch: Tensor) -> Tensor:
        """Squared error of the clip, and the entropy of the addressing."""
        made, weights = self(batch)
        return squared_error(made, batch).mean() + ENTROPY * entropy(weights)

    def terms(self, clips: Tensor) -> Tensor:
        """Squared error of the newest frame: `(N, 1)`."""
        return squared_error(self(clips)[0][:, -1], clips[:, -1])[:, None]


def addressing(queries: Tensor, memory: Tensor, threshold: float) -> Tensor:
    """Queries `(..., D)` and memory `(M, D)` to sparse weights `(..., M)` of sum 1.

    A softmax of the cosine similarity; what is below `threshold` becomes 0 (in the paper's
    differentiable form); the rest is brought to sum 1.
    """
    weights = torch.softmax(F.normalize(queries, dim=-1) @ F.normalize(memory, dim=-1).T, dim=-1)
    above = weights - threshold
    return F.normalize(F.relu(above) * weights / (above.abs() + 1e-12), p=1, dim=-1)


def entropy(weights: Tensor) -> Tensor:
    """Entropy in nats of weights `(..., M)` of sum 1, mean over all but M."""
    return -(weights * (weights + 1e-12).log()).sum(dim=-1).mean()
