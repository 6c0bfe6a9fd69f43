"""From an error map to one score a frame. Eq. 2 takes the mean; the peak looks for the worst place."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

PEAK_SIDE = 3
"""Places along each side of the square that the peak is averaged over."""


def peak(error_maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """The highest mean error over a square of `PEAK_SIDE` places, for maps `(N, h, w)`; NaN stays NaN.

    Unlike the mean it does not grow with the number of ordinary things in view. Places beyond the map's edge
    count as 0.
    """
    if not len(error_maps):
        return np.empty(0)
    smooth = ndimage.uniform_filter(error_maps.astype(np.float64), (0, PEAK_SIDE, PEAK_SIDE), mode="constant")
    return np.asarray(smooth.max(axis=(1, 2)))
