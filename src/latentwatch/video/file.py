"""Frames from a video file, through FFmpeg (PyAV)."""

import logging
from collections.abc import Iterator
from pathlib import Path

import av
from av.error import FFmpegError

from latentwatch.errors import LatentwatchError
from latentwatch.video.frame import Frame
from latentwatch.video.source import DEFAULT_FPS, VideoSource
from latentwatch.video.stream import rgb_of

log = logging.getLogger(__name__)


class FileSource(VideoSource):
    """The first video stream of a file; see `open_video`."""

    def __init__(self, path: Path, *, size: tuple[int, int] | None, grey: bool) -> None:
        super().__init__(size, grey)
        self.name = str(path)
        try:
            self._container = av.open(self.name)
        except (FFmpegError, OSError) as error:
            raise LatentwatchError(
                f"{path}: not a video that FFmpeg can open (damaged, cut short, or not a video at all): "
                f"{getattr(error, 'strerror', None) or error}"
            ) from error
        if not self._container.streams.video:
            self._container.close()
            raise LatentwatchError(f"{path}: has no video stream")
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_FPS)
        self.frame_count = self._stream.frames or None

    def _decode(self) -> Iterator[Frame]:
        index = 0
        start: float | None = None
        for picture in self._pictures():
            if picture.is_corrupt:
                self.skipped += 1
            else:
                time = picture.time if picture.time is not None else index / self.fps
                start = time if start is None else start
                yield Frame(index, time - start, rgb_of(picture))
            index += 1
        if index == self.skipped:
            raise LatentwatchError(f"{self.name}: no frame of it can be decoded")
        if self.frame_count and index < self.frame_count:
            log.warning("%s: cut short, %d of its %d frames are there", self.name, index, self.frame_count)
        if self.skipped:
            log.warning("%s: %d corrupt frames skipped", self.name, self.skipped)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """All decodable pictures: a damaged packet is counted and passed over, the rest goes on."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:  # the container itself is broken from here on
                log.warning("%s: stops being readable (%s)", self.name, error)
                return
            try:
                yield from packet.decode()
            except FFmpegError:
                self.skipped += 1

    def close(self) -> None:
        self._frames = iter(())
        self._container.close()
