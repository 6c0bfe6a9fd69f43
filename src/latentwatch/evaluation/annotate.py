"""Draws what the detector says onto a frame."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from latentwatch.scoring.detector import Result
from latentwatch.scoring.localise import upsample

RED = (230, 60, 40)
BLUE = (80, 170, 230)
FULLY_RED = 2.0
"""How many times its threshold a place is where it is drawn fully red."""

STRIP = 64
"""Height in pixels of the strip under the picture that shows the last scores."""


def annotate(
    rgb: NDArray[np.uint8],
    result: Result | None,
    history: Sequence[float],
    threshold: float,
) -> NDArray[np.uint8]:
    """The frame at 480 rows or more, with heat map, boxes, and a strip of the last scores.

    result: None while the detector warms up. history: scores so far, the last one current; NaN for none.
    """
    scale = max(1, round(480 / rgb.shape[0]))
    height, width = rgb.shape[0] * scale, rgb.shape[1] * scale
    picture = Image.fromarray(rgb).resize((width, height), Image.Resampling.BICUBIC)
    if result is not None:
        heat = np.clip(upsample(result.place_map, (height, width)) / FULLY_RED, 0, 1)[:, :, None]
        blended = np.asarray(picture) * (1 - 0.5 * heat) + np.array(RED) * 0.5 * heat
        picture = Image.fromarray(blended.astype(np.uint8))
        draw = ImageDraw.Draw(picture)
        for box in result.boxes:
            corners = (box.left * scale, box.top * scale, box.right * scale - 1, box.bottom * scale - 1)
            draw.rectangle(corners, outline=RED, width=2)
    canvas = Image.new("RGB", (width, height + STRIP), (24, 26, 30))
    canvas.paste(picture)
    _draw_strip(ImageDraw.Draw(canvas), width, height, result, history, threshold)
    return np.asarray(canvas)


def _draw_strip(
    draw: ImageDraw.ImageDraw,
    width: int,
    top: int,
    result: Result | None,
    history: Sequence[float],
    threshold: float,
) -> None:
    font = ImageFont.load_default(16)
    if result is None:
        draw.text((12, top + 22), "warming up", fill=(170, 175, 180), font=font)
        return
    text = f"{result.time:7.1f} s   score {result.score / threshold:5.2f} x threshold"
    draw.text((12, top + 6), text, fill=RED if result.is_anomaly else (220, 224, 228), font=font)
    if result.is_anomaly:
        draw.text((width - 96, top + 6), "UNUSUAL", fill=RED, font=font)
    floor, full = top + STRIP - 6, STRIP - 36
    for x, score in zip(range(width - 3, 0, -3), reversed(history), strict=False):
        if not np.isnan(score):
            bar = min(score / (2 * threshold), 1) * full
            draw.rectangle((x, floor - bar, x + 1, floor), fill=RED if score > threshold else BLUE)
    draw.line((0, floor - full / 2, width, floor - full / 2), fill=(120, 124, 130))
