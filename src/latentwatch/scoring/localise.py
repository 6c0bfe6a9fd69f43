"""Where in the picture the error is: boxes from an error map."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.fusion import Fusion

FINENESS = 4
"""Steps between two neighbouring places of an error map where regions are sought in it. More would cost more
time than the networks, for edges that the map does not know."""

SMALLEST = 1e-12
"""A threshold of 0 counts as this."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the frame, `left <= x < right`, `top <= y < bottom`; score: its peak error."""

    left: int
    top: int
    right: int
    bottom: int
    score: float


def unusual_places(
    error_maps: NDArray[np.float32],
    calibration: Calibration,
    speed_maps: NDArray[np.float32] | None = None,
    fusion: Fusion | None = None,
) -> NDArray[np.float32]:
    """How unusual each place is, `(..., h, w)`, 1 being its threshold: by its latent error or by its speed.

    speed_maps: relative speeds, where the score has them in it.
    """
    by_error = np.asarray(error_maps / np.float32(max(calibration.place_threshold, SMALLEST)))
    if speed_maps is None or fusion is None:
        return by_error
    return np.asarray(np.maximum(by_error, speed_maps / np.float32(fusion.place_threshold)))


def upsample(error_map: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """An error map `(h, w)` at `size` = `(height, width)`, bilinear."""
    image = Image.fromarray(np.ascontiguousarray(error_map, dtype=np.float32))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def boxes_from_map(
    error_map: NDArray[np.float32],
    threshold: float,
    size: tuple[int, int],
    kept: NDArray[np.bool_] | None = None,
) -> list[Box]:
    """Boxes around the connected regions of `error_map` above `threshold`, in a frame of `size`.

    Works alike for a latent error map (no decoder) and a pixel error map (Fig. 2). Highest score first. Edges
    are exact to a place of the map over `FINENESS`, or to a pixel where that is coarser. kept: bool at any
    size, the parts of the frame that count; no box reaches out of them.
    """
    if error_map.max() <= threshold:  # nearly every frame; upsampling adds no higher value
        return []
    height, width = (
        min(FINENESS * places, pixels) for places, pixels in zip(error_map.shape, size, strict=True)
    )
    fine = upsample(error_map, (height, width))
    if kept is not None:
        rows, columns = (np.arange(n) * places // n for n, places in zip(fine.shape, kept.shape, strict=True))
        fine = np.where(kept[np.ix_(rows, columns)], fine, 0)
    regions, _ = ndimage.label(fine > threshold)
    boxes = []
    for number, place in enumerate(ndimage.find_objects(regions), start=1):
        down, across = place
        boxes.append(
            Box(
                across.start * size[1] // width,
                down.start * size[0] // height,
                -(-across.stop * size[1] // width),
                -(-down.stop * size[0] // height),
                float(fine[place][regions[place] == number].max()),
            )
        )
    return sorted(boxes, key=lambda box: -box.score)
