"""Frames from a folder of numbered images."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize
from latentwatch.video.source import VideoSource

log = logging.getLogger(__name__)

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """A sort key under which `frame2` comes before `frame10`."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def image_files(folder: Path) -> list[Path]:
    """The images directly in `folder`, in natural order. Hidden files are left out."""
    found = (
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )
    return sorted(found, key=lambda path: natural_key(path.name))


def read_image(path: Path) -> NDArray[np.uint8]:
    """Any image as uint8 RGB `(H, W, 3)`: grey is repeated, alpha dropped, 16 bits scaled to 8.

    Raises `OSError` or `ValueError` where it cannot be decoded.
    """
    with Image.open(path) as image:
        if image.mode.startswith("I;16") or image.mode == "I":
            grey = (np.clip(np.asarray(image, dtype=np.int64), 0, 65535) >> 8).astype(np.uint8)
            return np.repeat(grey[:, :, None], 3, axis=2)
        return np.asarray(image.convert("RGB"))


class FolderSource(VideoSource):
    """A folder of images in natural order; see `open_video`."""

    def __init__(self, folder: Path, *, size: tuple[int, int] | None, grey: bool, fps: float) -> None:
        super().__init__(size, grey)
        self.name = str(folder)
        self.fps = fps
        self._paths = image_files(folder)
        if not self._paths:
            kinds = ", ".join(sorted(suffix[1:] for suffix in IMAGE_SUFFIXES))
            raise UsageError(f"{folder}: holds no images ({kinds}); give a folder of frames or a video file")
        self.frame_count = len(self._paths)

    def _decode(self) -> Iterator[Frame]:
        first_size: tuple[int, int] | None = None
        warned = False
        for index, path in enumerate(self._paths):
            try:
                rgb = read_image(path)
            except (OSError, ValueError, SyntaxError) as error:  # Pillow raises all three on damaged files
                self.skipped += 1
                log.warning("%s: not a readable image, skipped (%s)", path, error)
                continue
            shape = (rgb.shape[0], rgb.shape[1])
            first_size = first_size or shape
            if shape != first_size:
                if not warned:
                    log.warning(
                        "%s: frames of mixed size (%s is %dx%d); all are brought to the first frame's %dx%d",
                        self.name, path.name, shape[1], shape[0], first_size[1], first_size[0],
                    )  # fmt: skip
                    warned = True
                rgb = resize(rgb, first_size)
            yield Frame(index, index / self.fps, rgb)
        if first_size is None:
            raise LatentwatchError(f"{self.name}: none of its {len(self._paths)} images can be decoded")

    def close(self) -> None:
        self._frames = iter(())
