"""Our system in parts, on each engine: encoder, dense motion model, motion step, and the whole."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from latentwatch.engines.choose import formats_here, has_int8, open_engine
from latentwatch.engines.engine import Engine
from latentwatch.engines.openvino_engine import Int8Engine
from latentwatch.engines.stream import MotionStream, StepStream, WindowStream
from latentwatch.experiments.speed.race import Lap
from latentwatch.experiments.speed.systems import DenseTorch, Racer, int8_graphs, street_frames, warmed
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture, preset
from latentwatch.scoring.decoupled_scorer import DecoupledScorer

DATASET = "ped2"

BASELINE = "torch fp32 dense"
"""What the best engine is compared with: PyTorch, eager, fp32, a whole window for every frame."""


@dataclass(frozen=True)
class Part:
    """name: encoder, dense or step (the motion model of a stream), or whole (a frame in, a score out).

    engine: engine and precision.
    """

    name: str
    width: str
    k: int
    engine: str

    def __str__(self) -> str:
        return f"{self.name} {self.width} k={self.k} {self.engine}"


def part_runners(widths: list[str]) -> dict[Part, Lap]:
    """The parts at each width, on all engines that are installed, in all formats of this machine.

    At the first width all but the whole is there for k = 6 too. In int8 there is neither that nor a dense
    motion model. Raises `LatentwatchError` where an engine cannot have the model.
    """
    runners: dict[Part, Lap] = {}
    for width in widths:
        base = preset(DATASET, width)
        model = _model(width)
        frames = street_frames(base.size)
        for engine in _engines(model):
            runs_on = str(engine)
            runners[Part("encoder", width, base.k, runs_on)] = _encoder(engine, frames[0])
            if engine.precision != "int8":  # quantised are the encoder and the step
                runners[Part("dense", width, base.k, runs_on)] = _dense(engine, base)
            runners[Part("step", width, base.k, runs_on)] = _step(engine, base)
            runners[Part("whole", width, base.k, runs_on)] = warmed(DecoupledScorer(model, engine), frames)
            if width == widths[0] and engine.precision != "int8":
                other = base.model_copy(update={"k": 6})
                shorter = open_engine(Decoupled(other).eval(), engine.name, bf16=engine.precision == "bf16")
                runners[Part("encoder", width, 6, runs_on)] = _encoder(shorter, frames[0])
                runners[Part("dense", width, 6, runs_on)] = _dense(shorter, other)
                runners[Part("step", width, 6, runs_on)] = _step(shorter, other)
        dense = DecoupledScorer(model, DenseTorch(model))
        runners[Part("whole", width, base.k, BASELINE)] = warmed(dense, frames)
    for lap in runners.values():
        lap()  # an engine converts a graph when it is first asked for
    return runners


def _engines(model: Decoupled) -> Iterator[Engine]:
    for name, precision in formats_here():
        yield open_engine(model, name, bf16=precision == "bf16")
    if has_int8():
        yield Int8Engine(model, int8_graphs(model))


def _model(width: str) -> Decoupled:
    network = Racer("decoupled", width, DATASET, "torch").network()
    assert isinstance(network, Decoupled)
    return network


def _encoder(engine: Engine, frame: np.ndarray) -> Lap:
    return lambda: engine.encode(frame[None])


def _dense(engine: Engine, architecture: Architecture) -> Lap:
    return _pushed(WindowStream(engine.predict, architecture.k), architecture)


def _step(engine: Engine, architecture: Architecture) -> Lap:
    return _pushed(StepStream(engine.step, architecture.k), architecture)


def _pushed(stream: MotionStream, architecture: Architecture) -> Lap:
    """One more code of a stream that predicts, what is gathered for the model counted in."""
    shape = (architecture.k, *architecture.code_shape)
    codes = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for code in codes:
        stream.push(code)
    return lambda: stream.push(codes[0])
