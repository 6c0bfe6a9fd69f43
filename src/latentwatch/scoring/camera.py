"""From a camera's model file to what scores its frames."""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.bundle import BundleInfo, load_bundle
from latentwatch.bundle.int8 import load_int8
from latentwatch.engines.choose import open_engine
from latentwatch.engines.engine import Engine
from latentwatch.engines.names import Choice
from latentwatch.engines.openvino_engine import Int8Engine
from latentwatch.errors import UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Precision
from latentwatch.scoring.batch import ClipScores
from latentwatch.scoring.detector import Detector
from latentwatch.video.frame import Frame

_log = logging.getLogger(__name__)


def number_format(bf16: bool | None, int8: bool) -> Precision | None:
    """The precision that is asked for; None where the choice is left to the engine.

    Raises `UsageError` where two are.
    """
    if int8 and bf16 is not None:
        raise UsageError("--int8: not together with --bf16 or --fp32; leave one out")
    if int8:
        return "int8"
    if bf16 is None:
        return None
    return "bf16" if bf16 else "fp32"


def open_camera(
    path: Path, engine: Choice = "auto", precision: Precision | None = None, *, pixel_boxes: bool = False
) -> Detector:
    """The detector of the model file `path`, with the thresholds of the number format that it computes in.

    precision: None means what is fastest on this machine, of fp32 and bf16; int8 needs `int8_file`.
    pixel_boxes: see `Detector`. Warns where the file has no thresholds of that format, and takes those of
    fp32. Raises as `load_bundle`, `load_int8` and `open_engine` do.
    """
    model, info = load_bundle(path)
    if precision == "int8":
        if engine not in ("auto", "openvino"):
            raise UsageError(f"--int8: runs on OpenVINO alone; leave --engine {engine} out")
        graphs, quantised = load_int8(path)
        return Detector(
            model,
            quantised.calibration,
            engine=Int8Engine(model, graphs),
            fusion=info.fusion,
            pixel_boxes=pixel_boxes,
        )
    opened = open_engine(model, engine, bf16=None if precision is None else precision == "bf16")
    if opened.precision not in info.calibrations:
        _log.warning(
            "%s: has no thresholds for %s and takes those of fp32; --fp32 scores as they were made",
            path,
            opened.precision,
        )
    return detector_of(model, info, opened, pixel_boxes=pixel_boxes)


def detector_of(
    model: Decoupled,
    info: BundleInfo,
    engine: Engine,
    *,
    kept: NDArray[np.bool_] | None = None,
    pixel_boxes: bool = False,
) -> Detector:
    """The detector of a model that is open already, with what its file says of how it scores."""
    return Detector(
        model,
        info.calibration_for(engine.precision),
        engine=engine,
        fusion=info.fusion,
        kept=kept,
        pixel_boxes=pixel_boxes,
    )


def stream_clip(detector: Detector, frames: Iterable[Frame]) -> ClipScores:
    """The scores of one clip's frames, taken one by one as a live camera gives them; none in pixels."""
    detector.reset()
    times, results = [], []
    for frame in frames:
        times.append(frame.time)
        results.append(detector.step(frame))
    fuses = detector.fusion is not None
    return ClipScores(
        np.array(times, dtype=np.float64),
        np.array([each.error_map.mean(dtype=np.float64) if each else np.nan for each in results]),
        _maps([each.error_map if each else None for each in results]),
        fused=np.array([each.score if each else np.nan for each in results]) if fuses else None,
        speed_maps=_maps([each.speed_map if each else None for each in results]) if fuses else None,
    )


def _maps(found: list[NDArray[np.float32] | None]) -> NDArray[np.float32]:
    """The maps `(N, h, w)` of N frames, NaN where one has none."""
    shape = next((each.shape for each in found if each is not None), (0, 0))
    nothing = np.full(shape, np.nan, dtype=np.float32)
    maps = [nothing if each is None else each for each in found]
    return np.array(maps, dtype=np.float32).reshape(len(maps), *shape)
