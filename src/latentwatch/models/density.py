"""The autoregressive density of Abati et al. (CVPR 2019): each number, given all that come before it.

Order: by time, then by place in the code. The density of one number is a histogram over [0, 1].
"""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class MaskedLayer(nn.Conv1d):
    """A causal convolution over time (kernel 3) that connects all numbers of a code with each other.

    Features `(N, maps * code, T)`. At its own time, an output reads the numbers before its own, and with
    `itself` its own too; at the two earlier times, all.
    """

    mask: Tensor

    def __init__(self, maps_in: int, maps_out: int, code: int, *, itself: bool) -> None:
        super().__init__(maps_in * code, maps_out * code, 3)
        allowed = torch.ones(code, code).tril(0 if itself else -1)  # [output, input]
        mask = torch.ones_like(self.weight)
        mask[:, :, -1] = allowed.repeat(maps_out, maps_in)
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """`(N, maps_in * code, T)` to `(N, maps_out * code, T)`."""
        return F.conv1d(F.pad(features, (2, 0)), self.weight * self.mask, self.bias)

    def at_places(self, features: Tensor) -> Tensor:
        """The same at each of h x w places by itself, and without padding.

        `(N, maps_in * code, T, h, w)`, T of 3 or more, to `(N, maps_out * code, T - 2, h, w)`.
        """
        return F.conv3d(features, (self.weight * self.mask)[..., None, None], self.bias)


class Density(nn.Module):
    """The autoregressive density over codes `(N, T, D)`: logits of each number's histogram."""

    def __init__(self, code: int, hidden: tuple[int, ...], bins: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (a, b) in enumerate(pairwise([1, *hidden, bins])):
            layers += [MaskedLayer(a, b, code, itself=index > 0), nn.LeakyReLU()]
        self.layers = nn.Sequential(*layers[:-1])
        self._shape = (bins, code)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes `(N, T, D)` to logits `(N, bins, T, D)`."""
        logits = cast(Tensor, self.layers(codes.transpose(1, 2)))
        return logits.reshape(len(codes), *self._shape, codes.shape[1]).transpose(2, 3)


def negative_log_likelihood(logits: Tensor, codes: Tensor) -> Tensor:
    """In nats: logits `(N, bins, ...)` and numbers `(N, ...)` in [0, 1] to `(N, ...)`, each 0 or more.

    Between its two nearest bins (the first stands at 0, the last at 1) a number's log-likelihood is linear,
    so that the encoder has a gradient.
    """
    bins = logits.shape[1]
    place = codes.float() * (bins - 1)
    low = place.detach().floor().clamp(0, bins - 2)
    share = place - low
    log = torch.log_softmax(logits.float(), dim=1)
    below = log.gather(1, low.long()[:, None])[:, 0]
    above = log.gather(1, low.long()[:, None] + 1)[:, 0]
    return -((1 - share) * below + share * above)
