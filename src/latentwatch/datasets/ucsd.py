"""UCSD Ped1 and Ped2, in the official layout and in the `training/frames` layout of most research code."""

import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip, Dataset, labels_from_spans, read_label_file
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.folder import image_files, natural_key, read_image

FPS = 10.0
CITATION = (
    "V. Mahadevan, W. Li, V. Bhalodia, N. Vasconcelos, Anomaly Detection in Crowded Scenes, CVPR 2010. "
    "Available from www.svcl.ucsd.edu/projects/anomaly/dataset.htm (UCSD Anomaly Detection Dataset)"
)


def ucsd(name: str, root: Path) -> Dataset:
    """Ped1 or Ped2 below `root` (the set's own folder, or one that holds it).

    Raises `UsageError` where neither layout is found, `LatentwatchError` where labels do not fit frames.
    """
    official = f"UCSD{name}"
    for folder in (root, root / name, root / official, root / "UCSD_Anomaly_Dataset.v1p2" / official):
        if (folder / "training" / "frames").is_dir() and (folder / "testing" / "frames").is_dir():
            return _research_layout(name, folder)
        if (folder / "Train").is_dir() and (folder / "Test").is_dir():
            return _official_layout(name, folder)
    raise UsageError(
        f"{root}: no UCSD {name.capitalize()} there; expected training/frames and testing/frames, "
        f"or Train and Test as in the official {official} folder. {CITATION}"
    )


def _folders(parent: Path) -> list[Path]:
    found = [path for path in parent.iterdir() if path.is_dir() and image_files(path)]
    return sorted(found, key=lambda path: natural_key(path.name))


def _research_layout(name: str, folder: Path) -> Dataset:
    label_file = folder / "testing" / "labels.json"
    if not label_file.is_file():
        raise LatentwatchError(f"{label_file}: missing; the test clips cannot be judged without labels")
    labels = read_label_file(label_file)
    test = []
    for path in _folders(folder / "testing" / "frames"):
        masks = folder / "testing" / "masks" / path.name
        test.append(_labelled(path, labels.get(path.name), label_file, masks))
    train = [Clip(path.name, path, FPS) for path in _folders(folder / "training" / "frames")]
    return Dataset(name, train, test, name, CITATION)


def _official_layout(name: str, folder: Path) -> Dataset:
    label_file = folder / "Test" / f"UCSD{name}.m"
    if not label_file.is_file():
        raise LatentwatchError(f"{label_file}: missing; it holds the official frame labels")
    spans = official_spans(label_file.read_text(errors="replace"))
    train = [Clip(p.name, p, FPS) for p in _folders(folder / "Train") if re.fullmatch(r"Train\d+", p.name)]
    tests = [path for path in _folders(folder / "Test") if re.fullmatch(r"Test\d+", path.name)]
    if len(spans) != len(tests):
        raise LatentwatchError(f"{label_file}: labels {len(spans)} clips, but {len(tests)} are there")
    test = []
    for path, clip_spans in zip(tests, spans, strict=True):
        labels = labels_from_spans(len(image_files(path)), clip_spans, f"{label_file}, {path.name}")
        test.append(_labelled(path, labels, label_file, path.with_name(path.name + "_gt")))
    return Dataset(name, train, test, name, CITATION)


def _labelled(path: Path, labels: NDArray[np.bool_] | None, label_file: Path, masks: Path) -> Clip:
    frames = len(image_files(path))
    if labels is None or len(labels) != frames:
        known = "none" if labels is None else str(len(labels))
        raise LatentwatchError(f"{label_file}: labels for {path.name}: {known}; frames there: {frames}")
    return Clip(path.name, path, FPS, labels, partial(read_masks, masks) if masks.is_dir() else None)


def read_masks(folder: Path) -> NDArray[np.bool_]:
    """A folder of mask images as bool `(N, H, W)`."""
    return np.stack([read_image(path)[:, :, 0] > 0 for path in image_files(folder)])


def official_spans(text: str) -> list[list[tuple[int, int]]]:
    """The spans of each clip from the set's own Matlab file: `... .gt_frame = [5:90, 140:200];`."""
    entries = re.findall(r"\.gt_frame\s*=\s*\[([^\]]*)\]", text)
    return [[(int(a), int(b)) for a, b in re.findall(r"(\d+)\s*:\s*(\d+)", entry)] for entry in entries]
