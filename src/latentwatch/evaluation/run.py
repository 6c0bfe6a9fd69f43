"""Scores the test clips of a data set with one model, and judges them."""

from collections.abc import Callable
from dataclasses import dataclass

from latentwatch.datasets.dataset import Dataset
from latentwatch.errors import UsageError
from latentwatch.evaluation.frame_level import FrameLevel, LabelledScores, frame_level
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import score_clip

SCORES = ("z_mse", "p_mse", "r_mse")


@dataclass(frozen=True)
class Evaluation:
    """Scores of every test clip and their figures, by the name of the score (`SCORES`)."""

    clips: dict[str, list[LabelledScores]]
    figures: dict[str, FrameLevel]


def evaluate_model(
    model: Decoupled,
    dataset: Dataset,
    *,
    window: int | None = None,
    unscored_as_first: bool = False,
    say: Callable[[str], None] = print,
) -> Evaluation:
    """Z-MSE, P-MSE and R-MSE on `dataset.test`, each judged over the frames that have it.

    Raises `UsageError` where a clip has no labels, and as decoding and `frame_level` do.
    """
    clips: dict[str, list[LabelledScores]] = {name: [] for name in SCORES}
    for number, clip in enumerate(dataset.test, start=1):
        if clip.labels is None:
            raise UsageError(f"{dataset.name}: test clip {clip.name} has no labels to judge by")
        with clip.open(model.architecture.size) as frames:
            scores = score_clip(model, frames, pixel_scores=True)
        for name in SCORES:
            clips[name].append(LabelledScores(clip.name, getattr(scores, name), clip.labels))
        say(f"scored test clip {clip.name} ({number} of {len(dataset.test)})")
    figures = {
        name: frame_level(part, window=window, unscored_as_first=unscored_as_first)
        for name, part in clips.items()
    }
    return Evaluation(clips, figures)
