"""Writes the parts of the model as files for another runtime, with what a deployer must know."""

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from latentwatch.engines.graphs import Graph, Port, graph_names, graph_of
from latentwatch.engines.onnx_engine import to_onnx
from latentwatch.engines.openvino_engine import to_openvino
from latentwatch.engines.packages import require_openvino
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.incremental import waits

Target = Literal["onnx", "openvino"]

SCHEMA = 3
"""Version of the JSON's form."""


def export_model(
    model: Decoupled,
    target: Target,
    folder: Path,
    *,
    source: Path,
    fps: float,
    thresholds: Mapping[str, float],
) -> Path:
    """Writes each of `graph_names` in the form of `target` and `TARGET.json` into `folder`; gives the JSON.

    source: the model file, for its name and checksum. fps: frames a second that the model was trained at.
    thresholds: scores above which a frame, and a place, are unusual. Weights are fp32. The JSON is written
    last, so that files beside one belong to it. Raises `UsageError` for a motion model that does not predict,
    `MissingPackageError` without the target's package, and `LatentwatchError` where a graph cannot be
    converted or a file written.
    """
    parts = [graph_of(model, name) for name in graph_names(model)]
    writers = [_onnx_writer(part) if target == "onnx" else _openvino_writer(part) for part in parts]
    description = folder / f"{target}.json"
    try:
        # Written beside the place first: a failure half-way leaves an older export as it was.
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=".export-", dir=folder) as made:
            files = [path for write in writers for path in write(Path(made))]
            facts = {
                "schema_version": SCHEMA,
                "format": target,
                **_facts(model, parts, files),
                "fps": fps,
                "thresholds": dict(thresholds),
                "source": {"file": source.name, "sha256": _sha256(source)},
                "made_by": {name: version(name) for name in ("latentwatch", "torch", target)},
            }
            description.unlink(missing_ok=True)
            for path in files:
                path.replace(folder / path.name)
        description.write_text(json.dumps(facts, indent=2) + "\n")
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot write the export: {error.strerror}") from error
    return description


def _onnx_writer(graph: Graph) -> Callable[[Path], list[Path]]:
    contents = to_onnx(graph)

    def write(folder: Path) -> list[Path]:
        path = folder / f"{graph.name}.onnx"
        path.write_bytes(contents)
        return [path]

    return write


def _openvino_writer(graph: Graph) -> Callable[[Path], list[Path]]:
    converted = to_openvino(graph)

    def write(folder: Path) -> list[Path]:
        path = folder / f"{graph.name}.xml"
        require_openvino().save_model(converted, path, compress_to_fp16=False)
        return [path, path.with_suffix(".bin")]

    return write


def _facts(model: Decoupled, parts: list[Graph], files: list[Path]) -> dict[str, Any]:
    architecture = model.architecture
    graphs: dict[str, Any] = {
        part.name: {
            "file": next(path.name for path in files if path.stem == part.name),
            "inputs": [_described(port) for port in part.inputs],
            "outputs": [_described(port) for port in part.outputs],
        }
        for part in parts
    }
    if "step" in graphs:
        graphs["step"]["waits"] = waits(architecture.k)
    return {
        **graphs,
        "sha256": {path.name: _sha256(path) for path in files},
        "input_size": {"height": architecture.height, "width": architecture.width_px},
        "k": architecture.k,
        "horizon": architecture.horizon,
    }


def _described(port: Port) -> dict[str, Any]:
    return {"name": port.name, "type": port.type, "shape": ["N", *port.shape]}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
