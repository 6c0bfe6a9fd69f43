"""Beyond the paper: other scores from the same latent error map, at no more than Z-MSE's cost.

What a score needs to know is learned from held-out normal footage. Nothing is chosen by the test labels:
every variant is a row, the paper's Z-MSE ("mean") among them.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.frame_level import METRICS, FrameLevel, LabelledScores, frame_level
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_result
from latentwatch.evaluation.run import judged_clips
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.mahalanobis import ErrorCovariance, latent_differences
from latentwatch.scoring.pooling import Maps, UsualError, pooled, variants
from latentwatch.training.frames import build_store, frames_of

Judged = dict[str, FrameLevel]
"""Figures by the name of the score."""


def reproduce_beyond(plan: Plan) -> Path:
    """Trains the seeds of each form, or takes them finished, and judges every variant of the score.

    Writes the page anew after every seed and gives its path. Raises as training and decoding do.
    """
    dataset = dataset_of(plan, "ped2")
    page = plan.results / f"{plan.name}.md"
    done: dict[str, list[Judged]] = {}
    trainings: dict[str, Trainings] = {}
    for form in plan.forms:
        for model, info in trained_seeds(plan, dataset, form):
            done.setdefault(form, []).append(_judge(plan, model, dataset))
            trainings.setdefault(form, Trainings()).add(info)
            page = _write(plan, done, trainings)
    return page


def _judge(plan: Plan, model: Decoupled, dataset: Dataset) -> Judged:
    architecture = model.architecture
    store = build_store(dataset.train, architecture.size, plan.runs / dataset.name / "normal-frames")
    _, held_out = store.split(architecture.span)
    normal = [latent_differences(model, frames_of(store, *run)) for run in held_out]
    usual = UsualError.of(np.concatenate([_error_maps(each) for each in normal]))
    covariance = ErrorCovariance.of(normal)
    clips: dict[str, list[LabelledScores]] = {}
    for clip, labels in judged_clips(dataset, plan.say):
        with clip.open(architecture.size) as frames:
            differences = latent_differences(model, frames)
        found = variants(_error_maps(differences), usual)
        distances = pooled(covariance.maps(differences))
        found |= {f"mahalanobis {name}": scores for name, scores in distances.items()}
        unscored = np.full(architecture.warm_up, np.nan)
        for name, scores in found.items():
            all_scores = np.concatenate([unscored, scores])
            clips.setdefault(name, []).append(LabelledScores(clip.name, all_scores, labels))
    return {name: frame_level(parts) for name, parts in clips.items()}


def _error_maps(differences: NDArray[np.float32]) -> Maps:
    """Eq. 2's error by place, float32 `(N, h, w)`."""
    return np.asarray(np.square(differences).mean(axis=1))


def _write(plan: Plan, done: dict[str, list[Judged]], trainings: dict[str, Trainings]) -> Path:
    first = next(iter(done.values()))[0]
    rows = [
        mean_row(
            plan,
            trainings[form],
            form=form,
            dataset="ped2",
            score=f"z {score}",
            metric=metric,
            values=[getattr(each[score], metric) for each in judged],
        )
        for form, judged in done.items()
        for score in first
        for metric in METRICS
    ]
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=first["mean"].protocol,
        settings=settings_with_commits(plan, list(trainings.values())),
        rows=rows,
        **describe_run(),
    )
    return write_result(result, plan.results, {})


BEYOND = Experiment(
    name="beyond",
    paper="not in it",
    about="other scores from the latent error map",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2400),
    quick_work=Work(trained=450, scored=900),
    run=reproduce_beyond,
)
