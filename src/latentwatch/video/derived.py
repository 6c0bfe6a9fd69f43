"""Frames of another source, changed or chosen on the way."""

from collections.abc import Callable, Iterator

from latentwatch.video.frame import Frame
from latentwatch.video.source import VideoSource


class DerivedSource(VideoSource):
    """What `make` makes of the frames of `source`, which is closed with it; see `VideoSource`."""

    def __init__(
        self,
        source: VideoSource,
        make: Callable[[Iterator[Frame]], Iterator[Frame]],
        *,
        fps: float,
        frame_count: int | None,
        size: tuple[int, int] | None = None,
        grey: bool = False,
    ) -> None:
        super().__init__(size, grey)
        self.name, self.fps, self.frame_count = source.name, fps, frame_count
        self._source = source
        self._make = make

    def _decode(self) -> Iterator[Frame]:
        for frame in self._make(iter(self._source)):
            self.skipped = self._source.skipped
            yield frame

    def close(self) -> None:
        self._source.close()
        self._frames = iter(())
