"""The two parts of the model that other runtimes get, as PyTorch modules with one input and one output.

Background subtraction and scaling are inside: what goes in is the frame's own bytes. Resizing is not, since
no runtime has Pillow's antialiased filter and the scores must not depend on the engine. Nor is the score: it
is a subtraction and a mean over two codes.
"""

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from latentwatch.errors import UsageError
from latentwatch.models.decoupled import Decoupled, foreground


class _Encoder(nn.Module):
    # It holds the encoder alone: a converter goes through every part that its module holds, used or not.
    background: Tensor

    def __init__(self, model: Decoupled) -> None:
        super().__init__()
        self.encoder = model.encoder
        self.register_buffer("background", model.background)

    def forward(self, frames: Tensor) -> Tensor:
        return cast(Tensor, self.encoder(foreground(frames, self.background))[0])


class _Motion(nn.Module):
    def __init__(self, model: Decoupled) -> None:
        super().__init__()
        self.motion = model.motion

    def forward(self, codes: Tensor) -> Tensor:
        return cast(Tensor, self.motion(codes.transpose(1, 2)))


@dataclass(frozen=True)
class Graph:
    """One part of the model. module: in evaluation mode. example: an input of it, with N = 2.

    input, output: what tensors are called in an exported file. shape_in, shape_out: without N.
    """

    name: Literal["encoder", "motion"]
    module: nn.Module
    example: Tensor
    input: str
    output: str
    shape_in: tuple[int, ...]
    shape_out: tuple[int, ...]


def graphs_of(model: Decoupled) -> tuple[Graph, Graph]:
    """The encoder, uint8 `(N, H, W, 3)` to codes, and the motion model, `(N, k, C, h, w)` to predicted codes.

    They share the model's weights. Raises `UsageError` for a motion model that does not predict.
    """
    architecture = model.architecture
    if not model.motion.predicts:
        raise UsageError(f"motion model {architecture.motion}: runs on PyTorch alone; it cannot be exported")
    picture, code = (*architecture.size, 3), architecture.code_shape
    window = (architecture.k, *code)
    # N = 2 because tracing takes a 1 for a constant.
    frames, codes = torch.zeros(2, *picture, dtype=torch.uint8), torch.zeros(2, *window)
    return (
        Graph("encoder", _Encoder(model).eval(), frames, "frames", "codes", picture, code),
        Graph("motion", _Motion(model).eval(), codes, "codes", "code", window, code),
    )
