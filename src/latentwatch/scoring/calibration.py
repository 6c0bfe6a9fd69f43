"""Thresholds from held-out normal footage."""

from collections.abc import Sequence

import numpy as np

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.fusion import Fusion
from latentwatch.errors import LatentwatchError
from latentwatch.scoring.batch import ClipScores
from latentwatch.scoring.flow import FlowMaps
from latentwatch.scoring.fusion import SMALLEST_SPEED, SPEED_WEIGHT, usual_score, z_mse_and_speed
from latentwatch.scoring.usual_flow import STILL, UsualFlow, fastest

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


def learn_fusion(
    seen: Sequence[FlowMaps], held_out: Sequence[FlowMaps], scores: Sequence[ClipScores]
) -> Fusion:
    """How Z-MSE and speed are made one score, from a camera's normal footage.

    seen: flow maps of clips that the model has learned from. held_out: of those that it has not, whose
    scores are `scores`. Frames without a Z-MSE do not count; one at least has it, see `calibrate`.
    Both tell how speed varies, as the model has not learned it: what is held out may be quiet hours alone.
    """
    usual = UsualFlow.of(seen)
    known = [~np.isnan(clip.z_mse) for clip in scores]
    warm_up = max(int(np.argmax(scored)) for scored in known)
    z_mse = np.concatenate([clip.z_mse[scored] for clip, scored in zip(scores, known, strict=True)])
    of_scored = [usual.speeds(clip[scored]) for clip, scored in zip(held_out, known, strict=True)]
    maps = np.concatenate([*of_scored, *(usual.speeds(clip[warm_up:]) for clip in seen)])
    speeds = fastest(maps)
    fusion = Fusion(
        highest_speeds=usual.highest_speeds.tolist(),
        velocities=usual.velocities.tolist(),
        direction_weight=usual.direction_weight,
        z_mse=usual_score(z_mse),
        speed=usual_score(speeds, SMALLEST_SPEED),
        speed_weight=SPEED_WEIGHT,
        threshold=1,
        place_threshold=max(float(np.quantile(maps, PLACE_QUANTILE)), STILL),
    )
    scored = z_mse_and_speed(z_mse, speeds[: len(z_mse)], fusion)
    # What is usual but for its speed, and as fast as normal footage is, must not be called unusual.
    fast = z_mse_and_speed(np.exp([fusion.z_mse.mean]), np.quantile(speeds, [QUANTILE]), fusion)
    return fusion.model_copy(update={"threshold": max(float(np.quantile(scored, QUANTILE)), float(fast[0]))})
