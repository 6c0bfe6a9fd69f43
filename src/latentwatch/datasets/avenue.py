"""CUHK Avenue, in the official layout."""

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.folder import natural_key

CITATION = (
    "C. Lu, J. Shi, J. Jia, Abnormal Event Detection at 150 FPS in MATLAB, ICCV 2013. "
    "Available from www.cse.cuhk.edu.hk/leojia/projects/detectabnormal/dataset.html (with its ground truth)"
)


def avenue(root: Path) -> Dataset:
    """Avenue below `root`: `training_videos`, `testing_videos` and `testing_label_mask`.

    Raises `UsageError` where a part is missing, `LatentwatchError` where a label file is damaged.
    """
    train = _first(root, ("training_videos", "Avenue Dataset/training_videos", "avenue/training_videos"))
    test = _first(root, ("testing_videos", "Avenue Dataset/testing_videos", "avenue/testing_videos"))
    found = sorted(root.rglob("testing_label_mask"))
    if train is None or test is None or not found:
        raise UsageError(
            f"{root}: no Avenue there; expected training_videos and testing_videos with .avi files and "
            f"testing_label_mask with N_label.mat. {CITATION}"
        )
    return Dataset(
        "avenue", _clips(train), [_labelled(clip, found[0]) for clip in _clips(test)], "avenue", CITATION
    )


def _first(root: Path, names: tuple[str, ...]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _clips(folder: Path) -> list[Clip]:
    return [Clip(path.stem, path) for path in sorted(folder.glob("*.avi"), key=lambda p: natural_key(p.name))]


def _labelled(clip: Clip, folder: Path) -> Clip:
    file = folder / f"{int(clip.name)}_label.mat"
    if not file.is_file():
        raise LatentwatchError(f"{file}: missing; test clip {clip.name} cannot be judged without it")
    return Clip(
        clip.name,
        clip.source,
        None,
        np.array([mask.any() for mask in read_masks(file)]),
        partial(read_masks, file),
    )


def read_masks(file: Path) -> NDArray[np.bool_]:
    """The variable `volLabel` of a label file (a cell of N masks) as bool `(N, H, W)`."""
    try:
        cells = loadmat(file, variable_names=["volLabel"])["volLabel"].ravel()
        return np.stack([np.asarray(cell) > 0 for cell in cells])
    except (MatReadError, ValueError, KeyError, TypeError, OSError) as error:
        raise LatentwatchError(
            f"{file}: not an Avenue label file with a volLabel of masks ({error})"
        ) from error
