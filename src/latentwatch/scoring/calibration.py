"""Thresholds from held-out normal footage."""

from collections.abc import Sequence

import numpy as np

from latentwatch.bundle.bundle import Calibration
from latentwatch.errors import LatentwatchError
from latentwatch.scoring.batch import ClipScores

QUANTILE = 0.995
"""Share of normal frames whose score stays below the threshold."""

PLACE_QUANTILE = 0.9995
"""Share of normal places, and of normal pixels, whose error stays below theirs."""


def calibrate(held_out: Sequence[ClipScores]) -> Calibration:
    """Thresholds from held-out normal footage, scored with pixel scores.

    Raises `LatentwatchError` where no frame has a score.
    """
    scores = np.concatenate([clip.z_mse for clip in held_out])
    frames = int((~np.isnan(scores)).sum())
    if not frames:
        raise LatentwatchError("no held-out frame has a score: the clips are too short to calibrate on")
    pixel_maps = [clip.pixel_maps for clip in held_out if clip.pixel_maps is not None]
    return Calibration(
        threshold=float(np.nanquantile(scores, QUANTILE)),
        place_threshold=float(
            np.nanquantile(np.concatenate([m.error_maps for m in held_out]), PLACE_QUANTILE)
        ),
        pixel_threshold=float(np.nanquantile(np.concatenate(pixel_maps), PLACE_QUANTILE))
        if pixel_maps
        else None,
        frames=frames,
    )
