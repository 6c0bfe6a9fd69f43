"""Where frames come from: one iterator for video files and folders of images."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from latentwatch.errors import UsageError
from latentwatch.video.address import is_address, parse_address
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize, to_grey

DEFAULT_FPS = 10.0
"""Frames a second assumed for a folder of images, which carries no time (UCSD was recorded at 10)."""


class Closable(ABC):
    """What a `with` block closes."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class VideoSource(Closable):
    """An iterator of `Frame` that can be closed; use it in a `with` block or read it to the end.

    name: what to call it in messages. fps: frames a second. frame_count: how many there are, None where only
    decoding would tell. skipped: corrupt frames passed over so far.
    """

    name: str
    fps: float
    frame_count: int | None
    skipped: int = 0

    def __init__(self, size: tuple[int, int] | None, grey: bool) -> None:
        self._size = size
        self._grey = grey
        self._frames: Iterator[Frame] | None = None

    @abstractmethod
    def _decode(self) -> Iterator[Frame]:
        """Frames at their own size and colour."""

    @abstractmethod
    def close(self) -> None:
        """Lets go of the file. Iteration ends."""

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        if self._frames is None:
            self._frames = self._decode()
        frame = next(self._frames)
        rgb = frame.rgb
        if self._size is not None:
            rgb = resize(rgb, self._size)
        if self._grey:
            rgb = to_grey(rgb)
        return Frame(frame.index, frame.time, rgb)


def open_video(
    source: str | Path, *, size: tuple[int, int] | None = None, grey: bool = False, fps: float | None = None
) -> VideoSource:
    """Opens a video file (any format of FFmpeg), a folder of images (jpg, png, tif, bmp), or a live source.

    A live source is written as `parse_address` has it (`rtsp://user:password@host/path`, `usb:0`) and lasts
    until it breaks off.

    size: `(height, width)` to resize to; None keeps the source's own. grey: luma in three equal channels.
    fps: frames a second of an image folder (10 if not given); a video file has its own.
    Raises `UsageError` where nothing is there, `LatentwatchError` where it cannot be reached or decoded.
    """
    # Imported here because all kinds of source build on this module.
    from latentwatch.video.file import FileSource
    from latentwatch.video.folder import FolderSource
    from latentwatch.video.stream import LiveSource

    if isinstance(source, str) and is_address(source):
        address = parse_address(source)
        if address.is_live:
            return LiveSource(address, size=size, grey=grey)
        source = address.url
    path = Path(source)
    if path.is_dir():
        return FolderSource(path, size=size, grey=grey, fps=fps or DEFAULT_FPS)
    if path.is_file():
        return FileSource(path, size=size, grey=grey)
    raise UsageError(f"{path}: no such file or folder; check the path")
