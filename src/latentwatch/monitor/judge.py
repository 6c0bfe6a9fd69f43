"""How well a model predicts held-out normal footage, and how many false alarms it would raise there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import fit_tail
from latentwatch.monitor.zones import score_of
from latentwatch.scoring.detector import Detector


@dataclass(frozen=True)
class Judged:
    """What a model made of some clips.

    scores: one array `(N,)` a clip, NaN where a frame has none. error: mean score over the code's variance,
    which is that over the time of a clip, about each place's own mean. A code that stands still is predicted
    for nothing, but its variance is as small.
    """

    scores: list[NDArray[np.float64]]
    error: float

    @property
    def frames(self) -> int:
        """Frames that have a score."""
        return sum(int((~np.isnan(each)).sum()) for each in self.scores)


def judge(detector: Detector, clips: Sequence[Clip], kept: NDArray[np.bool_]) -> Judged:
    """Scores the clips. kept: bool `(h, w)`, the places that count, see `kept_places`.

    Raises as decoding does, and `LatentwatchError` where nothing changes in the clips.
    """
    scores, variances = [], []
    for clip in clips:
        detector.reset()
        found, codes = [], []
        with clip.open() as frames:
            for frame in frames:
                code = detector.engine.encode(detector.prepare(frame)[None])[0]
                result = detector.judge(frame, code, detector.motion.push(code))
                found.append(np.nan if result is None else score_of(result.error_map, kept))
                codes.append(code[:, kept])
        scores.append(np.array(found, dtype=np.float64))
        variances.append(float(np.stack(codes).astype(np.float64).var(axis=0).mean()))
    variance = float(np.mean(variances)) if variances else 0.0
    if variance <= 0:
        raise LatentwatchError("nothing changes in the held-out footage, so no model can be judged by it")
    return Judged(scores, float(np.nanmean(np.concatenate(scores))) / variance)


def false_alarms(
    scores: Sequence[NDArray[np.float64]], rules: AlarmRules, fps: float, threshold: float
) -> float:
    """How often a day a threshold would be passed, by the tails of both halves of the clips.

    Raises `LatentwatchError` where a half is too short for that.
    """
    tails = [fit_tail(half, rules, fps) for half in _halves(scores)]
    return float(np.mean([tail.per_day(max(threshold, tail.start)) for tail in tails]))


def false_alarms_of_budget(
    scores: Sequence[NDArray[np.float64]], rules: AlarmRules, fps: float, per_day: float
) -> float:
    """The same for the thresholds that a budget gets: each half's threshold is judged by the other half.

    Raises as `false_alarms` does.
    """
    one, other = (fit_tail(half, rules, fps) for half in _halves(scores))
    found = [
        judging.per_day(max(fitted.threshold(per_day), judging.start))
        for fitted, judging in ((one, other), (other, one))
    ]
    return float(np.mean(found))


def _halves(
    scores: Sequence[NDArray[np.float64]],
) -> tuple[Sequence[NDArray[np.float64]], Sequence[NDArray[np.float64]]]:
    """Every second clip, so that both halves are of all the time."""
    return scores[0::2], scores[1::2]
