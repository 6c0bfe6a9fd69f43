"""The film that all cameras of a load test show: 640x360 H.264, as many cameras send it."""

from itertools import islice
from pathlib import Path

import av

from latentwatch.video.resize import resize
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter

SIZE = (360, 640)
"""Height and width in pixels."""

FRAMES = 300
"""How much of the source is taken where it has to be encoded; the cameras play it over and over."""


def camera_film(source: Path, folder: Path) -> Path:
    """`source` itself if it is a 640x360 H.264 file; else its first frames encoded so, in `folder`.

    Raises as `open_video` does.
    """
    with open_video(source) as frames:
        if source.is_file() and _is_fit(source):
            return source
        film = folder / "camera.mp4"
        with VideoWriter(film, frames.fps) as writer:
            for frame in islice(frames, FRAMES):
                writer.write(resize(frame.rgb, SIZE))
    return film


def _is_fit(source: Path) -> bool:
    with av.open(str(source)) as container:
        video = container.streams.video[0]
        return (video.codec_context.name, video.height, video.width) == ("h264", *SIZE)
