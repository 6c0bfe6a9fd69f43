"""What can be measured cheaply of a picture to tell whether the camera sees well."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

Grey = NDArray[np.float32]

SIZE = (120, 160)
"""Rows and columns that every picture is shrunk to first, about what the networks see of it."""

FINE, MIDDLE, COARSE = 1.0, 3.0, 6.0
"""Standard deviations, in pixels of the small picture, that part detail from structure from layout."""

CELLS = (6, 8)
"""Parts, down and across, in which structure is measured."""

WHITE = 250
"""Grey level from which on a pixel is blown out."""


@dataclass(frozen=True)
class Looks:
    """A picture's layout and edges, to be compared with others; float32 `SIZE`, mean 0, length 1."""

    layout: Grey
    edges: Grey


@dataclass(frozen=True)
class Measures:
    """Of one picture, against the one before it and against what the camera usually shows.

    peak: grey level that only 1% of the pixels exceed, 0 to 255. brightness: mean grey level. white: share of
    blown-out pixels. structure: standard deviation, in grey levels, of what is between `FINE` and `MIDDLE`,
    in each of `CELLS` parts of the picture: falls where something flat covers the view. sharpness: detail
    finer than `FINE` as a share of that: falls out of focus, whatever the light. layout, edges: correlation,
    -1 to 1, with the usual picture after coarse smoothing, and of its edges, which must lie in the same
    place. noise: standard deviation, in grey levels, of the change since the picture before, from its median,
    so that what moves does not count; 0 for the first. still: whether nothing changed at all; False for the
    first.
    """

    peak: float
    brightness: float
    white: float
    structure: NDArray[np.float32]
    sharpness: float
    layout: float
    edges: float
    noise: float
    still: bool


def small_grey(rgb: NDArray[np.uint8]) -> Grey:
    """The luma of a uint8 `(H, W, 3)` picture at `SIZE`, float32, 0 to 255."""
    image = Image.fromarray(rgb)
    # First by whole numbers, which is fast, then antialiased.
    factor = max(min(image.height // (2 * SIZE[0]), image.width // (2 * SIZE[1])), 1)
    image = image.reduce(factor).convert("L").resize((SIZE[1], SIZE[0]), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)


def looks_of(grey: Grey) -> Looks:
    """What `measure` compares."""
    smooth = gaussian_filter(grey, FINE)
    edges = np.hypot(*np.gradient(smooth))
    return Looks(_normal(gaussian_filter(grey, COARSE)), _normal(gaussian_filter(edges, FINE)))


def measure(grey: Grey, before: Grey | None, usual: list[Looks]) -> Measures:
    """The measures of a small grey picture. usual: what the camera shows at its various hours."""
    smooth = gaussian_filter(grey, FINE)
    band = smooth - gaussian_filter(grey, MIDDLE)
    cells = band.reshape(CELLS[0], SIZE[0] // CELLS[0], CELLS[1], SIZE[1] // CELLS[1])
    seen = looks_of(grey)
    noise, still = 0.0, False
    if before is not None:
        change = grey - before
        still = not change.any()
        noise = float(1.4826 * np.median(np.abs(change - np.median(change))))
    return Measures(
        peak=float(np.percentile(grey, 99)),
        brightness=float(grey.mean()),
        white=float((grey >= WHITE).mean()),
        structure=cells.std(axis=(1, 3)),
        sharpness=float((grey - smooth).std()) / max(float(band.std()), 0.5),
        layout=max((_correlation(seen.layout, each.layout) for each in usual), default=1.0),
        edges=max((_correlation(seen.edges, each.edges) for each in usual), default=1.0),
        noise=noise,
        still=still,
    )


def _normal(picture: Grey) -> Grey:
    """With mean 0 and length 1; a flat picture becomes all zeros, which correlates with nothing."""
    centred = picture - picture.mean()
    length = float(np.linalg.norm(centred))
    if length < 0.1 * np.sqrt(centred.size):  # a tenth of a grey level on average: flat
        return np.zeros(picture.shape, dtype=np.float32)
    return np.asarray(centred / length, dtype=np.float32)


def _correlation(one: Grey, other: Grey) -> float:
    return float(np.vdot(one, other))
