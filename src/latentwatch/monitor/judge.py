"""How well a model predicts held-out normal footage, and how many false alarms it would raise there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import fit_tail
from latentwatch.scoring.detector import Detector


@dataclass(frozen=True)
class Judged:
    """What a model made of some clips.

    scores: one array `(N,)` a clip, NaN where a frame has none. error: mean Z-MSE over the code's variance,
    which is that over the time of a clip, about each place's own mean. A code that stands still is predicted
    for nothing, but its variance is as small.
    """

    scores: list[NDArray[np.float64]]
    error: float

    @property
    def frames(self) -> int:
        """Frames that have a score."""
        return sum(int((~np.isnan(each)).sum()) for each in self.scores)


def judge(detector: Detector, clips: Sequence[Clip]) -> Judged:
    """Scores the clips, by the places that count for the detector.

    Raises as decoding does, and `LatentwatchError` where nothing changes in the clips.
    """
    kept = detector.kept
    scores, errors, variances = [], [], []
    for clip in clips:
        detector.reset()
        found, codes = [], []
        with clip.open() as frames:
            for frame in frames:
                picture = detector.prepare(frame)
                code = detector.engine.encode(picture[None])[0]
                result = detector.judge(frame, code, detector.motion.push(code), detector.speeds(picture))
                found.append(np.nan if result is None else result.score)
                codes.append(code[:, kept])
                if result is not None:
                    errors.append(float(result.error_map[kept].mean(dtype=np.float64)))
        scores.append(np.array(found, dtype=np.float64))
        variances.append(float(np.stack(codes).astype(np.float64).var(axis=0).mean()))
    variance = float(np.mean(variances)) if variances else 0.0
    if variance <= 0:
        raise LatentwatchError("nothing changes in the held-out footage, so no model can be judged by it")
    return Judged(scores, float(np.mean(errors)) / variance)


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
