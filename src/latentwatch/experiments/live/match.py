"""Which picture of a film began an alarm: its snapshot, which is sent with the message, tells."""

import io

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentwatch.experiments.live.footage import Film
from latentwatch.experiments.live.listener import Told
from latentwatch.experiments.live.stand import Push

REACH = 10.0
"""Seconds before a message in which the picture was sent that it is about."""

Grey = NDArray[np.uint8]


def pictures(film: Film) -> dict[int, Grey]:
    """The film's pictures as a camera's viewer decodes them, grey `(H, W)`, by tick."""
    context = av.CodecContext.create("h264", "r")
    context.thread_count = 1
    ticks = [tick for tick, unit in enumerate(film.units) if unit]
    decoded: list[Grey] = []
    for packet in (*(av.Packet(film.units[tick]) for tick in ticks), None):
        decoded += [frame.to_ndarray(format="gray") for frame in context.decode(packet)]
    return dict(zip(ticks, decoded, strict=True))


def began(told: Told, pushes: list[Push], shown: dict[int, Grey]) -> Push | None:
    """When the picture was sent that a message's snapshot shows; None where there is none to compare.

    pushes: of that camera. shown: `pictures` of its film.
    """
    candidates = [push for push in pushes if told.at - REACH <= push.at <= told.at]
    if told.snapshot is None or not candidates:
        return None
    with Image.open(io.BytesIO(told.snapshot)) as opened:
        snapshot = np.asarray(opened.convert("L"), dtype=np.float32)
    return min(candidates, key=lambda push: float(np.square(shown[push.tick] - snapshot).mean()))


def latencies_ms(told: list[Told], pushes: list[Push], shown: dict[str, dict[int, Grey]]) -> list[float]:
    """Milliseconds from sending the picture that began an alarm to its message, of all new events."""
    by_camera = {camera: [push for push in pushes if push.camera == camera] for camera in shown}
    found = []
    for each in told:
        if each.body["type"] == "new":
            camera = each.body["camera"]
            push = began(each, by_camera[camera], shown[camera])
            if push is not None:
                found.append(1000 * (each.at - push.at))
    return found
