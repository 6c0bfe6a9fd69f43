"""The frame-level protocol: from scores and labels of test clips to AUC and EER. All of it is here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score, roc_curve

from latentwatch.errors import LatentwatchError
from latentwatch.scoring.normalise import normalise_clip, normalise_window

METRICS = ("auc_micro", "auc_macro", "auc_raw", "eer")
"""The figures of `FrameLevel`, for the rows of a result."""

NO_MACRO = "no macro AUC, as no clip has frames of both kinds"


@dataclass(frozen=True)
class LabelledScores:
    """One test clip: anomaly scores `(N,)`, NaN where there is none; labels `(N,)`, True = anomalous."""

    name: str
    scores: NDArray[np.float64]
    labels: NDArray[np.bool_]


@dataclass(frozen=True)
class FrameLevel:
    """Frame-level figures, in percent.

    auc_micro: all frames pooled after Eq. 3 per clip. auc_macro: mean AUC of the clips that have frames of
    both kinds (their number is macro_clips), NaN where none has. auc_raw: pooled without Eq. 3. eer: where
    misses equal false alarms on the micro curve, whose points are fpr and tpr in [0, 1]. frames: judged;
    unscored: left out.
    """

    auc_micro: float
    auc_macro: float
    auc_raw: float
    eer: float
    clips: int
    macro_clips: int
    frames: int
    unscored: int
    window: int | None
    fpr: NDArray[np.float64]
    tpr: NDArray[np.float64]

    @property
    def protocol(self) -> str:
        """The protocol in one line, to be printed with every result."""
        scope = "per clip" if self.window is None else f"over a sliding window of {self.window} frames"
        macro = f"macro over {self.macro_clips} clips with both kinds" if self.macro_clips else NO_MACRO
        return (
            f"micro AUC over {self.clips} clips after Eq. 3 {scope}; {self.frames} frames judged, "
            f"{self.unscored} without a score left out; {macro}"
        )


def frame_level(
    clips: Sequence[LabelledScores], *, window: int | None = None, unscored_as_first: bool = False
) -> FrameLevel:
    """Judges `clips`.

    window: apply Eq. 3 over so many frames around each frame instead of the whole clip. unscored_as_first:
    judge frames without a score as the first scored frame of their clip instead of leaving them out.
    Raises `LatentwatchError` where the judged frames are not of both kinds, or lengths do not fit.
    """
    raw_parts, scaled_parts, label_parts, clip_aucs = [], [], [], []
    unscored = 0
    for clip in clips:
        if len(clip.scores) != len(clip.labels):
            raise LatentwatchError(f"{clip.name}: {len(clip.scores)} scores, but {len(clip.labels)} labels")
        scores = _first_for_missing(clip.scores) if unscored_as_first else clip.scores
        scaled = normalise_clip(scores) if window is None else normalise_window(scores, window)
        known = ~np.isnan(scores)
        unscored += int((~known).sum())
        labels = clip.labels[known]
        raw_parts.append(scores[known])
        scaled_parts.append(scaled[known])
        label_parts.append(labels)
        if labels.any() and not labels.all():
            clip_aucs.append(roc_auc_score(labels, scores[known]))
    labels = np.concatenate(label_parts) if label_parts else np.zeros(0, dtype=bool)
    if not labels.any() or labels.all():
        raise LatentwatchError(
            "an AUC needs both normal and anomalous frames with a score; there are not both"
        )
    pooled = np.concatenate(scaled_parts)
    fpr, tpr, _ = roc_curve(labels, pooled)
    return FrameLevel(
        auc_micro=100 * float(roc_auc_score(labels, pooled)),
        auc_macro=100 * float(np.mean(clip_aucs)) if clip_aucs else float("nan"),
        auc_raw=100 * float(roc_auc_score(labels, np.concatenate(raw_parts))),
        eer=100 * equal_error_rate(fpr, tpr),
        clips=len(clips),
        macro_clips=len(clip_aucs),
        frames=len(labels),
        unscored=unscored,
        window=window,
        fpr=fpr,
        tpr=tpr,
    )


def equal_error_rate(fpr: NDArray[np.float64], tpr: NDArray[np.float64]) -> float:
    """Where the line `1 - tpr = fpr` cuts the ROC curve, in [0, 1]; linear between its points."""
    gap = fpr - (1 - tpr)  # rises from -1 to 1 along the curve
    after = int(np.argmax(gap >= 0))
    if gap[after] == 0 or after == 0:
        return float(fpr[after])
    share = -gap[after - 1] / (gap[after] - gap[after - 1])
    return float(fpr[after - 1] + share * (fpr[after] - fpr[after - 1]))


def _first_for_missing(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.flatnonzero(~np.isnan(scores))
    return np.where(np.isnan(scores), scores[known[0]], scores) if len(known) else scores
