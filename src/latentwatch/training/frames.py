"""Training footage, decoded and resized once, so that an epoch is never bound by decoding."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError
from latentwatch.video.frame import Frame

FRAMES_FILE = "frames.bin"
INDEX_FILE = "frames.json"


@dataclass(frozen=True)
class FrameStore:
    """All frames of some clips, one after the other.

    frames: uint8 `(N, H, W, 3)`, memory-mapped. starts: where each clip begins, and N at the end.
    fps: frames a second of the footage.
    """

    frames: NDArray[np.uint8]
    starts: tuple[int, ...]
    fps: float

    def background(self, rows: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """Per-pixel mean over `(start, stop)` runs of frames: `(3, H, W)` in [0, 1] (Section 3.1)."""
        total = np.zeros(self.frames.shape[1:], dtype=np.float64)
        for start, stop in rows:
            for first in range(start, stop, 256):
                total += self.frames[first : min(first + 256, stop)].sum(axis=0, dtype=np.float64)
        mean = total / sum(stop - start for start, stop in rows) / 255
        return np.ascontiguousarray(mean.transpose(2, 0, 1), dtype=np.float32)

    def split(self, shortest: int, share: float = 0.1) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Clips to train on and to hold out, as `(start, stop)` runs of at least `shortest` frames.

        Whole clips from the end are held out, about `share` of all frames; a single clip gives up its tail.
        Raises `LatentwatchError` where no clip is long enough.
        """
        clips = [(a, b) for a, b in pairwise(self.starts) if b - a >= shortest]
        if not clips:
            longest = max(b - a for a, b in pairwise(self.starts))
            raise LatentwatchError(
                f"the footage is too short: a clip needs {shortest} frames, the longest has {longest}; "
                "record more of the camera"
            )
        wanted = round(share * sum(b - a for a, b in clips))
        if len(clips) == 1:
            start, stop = clips[0]
            cut = stop - max(wanted, shortest)
            return ([(start, cut)], [(cut, stop)]) if cut - start >= shortest else (clips, clips)
        held: list[tuple[int, int]] = []
        while len(clips) > 1 and sum(b - a for a, b in held) < wanted:
            held.insert(0, clips.pop())
        return clips, held


def build_store(
    clips: Sequence[Clip],
    size: tuple[int, int],
    folder: Path,
    on_clip: Callable[[str, int], None] | None = None,
) -> FrameStore:
    """Decodes `clips` at `size` into `folder`, or opens what an earlier call there has decoded.

    `on_clip(name, frames)` is told of each clip. Raises as decoding does, and `LatentwatchError` where
    the disk is full.
    """
    index_file = folder / INDEX_FILE
    wanted = {"size": list(size), "sources": [clip.identity for clip in clips]}
    if index_file.is_file():
        index = json.loads(index_file.read_text())
        if index["wanted"] == wanted:
            return _open(folder, size, index)
    starts = [0]
    fps = 0.0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FRAMES_FILE).open("wb") as out:
            for clip in clips:
                count = 0
                with clip.open(size) as source:
                    fps = fps or source.fps
                    for frame in source:
                        out.write(frame.rgb.tobytes())
                        count += 1
                starts.append(starts[-1] + count)
                if on_clip:
                    on_clip(clip.name, count)
        index = {"wanted": wanted, "starts": starts, "fps": fps}
        index_file.write_text(json.dumps(index))
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot write the decoded frames: {error.strerror}") from error
    return _open(folder, size, index)


def frames_of(store: FrameStore, start: int, stop: int) -> Iterator[Frame]:
    """A run of the store's frames as a clip of its own."""
    for index in range(start, stop):
        yield Frame(index - start, (index - start) / store.fps, store.frames[index])


def _open(folder: Path, size: tuple[int, int], index: dict[str, Any]) -> FrameStore:
    starts = tuple(int(start) for start in index["starts"])
    frames = np.memmap(folder / FRAMES_FILE, dtype=np.uint8, mode="r", shape=(starts[-1], *size, 3))
    return FrameStore(frames, starts, float(index["fps"]))
