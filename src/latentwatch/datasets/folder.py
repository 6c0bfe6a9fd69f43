"""Anybody's footage: a video file, a folder of images, or a folder of either."""

from pathlib import Path

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import UsageError
from latentwatch.video.folder import image_files, natural_key

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".m4v", ".webm", ".ts", ".mpg", ".mpeg", ".wmv"})


def clips_in(path: Path, fps: float | None = None) -> list[Clip]:
    """The clips at `path`, in natural order.

    A video file or a folder of images is one clip; a folder of videos and image folders is one clip each,
    to any depth. Raises `UsageError` where nothing of the kind is there.
    """
    if path.is_file():
        return [Clip(path.stem, path, fps)]
    if not path.is_dir():
        raise UsageError(f"{path}: no such file or folder; check the path")
    found = _walk(path, path, fps)
    if not found:
        raise UsageError(f"{path}: holds no video and no folder of images; give footage of the camera")
    return found


def _walk(path: Path, root: Path, fps: float | None) -> list[Clip]:
    if image_files(path):
        name = path.name if path == root else str(path.relative_to(root))
        return [Clip(name, path, fps)]
    clips = []
    for entry in sorted(path.iterdir(), key=lambda entry: natural_key(entry.name)):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            clips += _walk(entry, root, fps)
        elif entry.suffix.lower() in VIDEO_SUFFIXES:
            clips.append(Clip(str(entry.relative_to(root).with_suffix("")), entry, fps))
    return clips
