"""Makes what moves unrecognisable in snapshots and clips: blocks of one colour each."""

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray
from PIL import Image

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.background import Background
from latentwatch.video.stream import rgb_of

BLOCKS = 16
"""Blocks in the picture's height. A face that fills a quarter of it is 4 blocks high."""

SPREAD = 0.4
"""Seconds by which an area is blurred before and after it differs: a person may match the ground at times."""

TIME_BASE = Fraction(1, 90_000)


def blur_picture(rgb: NDArray[np.uint8], area: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture, uint8 `(H, W, 3)`, in blocks where `area` says so, bool `(h, w)` of any size."""
    height, width = rgb.shape[:2]
    picture = Image.fromarray(rgb)
    few = max(1, round(BLOCKS * width / height)), BLOCKS
    blocks = picture.resize(few, Image.Resampling.BOX).resize((width, height), Image.Resampling.NEAREST)
    mask = Image.fromarray(area).resize((width, height), Image.Resampling.NEAREST)
    return np.asarray(Image.composite(blocks, picture, mask))


def blur_clip(source: Any, target: Path, background: Background) -> None:
    """Writes an mp4 (H.264) of the clip in the binary file `source`, blurred where it is not background.

    A picture that cannot be decoded is left out. Raises `LatentwatchError` where none can, and where `target`
    cannot be written.
    """
    try:
        with av.open(source, format="mp4") as inside:
            pictures = _blurred(_decoded(inside), background)
            first = next(pictures, None)
            if first is None:
                raise LatentwatchError(f"{target.name}: no picture of the clip can be decoded")
            with av.open(str(target), "w", options={"movflags": "+faststart"}) as out:
                stream = out.add_stream("libx264", options={"crf": "23", "preset": "veryfast"})
                stream.height, stream.width = first.height, first.width
                stream.pix_fmt = "yuv420p"
                stream.codec_context.time_base = TIME_BASE
                stream.codec_context.thread_count = 1  # the cameras need the cores
                for picture in chain((first,), pictures):
                    out.mux(stream.encode(picture))
                out.mux(stream.encode(None))
    except (FFmpegError, OSError) as error:
        target.unlink(missing_ok=True)
        raise LatentwatchError(f"{target.name}: cannot be blurred: {error.strerror or error}") from error


def _decoded(clip: Any) -> "Iterator[tuple[float, NDArray[np.uint8]]]":
    """Time in seconds and picture of each frame that is whole."""
    for packet in clip.demux(video=0):
        try:
            pictures = packet.decode()
        except FFmpegError:
            continue
        for picture in pictures:
            if not picture.is_corrupt and picture.time is not None:
                yield picture.time, rgb_of(picture)


def _blurred(
    pictures: Iterator[tuple[float, NDArray[np.uint8]]], background: Background
) -> Iterator[av.VideoFrame]:
    """Each picture, blurred where it or one within `SPREAD` is not background; some of them wait for that."""
    waiting: deque[tuple[float, NDArray[np.uint8]]] = deque()
    areas: deque[tuple[float, NDArray[np.bool_]]] = deque()
    for time, rgb in pictures:
        while waiting and time - waiting[0][0] > SPREAD:
            yield _frame(*waiting.popleft(), areas)
        waiting.append((time, rgb))
        areas.append((time, background.area(rgb)))
        while areas[0][0] < waiting[0][0] - SPREAD:
            areas.popleft()
    while waiting:
        yield _frame(*waiting.popleft(), areas)


def _frame(
    time: float, rgb: NDArray[np.uint8], areas: "deque[tuple[float, NDArray[np.bool_]]]"
) -> av.VideoFrame:
    area = np.logical_or.reduce([area for at, area in areas if abs(at - time) <= SPREAD])
    height, width = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2  # yuv420p wants even ones
    blurred = np.ascontiguousarray(blur_picture(rgb, area)[:height, :width])
    frame = av.VideoFrame.from_ndarray(blurred, format="rgb24")
    frame.pts, frame.time_base = round(time / TIME_BASE), TIME_BASE
    return frame
