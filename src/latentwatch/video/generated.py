"""Frames that a program makes instead of a decoder."""

from collections.abc import Callable, Iterator

from latentwatch.video.frame import Frame
from latentwatch.video.source import VideoSource


class GeneratedSource(VideoSource):
    """Frames from `make()`, which is called when the first is asked for; see `VideoSource`."""

    def __init__(
        self,
        name: str,
        make: Callable[[], Iterator[Frame]],
        *,
        fps: float,
        frame_count: int,
        size: tuple[int, int] | None = None,
        grey: bool = False,
    ) -> None:
        super().__init__(size, grey)
        self.name, self.fps, self.frame_count = name, fps, frame_count
        self._make = make

    def _decode(self) -> Iterator[Frame]:
        return self._make()

    def close(self) -> None:
        self._frames = iter(())
