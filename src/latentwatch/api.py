"""The Python interface: train a camera's model, load it, and score frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latentwatch.engines.names import Choice
from latentwatch.scoring.camera import number_format, open_camera
from latentwatch.scoring.detector import Detector
from latentwatch.video.source import open_video

if TYPE_CHECKING:
    from latentwatch.models.presets import Architecture
    from latentwatch.training.settings import TrainingSettings

__all__ = ["load", "open_video", "train"]


def train(
    footage: str | Path | list[str | Path],
    out: str | Path,
    *,
    architecture: Architecture | None = None,
    settings: TrainingSettings | None = None,
    fps: float | None = None,
) -> Detector:
    """Learns what is normal in `footage` and writes the model file `out`; returns its detector.

    footage: video files, folders of images, or folders of either, all of one fixed camera. architecture:
    default `preset("ped2")` (width tiny), 128x192 pixels. settings: default `FORMS["joint"]`, 10 epochs.
    fps: frames a second to learn; None takes the lowest rate of the footage.
    Raises `UsageError` or `LatentwatchError` with one clear line.
    """
    # Imported here: a program that only scores frames must not pay for importing the trainer.
    from latentwatch.datasets.derived import at_one_rate
    from latentwatch.datasets.folder import clips_in
    from latentwatch.models.presets import preset
    from latentwatch.training.camera import learn_camera
    from latentwatch.training.settings import FORMS

    paths = footage if isinstance(footage, list) else [footage]
    clips = at_one_rate([clip for path in paths for clip in clips_in(Path(path))], fps, print)
    learn_camera(clips, Path(out), architecture or preset("ped2"), settings or FORMS["joint"])
    return load(out)


def load(
    path: str | Path, engine: Choice = "auto", *, bf16: bool | None = None, int8: bool = False
) -> Detector:
    """A detector from a model file.

    engine: "auto" (the fastest that is installed), "torch", "onnx" or "openvino". bf16: True or False for
    bfloat16 or fp32; None takes what is fastest. int8: the form that `latentwatch quantise` made. Raises
    `UsageError` or `LatentwatchError` as `open_camera` does.
    """
    return open_camera(Path(path), engine, number_format(bf16, int8))
