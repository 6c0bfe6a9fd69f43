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


def calibrate(held_out: Sequence[ClipScores], pixel_threshold: float | None = None) -> Calibration:
    """Thresholds from held-out normal footage, scored with pixel scores or given its pixel threshold.

    Raises `LatentwatchError` where no frame has a score.
    """
    scored = [clip for clip in held_out if not np.isnan(clip.z_mse).all()]
    scores = np.concatenate([clip.z_mse for clip in held_out])
    frames = int((~np.isnan(scores)).sum())
    if not frames:
        raise LatentwatchError("no held-out frame has a score: the clips are too short to calibrate on")
    if pixel_threshold is None:
        pixel_maps = [clip.pixel_maps for clip in held_out if clip.pixel_maps is not None]
        if pixel_maps:
            pixel_threshold = float(np.nanquantile(np.concatenate(pixel_maps), PLACE_QUANTILE))
    return Calibration(
        threshold=float(np.nanquantile(scores, QUANTILE)),
        place_threshold=float(
            np.nanquantile(np.concatenate([clip.error_maps for clip in scored]), PLACE_QUANTILE)
        ),
        pixel_threshold=pixel_threshold,
        frames=frames,
    )
