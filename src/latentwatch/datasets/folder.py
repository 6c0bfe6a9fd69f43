"""Anybody's footage: a video file, a folder of images, or a folder of either."""

import logging
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

from latentwatch.datasets.dataset import Clip, Dataset, read_label_file
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.address import is_address, parse_address
from latentwatch.video.folder import IMAGE_SUFFIXES, image_files, natural_key
from latentwatch.video.stream import LiveSource

log = logging.getLogger(__name__)

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".ts", ".mpg", ".mpeg", ".wmv"})


def clips_in(path: Path, fps: float | None = None) -> list[Clip]:
    """The clips at `path`, in natural order, each with a name of its own.

    A video file or a folder of images is one clip; a folder of videos and image folders is one clip each,
    to any depth, called by its path in the folder, see `_names`. Images beside either are left out, with a
    warning. Raises `UsageError` where nothing of the kind is there, `LatentwatchError` where a folder cannot
    be read.
    """
    if path.is_file():
        return [Clip(path.stem, path, fps)]
    if not path.is_dir():
        raise UsageError(f"{path}: no such file or folder; check the path")
    try:
        found = _walk(path)
    except OSError as error:
        raise LatentwatchError(f"{error.filename}: cannot be read: {error.strerror}") from error
    if not found:
        raise UsageError(f"{path}: holds no video and no folder of images; give footage of the camera")
    return [Clip(name, place, fps) for name, place in zip(_names(found, path), found, strict=True)]


def clips_at(source: str, seconds: float, fps: float | None = None) -> list[Clip]:
    """The clips at a path, see `clips_in`, or the next `seconds` of a live source, see `parse_address`.

    Raises `UsageError` where nothing of the kind is there.
    """
    if not is_address(source):
        return clips_in(Path(source), fps)
    address = parse_address(source)
    if not address.is_live:
        return clips_in(Path(address.url), fps)
    place = re.sub(r"^\w+://([^@]*@)?", "", address.shown)
    name = re.sub(r"[^\w.-]+", "_", place).strip("_.")
    return [Clip(name, partial(LiveSource, address, seconds=seconds), fps)]


def footage(root: Path) -> Dataset:
    """Somebody's own footage as a data set: `train` and `test` folders of clips, and `labels.json`.

    The labels are of the test clips, by name; see `read_label_file`. Without that file the clips can be
    scored but not judged. Raises `UsageError` where a folder is missing, `LatentwatchError` where a test clip
    is not in the labels.
    """
    for part in ("train", "test"):
        if not (root / part).is_dir():
            raise UsageError(
                f"{root}: has no folder '{part}'; put normal clips in train, clips to judge in test"
            )
    test = clips_in(root / "test")
    file = root / "labels.json"
    if file.is_file():
        labels = read_label_file(file)
        missing = [clip.name for clip in test if clip.name not in labels]
        if missing:
            raise LatentwatchError(f"{file}: has no labels for {', '.join(missing)}")
        test = [replace(clip, labels=labels[clip.name]) for clip in test]
    return Dataset("folder", clips_in(root / "train"), test, "ped2")


def _walk(path: Path) -> list[Path]:
    """The videos and the folders of images at `path` and below, in natural order."""
    images = image_files(path)
    others = [entry for entry in path.iterdir() if entry.suffix.lower() not in IMAGE_SUFFIXES]
    found = []
    for entry in sorted(others, key=lambda entry: natural_key(entry.name)):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            found += _walk(entry)
        elif entry.suffix.lower() in VIDEO_SUFFIXES:
            found.append(entry)
    if not images:
        return found
    if not found:
        return [path]
    left_out = images[0].name + (f" and {len(images) - 1} more" if len(images) > 1 else "")
    log.warning("%s: holds videos or folders of images; its own images are left out: %s", path, left_out)
    return found


def _names(found: list[Path], root: Path) -> list[str]:
    """Of each its path below `root`; without a video's suffix, unless another would be called the same."""
    whole = [place.relative_to(root) if place != root else Path(place.absolute().name) for place in found]
    names = [
        str(path if place.is_dir() else path.with_suffix(""))
        for path, place in zip(whole, found, strict=True)
    ]
    while len(set(names)) < len(names):  # more than once where a suffix makes it the same as a third one's
        uses = Counter(names)
        names = [str(path) if uses[name] > 1 else name for name, path in zip(names, whole, strict=True)]
    return names
