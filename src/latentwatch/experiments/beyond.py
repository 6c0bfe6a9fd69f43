"""Beyond the paper: other scores from the same latent codes, at about Z-MSE's cost, without the decoder.

What a score needs to know is learned from normal footage. Nothing is chosen by the test labels: every
variant is a row, the paper's Z-MSE ("mean") among them. All are judged once more on altered copies of the
normal footage, some in bad weather too, and which is highest there is what a choice may go by.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from latentwatch.datasets.altered import altered
from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.derived import corrupted
from latentwatch.evaluation.frame_level import METRICS, LabelledScores
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import judged_clips
from latentwatch.experiments.beyond_scores import BeyondScores
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.kept_figures import Figures, KeptFigures, judged_at, kept_figures
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, seed_folder, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.codes import encoded
from latentwatch.scoring.flow import flow_maps
from latentwatch.video.corrupt import Corruption

COPIES = 3
"""Altered copies of each clip of normal footage: one for each way to alter it."""

TEST, ALTERED = "ped2", "altered ped2"
"""What the rows name as their data sets."""

WEATHER = ("rain=heavy", "fog=0.6", "noise=0.08", "shake=6", "jpeg=10", "dusk=1")
"""What altered footage is judged in as well, since a camera's owner cannot choose the weather."""

IN_WEATHER = ("mean", "speed", "mean + 2 speed", "horizons + 2 speed")
"""The scores that are judged so."""

Judged = dict[str, Figures]
"""Of one model, by the data set: test clips, altered copies of its normal footage, and these in weather."""


@dataclass(frozen=True)
class _Seed:
    model: Decoupled
    scores: BeyondScores
    kept: KeptFigures


def reproduce_beyond(plan: Plan) -> Path:
    """Trains the seeds of each form, or takes them finished, and judges every variant of the score.

    Gives the page's path. What a data set gave is kept with each model: a run that is stopped goes on with
    the next. Raises as training, decoding and `altered` do.
    """
    dataset = dataset_of(plan, "ped2")
    data_sets = _data_sets(plan, dataset)
    done: dict[str, list[KeptFigures]] = {}
    trainings: dict[str, Trainings] = {}
    for form in plan.forms:
        unfinished: list[_Seed] = []
        done[form], trainings[form] = [], Trainings()
        for number, (model, info) in enumerate(trained_seeds(plan, dataset, form)):
            trainings[form].add(info)
            kept = kept_figures(plan, dataset, form, number, "beyond")
            done[form].append(kept)
            if kept.figures.keys() >= data_sets.keys():
                continue
            settings = plan.forms[form].model_copy(update={"seed": number})
            folder = seed_folder(plan, dataset, form, number) / "horizons"
            unfinished.append(_Seed(model, BeyondScores(model, settings, dataset, folder, plan), kept))
        for name, judged in data_sets.items():
            missing = [seed for seed in unfinished if name not in seed.kept.figures]
            if missing:
                plan.say(f"judging {name}")
                _judge(plan, name, judged, missing)
    return _write(plan, list(data_sets), done, trainings)


def _data_sets(plan: Plan, dataset: Dataset) -> dict[str, Dataset]:
    """What is judged, by its name in the rows."""
    changed = altered(dataset.train, copies=COPIES)
    # One copy of each clip, all ways and spans by turns: drawing rain takes longer than scoring.
    one = [clip for place, clip in enumerate(changed.test) if place % COPIES == place // COPIES % COPIES]
    weather = {
        f"{ALTERED}, {how}": replace(changed, test=[corrupted(clip, Corruption.parse(how)) for clip in one])
        for how in WEATHER[: 1 if plan.quick else None]
    }
    return {TEST: dataset, ALTERED: changed, **weather}


def _judge(plan: Plan, name: str, dataset: Dataset, seeds: Sequence[_Seed]) -> None:
    """Judges each seed on one data set. Frames are made, and their flow is measured, once for all."""
    size, places = plan.architecture.size, plan.architecture.code_shape[1:]
    clips: list[dict[str, list[LabelledScores]]] = [{} for _ in seeds]
    for clip, labels in judged_clips(dataset, plan.say):
        with clip.open(size) as opened:
            frames = list(opened)
        flow = flow_maps(frames, places)
        for seed, of_seed in zip(seeds, clips, strict=True):
            observed = encoded(seed.model, frames)
            for score, found in seed.scores.of(observed, flow, distances=name in (TEST, ALTERED)).items():
                of_seed.setdefault(score, []).append(LabelledScores(clip.name, found, labels))
    for seed, of_seed in zip(seeds, clips, strict=True):
        seed.kept.judge(name, of_seed)


def _write(
    plan: Plan, data_sets: Sequence[str], done: dict[str, list[KeptFigures]], trainings: dict[str, Trainings]
) -> Path:
    first = next(iter(done.values()))[0]
    rows = [
        mean_row(
            plan,
            trainings[form],
            form=form,
            dataset=dataset,
            score=f"z {score}",
            metric=metric,
            values=[each.figures[dataset][score][metric] for each in judged],
        )
        for form, judged in done.items()
        for dataset in data_sets
        for score in (first.figures[dataset] if dataset in (TEST, ALTERED) else IN_WEATHER)
        for metric in (METRICS if dataset == TEST else ("auc_micro",))
    ]
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=f"{first.protocols[TEST]}; {ALTERED}: {first.protocols[ALTERED]}",
        settings=settings_with_commits(plan, list(trainings.values()))
        | judged_at(each for judged in done.values() for each in judged),
        remarks=[
            line
            for form, judged in done.items()
            for line in _remarks(form, [{name: each.figures[name] for name in data_sets} for each in judged])
        ],
        rows=rows,
        **describe_run(),
    )
    return write_page(result, plan.results, {})


def _remarks(form: str, judged: list[Judged]) -> list[str]:
    """Which scores are above Z-MSE whatever the seed, and by how much; and which altered footage prefers."""
    gains = []
    for score in judged[0][TEST]:
        points = {
            metric: [each[TEST][score][metric] - each[TEST]["mean"][metric] for each in judged]
            for metric in ("auc_micro", "auc_macro", "auc_raw")
        }
        if min(points["auc_micro"]) > 0:
            by = ", ".join(f"{name.removeprefix('auc_')} {np.mean(of):+.1f}" for name, of in points.items())
            gains.append(f"{score} ({by})")
    means = {
        name: {
            score: float(np.mean([each[name][score]["auc_micro"] for each in judged])) for score in figures
        }
        for name, figures in judged[0].items()
    }
    on_altered = means.pop(ALTERED)
    del means[TEST]
    ranked = sorted(on_altered, key=lambda score: -on_altered[score])[:5]
    highest = ", ".join(f"{score} ({on_altered[score]:.1f})" for score in ranked)
    weather = " or ".join(name.removeprefix(f"{ALTERED}, ") for name in means)
    in_weather = {score: float(np.mean([each[score] for each in means.values()])) for score in IN_WEATHER}
    return [
        f"Form {form}, seeds: {len(judged)}. Above Z-MSE (z mean) in micro AUC with every seed, by so many "
        f"points on average: {'; '.join(gains) or 'none'}.",
        "By normal footage alone, objects in each of its clips made faster, larger or moving across: the "
        f"highest micro AUC there have {highest}; Z-MSE {on_altered['mean']:.1f}.",
        f"One copy of each clip in {weather}, micro AUC on average: "
        f"{', '.join(f'{score} {value:.1f}' for score, value in in_weather.items())}.",
    ]


BEYOND = Experiment(
    name="beyond",
    paper="not in it",
    about="other scores from the latent codes",
    dataset="ped2",
    preset="ped2",
    # The motion models of other horizons take about as long again as the training.
    work=Work(trained=2 * 2550, scored=10_000 + 2550 * len(WEATHER)),
    quick_work=Work(trained=2 * 450, scored=2650),
    run=reproduce_beyond,
)
