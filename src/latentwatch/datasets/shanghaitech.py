"""ShanghaiTech Campus, in the official layout: all cameras, or one."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.folder import natural_key

FPS = 24.0
CITATION = (
    "W. Liu, W. Luo, D. Lian, S. Gao, Future Frame Prediction for Anomaly Detection, CVPR 2018. "
    "Available from svip-lab.github.io/dataset/campus_dataset.html (ShanghaiTech Campus Dataset)"
)


def shanghaitech(root: Path, camera: str | None = None) -> Dataset:
    """ShanghaiTech below `root`; `camera` such as "01" takes the clips of that one alone.

    Raises `UsageError` where the layout or the camera is not found, `LatentwatchError` for missing labels.
    """
    videos, frames = root / "training" / "videos", root / "testing" / "frames"
    if not videos.is_dir() or not frames.is_dir():
        raise UsageError(
            f"{root}: no ShanghaiTech there; expected training/videos/*.avi, testing/frames/SS_NNNN and "
            f"testing/test_frame_mask/SS_NNNN.npy. {CITATION}"
        )
    prefix = f"{camera}_" if camera else ""
    train = [
        Clip(path.stem, path)
        for path in _sorted(videos)
        if path.suffix == ".avi" and path.stem.startswith(prefix)
    ]
    test = [_labelled(path) for path in _sorted(frames) if path.is_dir() and path.name.startswith(prefix)]
    if not test:
        raise UsageError(
            f"{root}: no test clips of camera {camera}" if camera else f"{frames}: holds no clips"
        )
    return Dataset("shanghaitech", train, test, "shanghaitech", CITATION)


def _sorted(folder: Path) -> list[Path]:
    return sorted(folder.iterdir(), key=lambda path: natural_key(path.name))


def _labelled(path: Path) -> Clip:
    testing = path.parent.parent
    masks = testing / "test_pixel_mask" / f"{path.name}.npy"
    labels = _load(testing / "test_frame_mask" / f"{path.name}.npy")
    return Clip(path.name, path, FPS, labels, partial(_load, masks) if masks.is_file() else None)


def _load(file: Path) -> NDArray[np.bool_]:
    try:
        return np.asarray(np.load(file, allow_pickle=False), dtype=bool)
    except (OSError, ValueError, EOFError) as error:
        raise LatentwatchError(f"{file}: not a readable label file ({error})") from error
