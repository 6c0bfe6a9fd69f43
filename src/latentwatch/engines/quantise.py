"""int8 by NNCF's post-training quantisation: the encoder and the motion step, as OpenVINO's files."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwatch.engines.graphs import GraphName, graph_of
from latentwatch.engines.openvino_engine import OpenvinoEngine, to_openvino
from latentwatch.engines.packages import first_line, require_nncf, require_openvino
from latentwatch.engines.stream import StepStream
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled


def quantise(model: Decoupled, runs: Sequence[NDArray[np.uint8]]) -> dict[GraphName, tuple[bytes, bytes]]:
    """Of the encoder and the step, the contents of `.xml` and `.bin` in int8.

    runs: consecutive frames `(T, H, W, 3)` of normal footage each, T above k, from which the ranges of the
    numbers are learned. Raises `MissingPackageError` without openvino or nncf, and `LatentwatchError` where a
    graph cannot be quantised.
    """
    nncf = require_nncf()
    # Not by nncf.set_log_level: it sets the level of handlers too, and these are everybody's.
    logging.getLogger("nncf").setLevel(logging.ERROR)
    engine = OpenvinoEngine(model, bf16=False)
    frames = [{"frames": frame[None]} for run in runs for frame in run]
    steps = _Steps(engine, model.architecture.k, [engine.encode(run) for run in runs])
    made: dict[GraphName, tuple[bytes, bytes]] = {}
    names: tuple[GraphName, ...] = ("encoder", "step")
    parts: tuple[Any, ...] = (frames, steps)
    for name, samples in zip(names, parts, strict=True):
        try:
            quantised = nncf.quantize(
                to_openvino(graph_of(model, name)),
                nncf.Dataset(samples),
                subset_size=len(samples),
                # Leaky ReLU leaves nearly positive numbers, of which a symmetric range would waste half.
                preset=nncf.QuantizationPreset.MIXED,
                # CPUs without VNNI add products in 16 bits, which overflow unless weights keep to 7.
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE),
            )
        except Exception as error:  # it raises many kinds
            raise LatentwatchError(f"NNCF cannot quantise the {name}: {first_line(error)}") from error
        made[name] = _files(quantised)
    return made


class _Steps:
    """What goes into the step once a run has given k codes. Made anew each time: all together are large."""

    def __init__(self, engine: OpenvinoEngine, k: int, runs: Sequence[NDArray[np.float32]]) -> None:
        self._engine, self._k, self._runs = engine, k, runs

    def __len__(self) -> int:
        return sum(len(codes) - self._k for codes in self._runs)

    def __iter__(self) -> Iterator[dict[str, NDArray[np.float32]]]:
        given: dict[str, NDArray[np.float32]] = {}

        def noted(due: NDArray[np.float32], newest: NDArray[np.float32]) -> Any:
            given.update(due=due, codes=newest)
            return self._engine.step(due, newest)

        for codes in self._runs:
            stream = StepStream(noted, self._k)
            for seen, code in enumerate(codes):
                stream.push(code)
                if seen >= self._k:
                    yield dict(given)


def _files(model: Any) -> tuple[bytes, bytes]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "graph.xml"
        require_openvino().save_model(model, path, compress_to_fp16=False)
        return path.read_bytes(), path.with_suffix(".bin").read_bytes()
