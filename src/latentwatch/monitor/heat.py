"""Shows where in its snapshot an event was: heat map and boxes."""

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.model import Event
from latentwatch.scoring.localise import upsample
from latentwatch.video.address import mask

RED = (230, 60, 40)


def draw_place(
    rgb: NDArray[np.uint8], heat: Sequence[Sequence[float]] | None, boxes: Sequence[Sequence[float]]
) -> NDArray[np.uint8]:
    """A uint8 `(H, W, 3)` picture with its `Event.heat` in red, and its `Event.boxes` around that."""
    height, width = rgb.shape[:2]
    picture = Image.fromarray(rgb)
    if heat is not None:
        strength = (
            np.clip(upsample(np.array(heat, dtype=np.float32), (height, width)), 0, 1)[:, :, None] * 0.6
        )
        picture = Image.fromarray((rgb * (1 - strength) + np.array(RED) * strength).astype(np.uint8))
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in boxes:
        corners = (left * width, top * height, right * width - 1, bottom * height - 1)
        draw.rectangle(corners, outline=RED, width=2)
    return np.asarray(picture)


def save_place(event: Event, clips: ClipStore, to: Path) -> None:
    """Writes an event's snapshot with its place to a picture file, by the suffix of `to`.

    Raises `LatentwatchError` where there is no snapshot or it cannot be reached, and `UsageError` where `to`
    cannot be written.
    """
    if event.snapshot is None:
        raise LatentwatchError(f"event {event.id[:8]}: has no snapshot")
    try:
        rgb = np.asarray(Image.open(io.BytesIO(clips.read(event.snapshot))).convert("RGB"))
    except OSError as error:
        raise LatentwatchError(f"clips: {clips.shown}: {mask(str(error))}") from error
    try:
        Image.fromarray(draw_place(rgb, event.heat, event.boxes)).save(to)
    except (OSError, ValueError) as error:
        raise UsageError(f"{to}: cannot be written: {getattr(error, 'strerror', None) or error}") from error
