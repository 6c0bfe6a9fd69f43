"""Scores the test clips of a data set with any system behind the `Scorer` interface, and judges them."""

from collections.abc import Callable

from latentwatch.baselines.scorer import Scorer
from latentwatch.datasets.dataset import Dataset
from latentwatch.errors import UsageError
from latentwatch.evaluation.frame_level import LabelledScores, frame_level
from latentwatch.evaluation.run import Evaluation
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
    for number, clip in enumerate(dataset.test, start=1):
        if clip.labels is None:
            raise UsageError(f"{dataset.name}: test clip {clip.name} has no labels to judge by")
        with clip.open(scorer.size) as frames:
            clips.append(LabelledScores(clip.name, stream_scores(scorer, frames), clip.labels))
        say(f"scored test clip {clip.name} ({number} of {len(dataset.test)})")
    figure = frame_level(clips, window=window, unscored_as_first=unscored_as_first)
    return Evaluation({scorer.name: clips}, {scorer.name: figure}, {})
