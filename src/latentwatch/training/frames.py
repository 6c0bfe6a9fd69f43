"""Training footage, decoded and resized once, so that an epoch is never bound by decoding."""

import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.frame import Frame
from latentwatch.whole_file import whole_file

FRAMES_FILE = "frames.bin"
INDEX_FILE = "frames.json"

BLOCKS, LONGER = 8, 5
"""Most blocks that are held out of few long clips, and how many times as long as the shortest usable run each
is at least: the first frames of a block have no score."""

Run = tuple[int, int]
"""Consecutive frames of a store: the first, and the one after the last."""


@dataclass(frozen=True)
class FrameStore:
    """All frames of some clips, one after the other.

    frames: uint8 `(N, H, W, 3)`, memory-mapped. starts: where each clip begins, and N at the end.
    fps: frames a second of the footage.
    """

    frames: NDArray[np.uint8]
    starts: tuple[int, ...]
    fps: float

    def background(self, rows: Sequence[Run]) -> NDArray[np.float32]:
        """Per-pixel mean over `(start, stop)` runs of frames: `(3, H, W)` in [0, 1] (Section 3.1)."""
        total = np.zeros(self.frames.shape[1:], dtype=np.float64)
        for start, stop in rows:
            for first in range(start, stop, 256):
                total += self.frames[first : min(first + 256, stop)].sum(axis=0, dtype=np.float64)
        mean = total / sum(stop - start for start, stop in rows) / 255
        return np.ascontiguousarray(mean.transpose(2, 0, 1), dtype=np.float32)

    def split(self, shortest: int, share: float = 0.1) -> tuple[list[Run], list[Run]]:
        """Footage to train on and to hold out, as runs of at least `shortest` frames.

        About `share` of all frames is held out, from all over the footage: what only its end shows would be
        one hour of a day, or one crowd. Whole clips where there are enough of them, since neighbouring frames
        show the same people; of fewer, up to `BLOCKS` blocks of consecutive frames. Footage that is too short
        to divide serves for both. Raises `LatentwatchError` where no clip is long enough.
        """
        clips = [(a, b) for a, b in pairwise(self.starts) if b - a >= shortest]
        if not clips:
            longest = max(b - a for a, b in pairwise(self.starts))
            raise LatentwatchError(
                f"the footage is too short: a clip needs {shortest} frames, the longest has {longest}; "
                "record more of the camera"
            )
        wanted = max(round(share * _frames(clips)), shortest)
        whole = round(share * len(clips))
        held = [clips[(2 * i + 1) * len(clips) // (2 * whole)] for i in range(whole)]
        if not held or _frames(held) > 1.5 * wanted:
            held = _blocks(clips, wanted, shortest)
        train = [part for clip in clips for part in _less(clip, held) if part[1] - part[0] >= shortest]
        return (train, held) if train else (clips, clips)


def _frames(runs: list[Run]) -> int:
    return sum(stop - start for start, stop in runs)


def _blocks(clips: list[Run], wanted: int, shortest: int) -> list[Run]:
    """Blocks of `wanted` frames in all, evenly spread over `clips`, each within one of them.

    A single one is the end of a clip, which leaves the rest in one piece; or, of several clips, a whole one
    that is shorter than a block should be.
    """
    number = min(max(wanted // (LONGER * shortest), 1), BLOCKS)
    ends = list(accumulate(stop - start for start, stop in clips))
    places = [(2 * i + 1) * ends[-1] // (2 * number) for i in range(number)]
    clips_at = [bisect_right(ends, place) for place in places]
    if number == 1:
        start, stop = clips[clips_at[0]]
        is_whole = len(clips) > 1 and stop - start < LONGER * shortest
        return [(start if is_whole else max(stop - wanted, start), stop)]
    return [
        _block(clips[at], clips[at][1] - (ends[at] - place), wanted // number, shortest)
        for at, place in zip(clips_at, places, strict=True)
    ]


def _block(clip: Run, middle: int, length: int, shortest: int) -> Run:
    """`length` frames about `middle`, all of the clip if it is no longer.

    What is left on either side is nothing or twice `shortest` at least, since the shortest run of all decides
    how long training's runs are.
    """
    start, stop = clip
    first = max(min(middle - length // 2, stop - length), start)
    last = min(first + length, stop)
    return start if first - start < 2 * shortest else first, stop if stop - last < 2 * shortest else last


def _less(clip: Run, held: list[Run]) -> list[Run]:
    """What is left of a clip without the held-out runs, which are in order."""
    left, start = [], clip[0]
    for first, stop in held:
        if clip[0] <= first < clip[1]:
            left.append((start, first))
            start = stop
    return [*left, (start, clip[1])]


def build_store(
    clips: Sequence[Clip],
    size: tuple[int, int],
    folder: Path,
    on_clip: Callable[[str, int], None] | None = None,
) -> FrameStore:
    """Decodes `clips` at `size` into `folder`, or opens what an earlier call there has decoded.

    `on_clip(name, frames)` is told of each clip. Raises as decoding does, `UsageError` where there is no
    clip, and `LatentwatchError` where the disk is full.
    """
    if not clips:
        raise UsageError(
            "no clip to learn from: the footage is empty; check the folder that it is taken from"
        )
    index_file = folder / INDEX_FILE
    wanted = {
        "size": list(size),
        "sources": [clip.identity for clip in clips],
        "rates": [clip.fps for clip in clips],
    }
    if index_file.is_file():
        index = json.loads(index_file.read_text())
        if index["wanted"] == wanted:
            return _open(folder, size, index)
    starts = [0]
    fps = 0.0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        index_file.unlink(missing_ok=True)  # it is of the frames that are overwritten now, perhaps in part
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
        with whole_file(index_file) as part:
            part.write_text(json.dumps(index))
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
