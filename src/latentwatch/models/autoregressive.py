"""The autoregressive motion model of Table 5: how likely is the observed code, given k codes before it?

Density layers of Abati et al. (CVPR 2019, see `models.density`), in the place of a prediction. As published
they work on a vector of 64 numbers in (0, 1) that stands for a whole clip. Here the code has places, so:

- A place has a density of its own, with the same weights everywhere: C numbers, each given all C numbers of
  the past codes at that place and the earlier ones of its own. One 3x3 convolution block over each past code
  comes first, so that the past of the neighbouring places is known too. Places of the observed code are
  independent of each other, given the past.
- Numbers are standardised by channel (BatchNorm without weights) and brought to (0, 1) by a sigmoid. So the
  encoder cannot lower the loss by shrinking its codes.
- A histogram has 16 bins instead of 100, which at C = 128 keeps the cost near the Conv3D model's.
- The observed code lies `horizon` steps after the last one read, as for the other motion models.

It predicts no code, and so there is no frame to decode (Table 5 has no P-MSE for it either).
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.models.density import Density, MaskedLayer, negative_log_likelihood
from latentwatch.models.motion import MotionModel

BINS = 16
"""Of the histogram of one number."""
HIDDEN = (2, 2, 2)
"""Feature maps of the density's hidden layers. With four layers in all, 8 past codes are read."""


class AutoregressiveMotion(MotionModel):
    """Errors are negative log-likelihoods in nats."""

    predicts = False
    error_name = "negative log-likelihood"

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.standardise = nn.BatchNorm3d(channels, affine=False)
        self.around = nn.Sequential(
            nn.Conv3d(channels, channels, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(channels),
            nn.LeakyReLU(inplace=True),
        )
        self.density = Density(channels, HIDDEN, BINS)
        self._widths = [2 * channels * maps for maps in (1, *HIDDEN)]

    def forward(self, codes: Tensor) -> Tensor:
        """Codes `(N, C, k, h, w)`, k up to 8, to what the density's layers keep of them: `(N, F, h, w)`.

        A layer reads two times before the newest: of each layer's input it is the last two times.
        """
        features = self.around(self._numbers(codes))
        times = 2 * len(self._widths)
        features = F.pad(features, (0, 0, 0, 0, times - features.shape[2], 0))
        kept = [features[:, :, -2:]]
        for layer in self._layers()[:-1]:
            features = F.leaky_relu(layer.at_places(features))
            kept.append(features[:, :, -2:])
        return torch.cat([each.flatten(1, 2) for each in kept], dim=1)

    def errors(self, expected: Tensor, observed: Tensor) -> Tensor:
        """See `MotionModel.errors`: the negative log-likelihood of each element, in nats."""
        numbers = self._numbers(observed[:, :, None])
        features = numbers
        past = torch.split(expected, self._widths, dim=1)
        for index, (layer, before) in enumerate(zip(self._layers(), past, strict=True)):
            before = before.reshape(len(before), -1, 2, *before.shape[2:])
            features = layer.at_places(torch.cat([before, features.to(before.dtype)], dim=2))
            if index < len(past) - 1:
                features = F.leaky_relu(features)
        logits = features.reshape(len(features), BINS, *numbers.shape[1:2], *numbers.shape[3:])
        return negative_log_likelihood(logits, numbers[:, :, 0])

    def _layers(self) -> Sequence[MaskedLayer]:
        return [layer for layer in self.density.layers if isinstance(layer, MaskedLayer)]

    def _numbers(self, codes: Tensor) -> Tensor:
        with torch.autocast(codes.device.type, enabled=False):  # bfloat16 is hardly finer than the bins
            return torch.sigmoid(cast(Tensor, self.standardise(codes.float())))
