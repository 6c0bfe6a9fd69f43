"""How soon an anomaly is found, and how long the alarm goes on when it is over (Section 6.3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.frame_level import LabelledScores

AFTER = 30
"""Frames after the end of a span in which a false alarm counts as its aftermath (three seconds of Ped2)."""


@dataclass(frozen=True)
class Delay:
    """What one threshold makes of labelled spans.

    frames: median over spans of the frames from the labelled start to the first score above the threshold, 0
    where that is the first frame; a span that is missed counts with its whole length. missed: spans without
    any. spans: how many there are. false_after: percent of the `AFTER` frames after each span, up to the next
    or the end of the clip, that score above the threshold; None where no span is followed by any.
    frames_after: how many these are.
    """

    frames: float
    missed: int
    spans: int
    false_after: float | None
    frames_after: int


def threshold_at(clips: Sequence[LabelledScores], false_alarms: float) -> float:
    """The threshold that this share (0 to 1) of the normal frames with a score lies above."""
    normal = np.concatenate([clip.scores[~clip.labels & ~np.isnan(clip.scores)] for clip in clips])
    return float(np.quantile(normal, 1 - false_alarms))


def detection_delay(clips: Sequence[LabelledScores], threshold: float) -> Delay:
    """Judges raw scores against one threshold for all clips.

    A span whose first frame has no score (it lies at the beginning of a clip) has no delay; what follows it
    still counts. A clip without any span counts for nothing. Raises `LatentwatchError` where no span is left.
    """
    delays: list[int] = []
    missed = 0
    after: list[bool] = []
    for clip in clips:
        above = clip.scores > threshold  # a frame without a score (NaN) is not
        edges = np.flatnonzero(np.diff(np.concatenate([[False], clip.labels, [False]]))).reshape(-1, 2)
        for (start, stop), (following, _) in pairwise([*edges.tolist(), (len(above), len(above))]):
            after += above[stop : min(stop + AFTER, following)].tolist()
            if np.isnan(clip.scores[start]):
                continue
            found = np.flatnonzero(above[start:stop])
            missed += len(found) == 0
            delays.append(int(found[0]) if len(found) else stop - start)
    if not delays:
        raise LatentwatchError(
            "no labelled span begins at a frame with a score; there is no delay to measure"
        )
    return Delay(
        frames=float(np.median(delays)),
        missed=missed,
        spans=len(delays),
        false_after=100 * float(np.mean(after)) if after else None,
        frames_after=len(after),
    )
