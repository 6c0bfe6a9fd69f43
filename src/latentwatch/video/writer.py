"""Writes frames to a video file: H.264 that players and browsers take, or every bit as it is."""

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import numpy as np
from numpy.typing import NDArray


class VideoWriter:
    """A file at `path`, `fps` frames a second. Use it in a `with` block.

    lossless: FFV1, for a path that ends in `.mkv`: the frames come back bit by bit; else H.264, for an mp4,
    in which odd sizes lose their last row or column (yuv420p wants even ones). It grows under a `.part` name
    and takes its own on a clean close, so that no half-written file is ever taken for a whole one.
    """

    def __init__(self, path: Path, fps: float, *, lossless: bool = False) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part{path.suffix}")
        self._lossless = lossless
        rate = Fraction(fps).limit_denominator(1001)
        if lossless:
            self._container = av.open(str(self._part), "w")
            self._stream = self._container.add_stream("ffv1", rate=rate)
            self._stream.pix_fmt = "bgr0"
            self._stream.options = {"level": "3", "slicecrc": "1"}  # so that damage is noticed
        else:
            self._container = av.open(str(self._part), "w", options={"movflags": "+faststart"})
            self._stream = self._container.add_stream("libx264", rate=rate)
            self._stream.pix_fmt = "yuv420p"
            self._stream.options = {"crf": "20", "preset": "veryfast"}
        self._started = False

    def write(self, rgb: NDArray[np.uint8]) -> None:
        """Appends one uint8 `(H, W, 3)` picture; all must have the first one's size."""
        height, width = rgb.shape[:2]
        if not self._lossless:
            height, width = height // 2 * 2, width // 2 * 2
        if not self._started:
            self._stream.height, self._stream.width = height, width
            self._started = True
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb[:height, :width]), format="rgb24")
        for packet in self._stream.encode(picture):
            self._container.mux(packet)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def close(self) -> None:
        """Finishes the file and gives it its name; without a single frame, leaves none."""
        if not self._started:
            self.discard()
            return
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        self._part.replace(self._path)

    def discard(self) -> None:
        """Gives up: no file is left."""
        self._container.close()
        self._part.unlink(missing_ok=True)
