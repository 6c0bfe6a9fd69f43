"""MNAD: a U-Net that predicts the next frame by way of a memory of ten normal patterns.

Park, Noh and Ham, *Learning memory-guided normality for anomaly detection* (CVPR 2020), the prediction form.
Departures:

- The memory is written in training alone. The paper goes on writing it in testing, gated by a score of each
  frame; here the score of a frame depends on its clip only.
- Both terms of the score are standardised by held-out footage instead of scaled within a test clip.
- Distances in the losses of compactness and separateness are squared; in compactness it is the mean over the
  query's values, as in the authors' code. Both are means over queries.
- Gradients reach the encoder by way of the reading weights too, which the authors' code detaches.
- Transposed convolutions are 2x2, with no BatchNorm and ReLU; the authors' are 3x3, with both.
- The input size is a setting, not 256x256; the prediction loss is a mean over values.
"""

from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from latentwatch.baselines.scorer import Baseline, BaselineSettings, negative_psnr, scaled, squared_error
from latentwatch.baselines.unet import UNetDecoder, UNetEncoder, two_convolutions

ITEMS = 10
COMPACTNESS, SEPARATENESS = 0.1, 0.1
"""Weights of the losses of the memory beside the prediction's 1."""
MARGIN = 1.0
"""Of the separateness loss."""


class Mnad(Baseline):
    """Four frames to the fifth, the bottleneck's features joined by what they recall from the memory.

    memory: `(10, D)`, items of length 1; D = 512 at the paper's width.
    """

    name = "mnad"
    clip_length = 5
    grey = False
    multiple = 16
    term_weights = (0.6, 0.4)
    learning_rate = 2e-4
    memory: Tensor

    def __init__(self, settings: BaselineSettings) -> None:
        super().__init__(settings)
        widths = scaled(settings, (64, 128, 256, 512))
        self.encoder = UNetEncoder(3 * (self.clip_length - 1), widths, norm=True, bare_end=True)
        self.join = two_convolutions(2 * widths[-1], widths[-1], norm=True)
        self.decoder = UNetDecoder(widths[-1], widths, 3, norm=True)
        self.register_buffer("memory", F.normalize(torch.randn(ITEMS, widths[-1]), dim=1))

    def forward(self, clips: Tensor) -> tuple[Tensor, Tensor]:
        """Clips `(N, 5, 3, H, W)` to predictions `(N, 3, H, W)` in [-1, 1] and queries `(N, h * w, D)`."""
        features, skips = self.encoder(clips[:, :-1].flatten(1, 2))
        features = F.normalize(features.float(), dim=1)
        queries = features.flatten(2).transpose(1, 2)
        with torch.autocast("cpu", enabled=False):
            recalled = (read_weights(queries, self.memory) @ self.memory).transpose(1, 2)
        joined = torch.cat([features, recalled.reshape(features.shape)], dim=1)
        return cast(Tensor, self.decoder(self.join(joined), skips)), queries

    def loss(self, batch: Tensor) -> Tensor:
        """Losses of prediction, compactness and separateness. In training mode it also writes the memory."""
        made, queries = self(batch)
        flat = queries.flatten(0, 1)
        with torch.autocast("cpu", enabled=False):
            compactness, separateness = memory_losses(flat, self.memory)
            if self.training:
                # A new tensor: the graph of this loss holds the old one.
                self.memory = written(flat.detach(), self.memory)
        prediction = squared_error(made, batch[:, -1]).mean()
        return prediction + COMPACTNESS * compactness + SEPARATENESS * separateness

    def terms(self, clips: Tensor) -> Tensor:
        """-PSNR of the prediction, and distance of the queries to their nearest items: `(N, 2)`."""
        made, queries = self(clips)
        nearest = self.memory[(queries @ self.memory.T).argmax(dim=2)]
        distance = (queries - nearest).norm(dim=2).mean(dim=1)
        return torch.stack([negative_psnr(made, clips[:, -1]), distance], dim=1)


def read_weights(queries: Tensor, memory: Tensor) -> Tensor:
    """How much of each item each query reads.

    Queries `(..., Q, D)` and memory `(M, D)` to weights `(..., Q, M)`, whose sum over M is 1.
    """
    return torch.softmax(queries @ memory.T, dim=-1)


def written(queries: Tensor, memory: Tensor) -> Tensor:
    """The memory after the queries `(Q, D)` nearest to each of its items `(M, D)` joined it.

    An item gains its queries, each weighted by its similarity (a softmax over all queries) as a share of the
    largest among them, and is brought back to length 1.
    """
    similarity = queries @ memory.T
    mine = F.one_hot(similarity.argmax(dim=1), len(memory)).to(queries.dtype)
    weights = torch.softmax(similarity, dim=0) * mine
    weights = weights / weights.amax(dim=0).clamp_min(1e-12)
    return F.normalize(memory + weights.T @ queries, dim=1)


def memory_losses(queries: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Means over the queries `(Q, D)`: compactness and separateness, both 0 or more.

    Compactness: squared distance to the nearest item. Separateness: how far that distance exceeds the one to
    the second nearest less a margin of 1.
    """
    first, second = (memory[index] for index in (queries @ memory.T).topk(2, dim=1).indices.unbind(1))
    compactness = (queries - first).square().mean(dim=1).mean()
    near, far = (queries - first).square().sum(dim=1), (queries - second).square().sum(dim=1)
    return compactness, (near - far + MARGIN).clamp_min(0).mean()
