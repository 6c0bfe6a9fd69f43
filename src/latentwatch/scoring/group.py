"""Many cameras side by side: frames that came together go through the networks together."""

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.bundle import load_bundle
from latentwatch.engines.choose import open_engine
from latentwatch.engines.engine import Engine
from latentwatch.engines.names import Choice
from latentwatch.scoring.camera import detector_of
from latentwatch.scoring.detector import Detector, Result
from latentwatch.video.frame import Frame


class DetectorGroup:
    """Scores the frames of many cameras; those whose detectors share an engine, in one batch.

    detectors: by name of camera, see `Detector.twin`. Results are those of each detector's own `step`. Raises
    `ValueError` for a detector with boxes from pixels, whose decoder takes one frame at a time.
    """

    def __init__(self, detectors: Mapping[str, Detector]) -> None:
        for camera, detector in detectors.items():
            if detector.pixel_boxes:
                raise ValueError(f"{camera}: boxes from pixels are not for groups")
        self._detectors = dict(detectors)
        # For what each camera needs by itself; one after the other would leave all cores idle but one.
        self._threads = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="camera")

    def reset(self, camera: str) -> None:
        """Forgets the frames of one camera; call it when its stream jumps."""
        self._detectors[camera].reset()

    def step_many(self, frames: Mapping[str, Frame]) -> dict[str, Result | None]:
        """Takes the next frame of each of some cameras; the result of each, see `Detector.step`."""
        by_engine: dict[Engine, list[str]] = {}
        for camera in frames:
            by_engine.setdefault(self._detectors[camera].engine, []).append(camera)
        results: dict[str, Result | None] = {}
        for engine, cameras in by_engine.items():
            detectors = [self._detectors[camera] for camera in cameras]
            seen = list(self._threads.map(_seen, detectors, [frames[camera] for camera in cameras]))
            codes = engine.encode(np.stack([each.picture for each in seen]))
            ahead = engine.push_many([detector.motion for detector in detectors], codes)
            for number, (camera, detector) in enumerate(zip(cameras, detectors, strict=True)):
                predicted = ahead[number]
                # Copied: a part of the batch would keep all of it in memory until its time.
                own = None if predicted is None else predicted.copy()
                results[camera] = detector.judge(frames[camera], codes[number], own, seen[number].speed_map)
        return results


class _Seen(NamedTuple):
    """What is known of a camera's frame before the networks: see `Detector.prepare` and `Detector.speeds`."""

    picture: NDArray[np.uint8]
    speed_map: NDArray[np.float32] | None


def _seen(detector: Detector, frame: Frame) -> _Seen:
    picture = detector.prepare(frame)
    return _Seen(picture, detector.speeds(picture))


def open_group(
    models: Mapping[str, Path], engine: Choice = "auto", *, bf16: bool | None = None
) -> DetectorGroup:
    """The group of the cameras named in `models`, each with its model file; one engine for each file.

    engine, bf16: see `open_engine`. Raises as `load_bundle` and `open_engine` do.
    """
    opened: dict[Path, Detector] = {}
    for path in map(Path.resolve, models.values()):
        if path not in opened:
            model, info = load_bundle(path)
            opened[path] = detector_of(model, info, open_engine(model, engine, bf16=bf16))
    return DetectorGroup({camera: opened[path.resolve()].twin() for camera, path in models.items()})
