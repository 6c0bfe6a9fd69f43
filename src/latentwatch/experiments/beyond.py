"""Beyond the paper: other scores from the same latent codes, at about Z-MSE's cost, without the decoder.

What a score needs to know is learned from normal footage. Nothing is chosen by the test labels: every
variant is a row, the paper's Z-MSE ("mean") among them. All are judged once more on altered copies of the
normal footage, and which is highest there is what a choice may go by.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latentwatch.datasets.altered import altered
from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.evaluation.frame_level import METRICS, FrameLevel, LabelledScores, frame_level
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import judged_clips
from latentwatch.experiments.beyond_scores import BeyondScores
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, seed_folder, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.codes import encoded
from latentwatch.scoring.flow import FlowMaps, flow_maps

COPIES = 3
"""Altered copies of each clip of normal footage: one for each way to alter it."""

ALTERED = "altered ped2"
"""What the rows of altered footage name as their data set."""

Figures = dict[str, FrameLevel]
"""Of one model on one data set, by the name of the score."""


@dataclass(frozen=True)
class Judged:
    """What one model's scores reach on the test clips, and on altered copies of its normal footage."""

    test: Figures
    altered: Figures


def reproduce_beyond(plan: Plan) -> Path:
    """Trains the seeds of each form, or takes them finished, and judges every variant of the score.

    Writes the page anew after every seed and gives its path. Raises as training, decoding and `altered` do.
    """
    dataset = dataset_of(plan, "ped2")
    changed = altered(dataset.train, copies=COPIES)
    plan.say(f"optical flow of {len(dataset.test) + len(changed.test)} clips")
    flow = {clip.name: _flow_maps(plan, clip) for clip in (*dataset.test, *changed.test)}
    page = plan.results / f"{plan.name}.md"
    done: dict[str, list[Judged]] = {}
    trainings: dict[str, Trainings] = {}
    for form in plan.forms:
        for model, info in trained_seeds(plan, dataset, form):
            seed = len(done.get(form, []))
            settings = plan.forms[form].model_copy(update={"seed": seed})
            folder = seed_folder(plan, dataset, form, seed) / "horizons"
            scores = BeyondScores(model, settings, dataset, folder, plan)
            judged = Judged(*(_judge(plan, model, each, scores, flow) for each in (dataset, changed)))
            done.setdefault(form, []).append(judged)
            trainings.setdefault(form, Trainings()).add(info)
            page = _write(plan, done, trainings)
    return page


def _judge(
    plan: Plan, model: Decoupled, dataset: Dataset, scores: BeyondScores, flow: Mapping[str, FlowMaps]
) -> Figures:
    clips: dict[str, list[LabelledScores]] = {}
    for clip, labels in judged_clips(dataset, plan.say):
        with clip.open(model.architecture.size) as frames:
            observed = encoded(model, frames)
        for name, found in scores.of(observed, flow[clip.name]).items():
            clips.setdefault(name, []).append(LabelledScores(clip.name, found, labels))
    return {name: frame_level(judged) for name, judged in clips.items()}


def _flow_maps(plan: Plan, clip: Clip) -> FlowMaps:
    with clip.open(plan.architecture.size) as frames:
        return flow_maps(frames, plan.architecture.code_shape[1:])


def _write(plan: Plan, done: dict[str, list[Judged]], trainings: dict[str, Trainings]) -> Path:
    first = next(iter(done.values()))[0]
    rows = [
        mean_row(
            plan,
            trainings[form],
            form=form,
            dataset=dataset,
            score=f"z {score}",
            metric=metric,
            values=[getattr(each[score], metric) for each in figures],
        )
        for form, judged in done.items()
        for dataset, figures, metrics in (
            ("ped2", [each.test for each in judged], METRICS),
            (ALTERED, [each.altered for each in judged], ("auc_micro",)),
        )
        for score in first.test
        for metric in metrics
    ]
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=f"{first.test['mean'].protocol}; {ALTERED}: {first.altered['mean'].protocol}",
        settings=settings_with_commits(plan, list(trainings.values())),
        remarks=[line for form, judged in done.items() for line in _remarks(form, judged)],
        rows=rows,
        **describe_run(),
    )
    return write_page(result, plan.results, {})


def _remarks(form: str, judged: list[Judged]) -> list[str]:
    """Which scores are above Z-MSE whatever the seed, and by how much; and which altered footage prefers."""
    gains = []
    for score in judged[0].test:
        points = {
            metric: [
                getattr(each.test[score], metric) - getattr(each.test["mean"], metric) for each in judged
            ]
            for metric in ("auc_micro", "auc_macro", "auc_raw")
        }
        if min(points["auc_micro"]) > 0:
            by = ", ".join(f"{name.removeprefix('auc_')} {np.mean(of):+.1f}" for name, of in points.items())
            gains.append(f"{score} ({by})")
    on_altered = {
        score: float(np.mean([each.altered[score].auc_micro for each in judged]))
        for score in judged[0].altered
    }
    ranked = sorted(on_altered, key=lambda score: -on_altered[score])[:5]
    highest = ", ".join(f"{score} ({on_altered[score]:.1f})" for score in ranked)
    return [
        f"Form {form}, seeds: {len(judged)}. Above Z-MSE (z mean) in micro AUC with every seed, by so many "
        f"points on average: {'; '.join(gains) or 'none'}.",
        "By normal footage alone, objects in each of its clips made faster, larger or moving across: the "
        f"highest micro AUC there have {highest}; Z-MSE {on_altered['mean']:.1f}.",
    ]


BEYOND = Experiment(
    name="beyond",
    paper="not in it",
    about="other scores from the latent codes",
    dataset="ped2",
    preset="ped2",
    # The motion models of other horizons take about as long again as the training.
    work=Work(trained=2 * 2550, scored=10_000),
    quick_work=Work(trained=2 * 450, scored=2200),
    run=reproduce_beyond,
)
