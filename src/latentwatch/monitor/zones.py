"""Parts of the picture whose errors do not count."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from latentwatch.errors import UsageError

Polygons = Sequence[Sequence[tuple[float, float]]]

_FINE = 16
"""Polygons are drawn so many times finer than the error map, then counted in its places."""


def kept_places(ignore: Polygons, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Bool `(h, w)`: the places of an error map that count, those less than half covered by polygons.

    ignore: corners (x, y) in shares of the picture. Raises `ValueError` where nothing is left.
    """
    height, width = shape
    picture = Image.new("L", (width * _FINE, height * _FINE))
    for polygon in ignore:
        ImageDraw.Draw(picture).polygon([(x * width * _FINE, y * height * _FINE) for x, y in polygon], fill=1)
    covered = np.asarray(picture).reshape(height, _FINE, width, _FINE).mean(axis=(1, 3))
    kept = covered < 0.5
    if not kept.any():
        raise ValueError("the zones to ignore leave nothing of the picture")
    return np.asarray(kept)


def parse_polygon(text: str) -> list[tuple[float, float]]:
    """A polygon from "x,y x,y x,y". Raises `UsageError` for fewer corners, or a share outside 0 to 1."""
    try:
        corners = [(float(x), float(y)) for x, y in (corner.split(",") for corner in text.split())]
    except ValueError as error:
        raise UsageError(f"--ignore '{text}': expected corners 'x,y x,y x,y'") from error
    if len(corners) < 3 or not all(0 <= share <= 1 for corner in corners for share in corner):
        raise UsageError(f"--ignore '{text}': expected three corners or more, each share within 0 to 1")
    return corners
