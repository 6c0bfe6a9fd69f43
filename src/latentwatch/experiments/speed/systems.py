"""Who races: every system, at its input size, on an engine, with random weights."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from rich import get_console

from latentwatch.baselines.registry import build
from latentwatch.baselines.scorer import Baseline, BaselineSettings, Scorer
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.engines.choose import has_int8, open_engine
from latentwatch.engines.graphs import GraphName
from latentwatch.engines.names import EngineName
from latentwatch.engines.openvino_core import openvino_has_bf16
from latentwatch.engines.openvino_engine import Int8Engine
from latentwatch.engines.quantise import quantise
from latentwatch.engines.stream import MotionStream, WindowStream
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.experiments.speed.openvino_baseline import OpenvinoBaseline
from latentwatch.experiments.speed.race import Lap
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import TABLE1, Precision, preset
from latentwatch.scoring.decoupled_scorer import DecoupledScorer

OURS = "decoupled"

FRAMES = 16
"""Frames of the street that a racer sees over and over."""

Int8Graphs = dict[GraphName, tuple[bytes, bytes]]
"""What `engines.quantise` gives."""


@dataclass(frozen=True)
class Racer:
    """A system of the race.

    width: ours, of `models.presets.WIDTHS`; the others have their papers' own.
    dataset: whose size of Table 1 it has. engine: torch or openvino. precision: int8 is for ours alone.
    """

    system: str
    width: str
    dataset: str
    engine: EngineName
    precision: Precision = "fp32"

    @property
    def size(self) -> str:
        """Input size as `HEIGHTxWIDTH`."""
        return f"{TABLE1[self.dataset]['height']}x{TABLE1[self.dataset]['width_px']}"

    @property
    def runs_on(self) -> str:
        """Engine and precision."""
        return f"{self.engine} {self.precision}"

    def __str__(self) -> str:
        return f"{self.system} {self.width}, {self.dataset}, {self.runs_on}"

    @property
    def is_ours(self) -> bool:
        """Whether it is our system."""
        return self.system == OURS

    def network(self) -> torch.nn.Module:
        """The network in evaluation mode with random weights, without what only training needs."""
        torch.manual_seed(0)
        if self.is_ours:
            return Decoupled(preset(self.dataset, self.width)).eval()
        height, width = TABLE1[self.dataset]["height"], TABLE1[self.dataset]["width_px"]
        baseline = build(BaselineSettings(system=self.system, height=height, width_px=width))
        baseline.critic = None
        return baseline.eval()

    def scorer(self, graphs: Int8Graphs | None = None) -> Scorer:
        """Ready to score. Raises `LatentwatchError` where the engine cannot have it.

        graphs: of `int8_graphs`, for a racer in int8.
        """
        network = self.network()
        if isinstance(network, Decoupled):
            if self.precision == "int8":
                assert graphs is not None
                return DecoupledScorer(network, Int8Engine(network, graphs))
            engine = open_engine(network, self.engine, bf16=self.precision == "bf16")
            return DecoupledScorer(network, engine)
        assert isinstance(network, Baseline)
        if self.engine == "torch":
            return network
        return OpenvinoBaseline(network, self.precision)


def racers(datasets: Sequence[str], widths: Sequence[str], systems: Sequence[str]) -> list[Racer]:
    """Ours at `widths`, and `systems`, at the input sizes of `datasets`, on all engines that all have.

    The baselines are the same for data sets of the same input size: they race once for it. Ours is there in
    int8 too, where NNCF is installed.
    """
    made = []
    seen: set[str] = set()
    for dataset in datasets:
        for engine, precision in formats():
            ours = [Racer(OURS, width, dataset, engine, precision) for width in widths]
            made += ours
            if ours[0].size not in seen:
                made += [Racer(system, "paper", dataset, engine, precision) for system in systems]
        if has_int8():
            made += [Racer(OURS, width, dataset, "openvino", "int8") for width in widths]
        seen.add(made[-1].size)
    return made


def formats() -> list[tuple[EngineName, Precision]]:
    """Engines and precisions that all systems have on this machine.

    Raises `MissingPackageError` without openvino.
    """
    found: list[tuple[EngineName, Precision]] = [("torch", "fp32"), ("openvino", "fp32")]
    if openvino_has_bf16():
        found.append(("openvino", "bf16"))
    return found


def street_frames(size: tuple[int, int], count: int = FRAMES) -> list[NDArray[np.uint8]]:
    """Frames of the built-in street, uint8 `(height, width, 3)`."""
    clip = street_dataset(train_clips=1, test_clips=0, frames=count, size=size).train[0]
    with clip.open() as frames:
        return [frame.rgb for frame in frames]


def int8_graphs(model: Decoupled) -> Int8Graphs:
    """A model in int8, its ranges learned from a few frames of the street: for speed they do not matter.

    Raises as `quantise` does.
    """
    console = get_console()  # NNCF shows its progress there, between the lines of the caller's own
    quiet, console.quiet = console.quiet, True
    try:
        return quantise(model, [np.stack(street_frames(model.architecture.size))])
    finally:
        console.quiet = quiet


def warmed(scorer: Scorer, frames: list[NDArray[np.uint8]]) -> Lap:
    """Scoring of one more frame, with all frames seen that a score needs."""
    index = 0

    def lap() -> float | None:
        nonlocal index
        index += 1
        return scorer.step(frames[index % len(frames)])

    for _ in range(scorer.frames_needed):
        lap()
    return lap


def use_threads(threads: int | None) -> int:
    """Sets the threads of all engines, all cores if None; gives their number."""
    torch.set_num_threads(threads or os.cpu_count() or 1)
    return torch.get_num_threads()


class DenseTorch(TorchEngine):
    """PyTorch, eager, with the motion model as the paper has it: on a whole window for every frame."""

    def stream(self, k: int) -> MotionStream:
        """See `Engine.stream` and the class."""
        return WindowStream(self.predict, k)
