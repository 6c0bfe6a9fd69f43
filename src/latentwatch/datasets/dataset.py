"""A benchmark, or anybody's footage, as clips with optional labels."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.errors import LatentwatchError
from latentwatch.video.folder import image_files
from latentwatch.video.source import VideoSource, open_video


@dataclass(frozen=True)
class Clip:
    """One continuous piece of footage of one camera.

    source: the file or folder, or what opens generated footage (called with `size`). labels: bool `(N,)`,
    True where a frame is anomalous; None if not labelled.
    load_masks: gives bool `(N, H, W)`, True on anomalous pixels; None if there are no masks. taken_from: what
    tells footage apart that is made from other footage, see `identity`.
    """

    name: str
    source: Path | Callable[..., VideoSource]
    fps: float | None = None
    labels: NDArray[np.bool_] | None = None
    load_masks: Callable[[], NDArray[np.bool_]] | None = None
    taken_from: str | None = None

    def open(self, size: tuple[int, int] | None = None) -> VideoSource:
        """Its frames, resized to `size` = `(height, width)` if given. Raises as `open_video` does."""
        if isinstance(self.source, Path):
            return open_video(self.source, size=size, fps=self.fps)
        return self.source(size=size)

    @property
    def identity(self) -> str:
        """What tells this footage from other footage, for caches; a file that changes is another.

        Of a folder of images, their number and the time of the newest: its own time does not change where an
        image is overwritten in place, and changes where something is put there that is no image.
        """
        if not isinstance(self.source, Path) or not self.source.exists():
            return self.taken_from or self.name
        if not self.source.is_dir():
            return f"{self.source.resolve()} {self.source.stat().st_mtime_ns}"
        times = [_changed(image) for image in image_files(self.source)]
        return f"{self.source.resolve()} {len(times)} images {max(times, default=0)}"


def _changed(image: Path) -> int:
    """When it was written, in ns; 0 where it is not there (a link to nothing is skipped in decoding too)."""
    try:
        return image.stat().st_mtime_ns
    except OSError:
        return 0


@dataclass(frozen=True)
class Dataset:
    """Clips to learn from (normal only) and clips to judge, with the paper's preset that fits (Table 1)."""

    name: str
    train: Sequence[Clip]
    test: Sequence[Clip]
    preset: str
    citation: str = ""


def labels_from_spans(count: int, spans: Iterable[Sequence[int]], where: str) -> NDArray[np.bool_]:
    """1-based inclusive `[first, last]` spans to bool `(count,)`.

    Raises `LatentwatchError` for a span outside 1 to count; `where` names its place in the message.
    """
    labels = np.zeros(count, dtype=bool)
    for span in spans:
        if len(span) != 2 or not 1 <= span[0] <= span[1] <= count:
            raise LatentwatchError(f"{where}: span {list(span)} does not lie within frames 1 to {count}")
        labels[span[0] - 1 : span[1]] = True
    return labels


def read_label_file(path: Path) -> dict[str, NDArray[np.bool_]]:
    """Frame labels by clip from `{"01": {"frames": 180, "anomalous": [[61, 180]]}, ...}`.

    Spans are 1-based and inclusive. Raises `LatentwatchError` where the file is not of that form.
    """
    try:
        entries = json.loads(path.read_text())
        return {
            name: labels_from_spans(int(entry["frames"]), entry["anomalous"], f"{path}, clip {name}")
            for name, entry in entries.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise LatentwatchError(
            f'{path}: not a label file; expected {{"clip": {{"frames": 180, "anomalous": [[61, 180]]}}}} '
            f"with 1-based inclusive spans ({error})"
        ) from error
