"""Footage as a camera sends it: clips in H.264, and films that a server plays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip

FPS = 10
"""Frames a second of Ped2's camera."""

KEY_EVERY = 10
"""Frames from one key frame to the next."""

PAUSE = 1.5
"""Seconds without a frame before each clip of a film; after so many the detector begins anew."""


@dataclass(frozen=True)
class Film:
    """What a server plays, one tick of 1 / `FPS` s after the other.

    units: encoded pictures, empty where no frame comes. clips: the name of each tick's clip. places: its
    number in the clip, -1 in a pause. anomalous: bool `(N,)`, the labels.
    """

    units: list[bytes]
    clips: list[str]
    places: NDArray[np.int64]
    anomalous: NDArray[np.bool_]

    def spans(self) -> list[tuple[int, int]]:
        """The labelled anomalies, `(start, stop)` ticks each."""
        edges = np.flatnonzero(np.diff(self.anomalous.astype(np.int8), prepend=0, append=0))
        return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def encode(pictures: Iterable[NDArray[np.uint8]], crf: int = 20) -> list[bytes]:
    """RGB pictures as H.264 (Annex B), one access unit each, with the parameter sets in every key frame."""
    context: av.VideoCodecContext | None = None
    units: list[bytes] = []
    for index, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        if context is None:
            context = av.CodecContext.create("libx264", "w")
            context.height, context.width, context.pix_fmt = *picture.shape[:2], "yuv420p"
            context.time_base, context.framerate = Fraction(1, FPS), Fraction(FPS)
            keys = f"keyint={KEY_EVERY}:min-keyint={KEY_EVERY}:scenecut=0:repeat-headers=1:sliced-threads=0"
            context.options = {
                "preset": "veryfast",
                "tune": "zerolatency",
                "crf": str(crf),
                "x264-params": keys,
            }
        frame.pts = index
        units += [bytes(packet) for packet in context.encode(frame)]
    if context is not None:
        units += [bytes(packet) for packet in context.encode(None)]
    return units


def encode_clip(clip: Clip, start: int = 0, stop: int | None = None) -> list[bytes]:
    """A clip's frames from `start` up to `stop`, see `encode`."""
    with clip.open() as frames:
        return encode(frame.rgb for frame in islice(frames, start, stop))


def write_mp4(units: Sequence[bytes], path: Path, size: tuple[int, int]) -> Path:
    """Encoded pictures of `size` = `(height, width)` as a file, not encoded anew."""
    with av.open(str(path), "w", format="mp4") as out:
        stream = out.add_mux_stream("h264", width=size[1], height=size[0])
        for index, unit in enumerate(units):
            packet = av.Packet(unit)
            packet.stream, packet.time_base = stream, Fraction(1, FPS)
            packet.is_keyframe = index % KEY_EVERY == 0
            packet.pts = packet.dts = index
            packet.duration = 1
            out.mux(packet)
    return path


def film_of(clips: Sequence[Clip], pause: float = PAUSE) -> Film:
    """The clips one after the other, each after a pause of so many seconds. Unlabelled ones are normal."""
    units: list[bytes] = []
    names: list[str] = []
    places: list[int] = []
    labels: list[bool] = []
    silent = round(pause * FPS)
    for clip in clips:
        encoded = encode_clip(clip)
        units += [b""] * silent + encoded
        names += [clip.name] * (silent + len(encoded))
        places += [-1] * silent + list(range(len(encoded)))
        known = [False] * len(encoded) if clip.labels is None else clip.labels.tolist()
        labels += [False] * silent + known[: len(encoded)]
    return Film(units, names, np.array(places), np.array(labels))
