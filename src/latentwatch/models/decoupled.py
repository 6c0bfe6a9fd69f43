"""The whole model of the paper: appearance, motion and the background that both are blind to."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import Tensor, nn

from latentwatch.models.appearance import Decoder, Encoder
from latentwatch.models.autoregressive import AutoregressiveMotion
from latentwatch.models.conv_lstm import ConvLstmMotion
from latentwatch.models.motion import Conv3dMotion, MotionModel
from latentwatch.models.presets import Architecture, Motion

MOTION_MODELS: dict[Motion, type[Conv3dMotion | ConvLstmMotion | AutoregressiveMotion]] = {
    "conv3d": Conv3dMotion,
    "conv-lstm": ConvLstmMotion,
    "autoregressive": AutoregressiveMotion,
}
"""The motion models of Table 5 by name."""


class Decoupled(nn.Module):
    """Encoder, decoder, motion model, and the per-pixel mean background `(3, H, W)` in [0, 1]."""

    background: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        channels = architecture.code_shape[0]
        self.encoder = Encoder(architecture.base_width, architecture.blocks, architecture.pool_last)
        self.decoder = Decoder(architecture.base_width, architecture.blocks, architecture.pool_last)
        self.motion: MotionModel = MOTION_MODELS[architecture.motion](channels)
        self.register_buffer("background", torch.zeros(3, *architecture.size))
        # Measured on 2 CPU cores: a training step of the 2-D parts takes 60 ms a frame so, 79 without.
        for part in (self.encoder, self.decoder):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def appearance_parameters(self) -> Iterator[nn.Parameter]:
        """The weights of encoder and decoder."""
        yield from self.encoder.parameters()
        yield from self.decoder.parameters()

    def foreground(self, rgb: Tensor) -> Tensor:
        """uint8 frames `(N, H, W, 3)` to background-subtracted frames `(N, 3, H, W)` in [-1, 1]."""
        return foreground(rgb, self.background)

    def encode(self, frames: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Background-subtracted frames `(N, 3, H, W)` to codes `(N, C, h, w)` and skip features."""
        return cast(tuple[Tensor, list[Tensor]], self.encoder(frames))

    def decode(self, codes: Tensor, previous_skips: list[Tensor]) -> Tensor:
        """Codes and the skip features of the frame before each to frames `(N, 3, H, W)`."""
        return cast(Tensor, self.decoder(codes, previous_skips))

    def predict(self, codes: Tensor) -> Tensor:
        """Windows of codes `(N, k, C, h, w)`, oldest first, to predicted codes `(N, C, h, w)`.

        Of a motion model that does not predict: what its `errors` need of the past.
        """
        return cast(Tensor, self.motion(codes.transpose(1, 2)))


def foreground(rgb: Tensor, background: Tensor) -> Tensor:
    """uint8 frames `(N, H, W, 3)` less the background `(3, H, W)`: `(N, 3, H, W)` in [-1, 1]."""
    # A permuted (N, H, W, 3) tensor already has the channels-last layout: no copy is made.
    return rgb.permute(0, 3, 1, 2).float() / 255 - background


def windows(codes: Tensor, k: int, horizon: int) -> Tensor:
    """All windows that have a target inside consecutive codes.

    Codes `(T, C, h, w)` to `(T - k - horizon + 1, k, C, h, w)`; window i reads codes i to i + k - 1 and its
    target is code i + k - 1 + horizon. Raises `ValueError` where T is too small for one window.
    """
    count = len(codes) - k - horizon + 1
    if count < 1:
        raise ValueError(f"{len(codes)} codes hold no window of {k} codes and horizon {horizon}")
    index = torch.arange(count)[:, None] + torch.arange(k)
    return codes[index]
