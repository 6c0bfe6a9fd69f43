from dataclasses import replace

import numpy as np
import pytest
from clips import moving_square

from latentwatch.baselines.scorer import Scorer
from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import UsageError
from latentwatch.evaluation.baseline import evaluate_scorer


class Clock(Scorer):
    """Scores a frame by its place in the clip, from the third on."""

    name = "clock"
    size = (32, 48)
    frames_needed = 3

    def __init__(self):
        self.seen = 0

    def step(self, rgb):
        assert rgb.shape == (32, 48, 3)
        self.seen += 1
        return float(self.seen) if self.seen >= 3 else None

    def reset(self):
        self.seen = 0


def dataset(folder, labels):
    for name in "ab":
        moving_square(folder / name, frames=10)
    clips = [replace(clip, labels=labels) for clip in clips_in(folder)]
    return Dataset("small", [], clips, "ped2")


def test_any_scorer_is_judged_by_the_protocol(tmp_path):
    told = []
    labels = np.arange(10) >= 6
    result = evaluate_scorer(Clock(), dataset(tmp_path, labels), say=told.append)
    figure = result.figures["clock"]
    assert figure.auc_micro == figure.auc_raw == 100
    assert (figure.frames, figure.unscored, figure.clips) == (16, 4, 2)
    for clip in result.clips["clock"]:  # each clip begins anew
        np.testing.assert_array_equal(clip.scores, [np.nan, np.nan, *range(3, 11)])
    assert told == ["scored test clip a (1 of 2)", "scored test clip b (2 of 2)"]
    assert result.localisation == {}
    late = evaluate_scorer(
        Clock(), dataset(tmp_path / "again", labels), unscored_as_first=True, say=told.append
    )
    assert late.figures["clock"].frames == 20


def test_clips_without_labels_cannot_be_judged(tmp_path):
    with pytest.raises(UsageError, match="small: test clip a has no labels to judge by"):
        evaluate_scorer(Clock(), dataset(tmp_path, None))
