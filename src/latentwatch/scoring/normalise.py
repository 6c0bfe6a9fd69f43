"""Eq. 3: anomaly scores brought to the range [0, 1] within a set of frames G."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d


def normalise_clip(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eq. 3 with G = all scored frames of a clip. NaN (no score) stays NaN; a constant clip becomes 0."""
    if np.isnan(scores).all():
        return scores.copy()
    low, high = np.nanmin(scores), np.nanmax(scores)
    return (scores - low) / (high - low) if high > low else np.where(np.isnan(scores), np.nan, 0.0)


def normalise_window(scores: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Eq. 3 with G = the `window` frames around each frame (the paper's choice for ShanghaiTech).

    A frame at a clip's edge has the frames of its window that exist. NaN stays NaN. Raises `ValueError`
    for a window below 2.
    """
    if window < 2:
        raise ValueError(f"a window needs at least 2 frames, not {window}")
    missing = np.isnan(scores)
    low = minimum_filter1d(np.where(missing, np.inf, scores), window, mode="constant", cval=np.inf)
    high = maximum_filter1d(np.where(missing, -np.inf, scores), window, mode="constant", cval=-np.inf)
    spread = high - low
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(spread > 0, (scores - low) / spread, 0.0)
    return np.where(missing, np.nan, scaled)
