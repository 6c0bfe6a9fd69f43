"""Thresholds from held-out normal footage."""

from collections.abc import Sequence

import numpy as np

from latentwatch.bundle.bundle import Calibration
from latentwatch.errors import LatentwatchError
from latentwatch.scoring.batch import ClipScores

QUANTILE = 0.995
"""Share of normal frames, and of normal places, that stay below the threshold."""


def calibrate(held_out: Sequence[ClipScores]) -> Calibration:
    """Thresholds that `QUANTILE` of the held-out normal footage stays below.

    Raises `LatentwatchError` where no frame has a score.
    """
    scored = [~np.isnan(clip.z_mse) for clip in held_out]
    frames = sum(int(known.sum()) for known in scored)
    if not frames:
        raise LatentwatchError("no held-out frame has a score: the clips are too short to calibrate on")
    scores = np.concatenate([clip.z_mse[known] for clip, known in zip(held_out, scored, strict=True)])
    places = np.concatenate(
        [clip.error_maps[known].ravel() for clip, known in zip(held_out, scored, strict=True)]
    )
    return Calibration(
        threshold=float(np.quantile(scores, QUANTILE)),
        place_threshold=float(np.quantile(places, 1 - (1 - QUANTILE) / 10)),
        frames=frames,
    )
