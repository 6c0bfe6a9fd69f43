"""The parts of the model that other runtimes get, as PyTorch modules that know their inputs and outputs.

Background subtraction and scaling are inside: what goes in is the frame's own bytes. Resizing is not: not all
runtimes have Pillow's antialiased filter, and the scores must not depend on the engine. Nor is the score: it
is a subtraction and a mean over two codes.
"""

from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn

from latentwatch.errors import UsageError
from latentwatch.models.decoupled import Decoupled, foreground
from latentwatch.models.incremental import MotionStep, waits
from latentwatch.models.motion import Conv3dMotion

GraphName = Literal["encoder", "motion", "step"]


@dataclass(frozen=True)
class Port:
    """A tensor that goes in or comes out: its name in an exported file, its type, its shape without N."""

    name: str
    shape: tuple[int, ...]
    type: Literal["uint8", "float32"] = "float32"


@dataclass(frozen=True)
class Graph:
    """One part of the model. module: in evaluation mode, its arguments and results in the ports' order."""

    name: GraphName
    module: nn.Module
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    @property
    def example(self) -> tuple[Tensor, ...]:
        """Zeros that go in, with N = 2, because tracing takes a 1 for a constant."""
        return tuple(torch.zeros(2, *port.shape, dtype=getattr(torch, port.type)) for port in self.inputs)


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


def graph_names(model: Decoupled) -> tuple[GraphName, ...]:
    """The encoder; the motion model on whole windows; for Conv3D, the same taking one code at a time.

    Raises `UsageError` for a motion model that does not predict.
    """
    if not model.motion.predicts:
        raise UsageError(f"motion model {model.architecture.motion}: runs on PyTorch alone, not exported")
    return ("encoder", "motion", "step") if isinstance(model.motion, Conv3dMotion) else ("encoder", "motion")


def graph_of(model: Decoupled, name: GraphName) -> Graph:
    """The part called `name`, one of `graph_names`. All but the step share the model's weights."""
    architecture = model.architecture
    code = architecture.code_shape
    predicted = Port("code", code)
    if name == "encoder":
        frames = Port("frames", (*architecture.size, 3), "uint8")
        return Graph(name, _Encoder(model).eval(), (frames,), (Port("codes", code),))
    if name == "motion":
        windows = Port("codes", (architecture.k, *code))
        return Graph(name, _Motion(model).eval(), (windows,), (predicted,))
    assert isinstance(model.motion, Conv3dMotion)
    step = MotionStep(model.motion, architecture.k).eval()
    terms = (len(waits(architecture.k)), *code)
    return Graph(name, step, (Port("due", terms), Port("codes", code)), (Port("terms", terms), predicted))
