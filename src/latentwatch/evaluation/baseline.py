"""Scores the test clips of a data set with any system behind the `Scorer` interface, and judges them."""

from collections.abc import Callable

from latentwatch.baselines.scorer import Scorer
from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.frame_level import LabelledScores, frame_level
from latentwatch.evaluation.run import Evaluation, judged_clips
from latentwatch.scoring.baseline import stream_scores


def evaluate_scorer(
    scorer: Scorer,
    dataset: Dataset,
    *,
    window: int | None = None,
    unscored_as_first: bool = False,
    say: Callable[[str], None] = print,
) -> Evaluation:
    """The system's score on `dataset.test`, by the same protocol as ours (`frame_level`), without places.

    The one score is called by the system's name. Raises `UsageError` where a clip has no labels, and as
    decoding and `frame_level` do.
    """
    clips = []
    for clip, labels in judged_clips(dataset, say):
        with clip.open(scorer.size) as frames:
            clips.append(LabelledScores(clip.name, stream_scores(scorer, frames), labels))
    figure = frame_level(clips, window=window, unscored_as_first=unscored_as_first)
    return Evaluation({scorer.name: clips}, {scorer.name: figure}, {})
