"""The settings of the networks, and the paper's design choices for each data set (Table 1)."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

HORIZON = 6
"""How many steps ahead the motion model predicts (the paper's Fig. 1: t = k + 6)."""

Precision = Literal["fp32", "bf16", "int8"]
"""Number format of the arithmetic. Frames, codes and scores are the same for all."""

Motion = Literal["conv3d", "conv-lstm", "autoregressive"]
"""The motion models that the paper compares (Table 5); Conv3D is the paper's own."""

Reconstruction = Literal["mse", "gdl", "ssim", "mse+gdl", "mse+ssim", "mse+gdl+ssim"]
"""What the first term of Eq. 1 measures (Table 4); see `models.losses`."""

WIDTHS = {"paper": 32, "small": 16, "tiny": 8}
"""Channels of the first encoder block; they double with each block."""

DEFAULT_WIDTH = "tiny"
"""The width of `train`, `enrol` and the API: on Ped2 as accurate as `small` at less than half its cost."""


class Architecture(BaseModel):
    """Everything that decides the shape of the weights.

    A frame of `height` x `width_px` pixels becomes a latent code of `code_shape` = `(C, h, w)`, where
    `C = base_width * 2 ** (blocks - 1)`. The motion model reads `k` codes and predicts the one that lies
    `horizon` steps after the last of them; "autoregressive" says how likely that one was instead.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    height: int = Field(128, ge=16, le=2048)
    width_px: int = Field(192, ge=16, le=2048)
    k: Literal[6, 8] = 8
    horizon: int = Field(HORIZON, ge=1, le=64)
    blocks: int = Field(4, ge=2, le=6)
    base_width: int = Field(WIDTHS[DEFAULT_WIDTH], ge=1, le=256)
    pool_last: bool = False
    """Whether the last block is followed by pooling too: for four blocks, a place of the code then stands for
    16x16 pixels of the input instead of 8x8. The coarser code tells speeds apart less well."""
    motion: Motion = "conv3d"

    @model_validator(mode="after")
    def _divisible(self) -> Self:
        step = self.stride
        if self.height % step or self.width_px % step:
            raise ValueError(
                f"input size {self.height}x{self.width_px} must be a multiple of {step} "
                f"in both directions for {self.blocks} encoder blocks"
            )
        return self

    @property
    def stride(self) -> int:
        """Pixels of the input, in each direction, that one place of the code stands for."""
        return int(2 ** (self.blocks if self.pool_last else self.blocks - 1))

    @property
    def size(self) -> tuple[int, int]:
        """Input size as `(height, width)` in pixels."""
        return self.height, self.width_px

    @property
    def code_shape(self) -> tuple[int, int, int]:
        """Shape `(C, h, w)` of one latent code."""
        channels = self.base_width * 2 ** (self.blocks - 1)
        return channels, self.height // self.stride, self.width_px // self.stride

    @property
    def span(self) -> int:
        """Frames from the first code that a prediction reads to the frame that it predicts, both counted."""
        return self.k + self.horizon

    @property
    def warm_up(self) -> int:
        """Frames at the start of a clip that get no score: k + horizon - 1."""
        return self.span - 1


TABLE1: dict[str, dict[str, int]] = {
    "ped1": {"height": 128, "width_px": 192, "k": 8, "blocks": 5},
    "ped2": {"height": 128, "width_px": 192, "k": 8, "blocks": 4},
    "avenue": {"height": 128, "width_px": 224, "k": 6, "blocks": 4},
    "shanghaitech": {"height": 128, "width_px": 224, "k": 6, "blocks": 4},
    "moving-mnist": {"height": 64, "width_px": 64, "k": 8, "blocks": 4},
}
"""Input size, number of input frames and of encoder blocks for each data set (Table 1).

Moving MNIST is not in the table: the paper says it uses the same model; its frame size is the set's own.
"""


def preset(dataset: str, width: str = DEFAULT_WIDTH) -> Architecture:
    """The architecture of Table 1 for `dataset`, at the width called `width` (see `WIDTHS`).

    Raises `KeyError` for an unknown name of either.
    """
    return Architecture.model_validate({**TABLE1[dataset], "base_width": WIDTHS[width]})
