"""One data set: train on several seeds, evaluate all our scores, and set the figures beside the paper's."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from latentwatch.evaluation.frame_level import frame_level
from latentwatch.evaluation.plots import plot_clips, plot_roc
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import Evaluation, evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, trained_seeds

PAPER = {"ped2": {"z_mse": 95.1, "p_mse": 90.9, "r_mse": 91.3}}
"""The paper's micro AUC by data set (Table 5, Conv3D)."""


@dataclass
class _Form:
    """What the seeds of one form of training gave so far."""

    evaluations: list[Evaluation] = field(default_factory=list)
    trainings: Trainings = field(default_factory=Trainings)


def reproduce_accuracy(plan: Plan, name: str) -> Path:
    """Trains and evaluates each form on the data set called `name`.

    The page and the JSON are written anew after every seed, so that a run that is stopped leaves the figures
    of the seeds that finished. Gives the page; raises as its parts do.
    """
    dataset = dataset_of(plan, name)
    page = plan.results / f"{plan.name}.md"
    done: dict[str, _Form] = {}
    for form_name in plan.forms:
        for model, info in trained_seeds(plan, dataset, form_name):
            form = done.setdefault(form_name, _Form())
            form.evaluations.append(
                evaluate_model(model, dataset, info.calibration, fusion=info.fusion, say=plan.say)
            )
            form.trainings.add(info)
            page = _write(plan, name, done)
    return page


def _write(plan: Plan, dataset: str, done: dict[str, _Form]) -> Path:
    plots = {}
    for name, form in done.items():
        first = form.evaluations[0]
        # The result's own name tells a single form already.
        stem = plan.name if len(plan.forms) == 1 else f"{plan.name}-{name}"
        plot_roc(first.figures, plan.results / f"{stem}-roc.png")
        plot_clips(first.clips["z_mse"], plan.results / f"{stem}-clips.png")
        plots[f"{stem}-roc.png"] = f"ROC curves of seed 0, form {name}."
        plots[f"{stem}-clips.png"] = (
            f"Z-MSE of seed 0, form {name}, on the test clips after Eq. 3; labelled spans are shaded."
        )
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=next(iter(done.values())).evaluations[0].figures["z_mse"].protocol,
        settings=settings_with_commits(plan, [form.trainings for form in done.values()]),
        rows=[row for name, form in done.items() for row in _rows(plan, dataset, name, form)],
        **describe_run(),
    )
    return write_page(result, plan.results, plots)


def _rows(plan: Plan, dataset: str, name: str, form: _Form) -> list[Row]:
    found = [each.by_metric() for each in form.evaluations]
    paper = PAPER.get(dataset, {})
    rows = [
        mean_row(
            plan,
            form.trainings,
            form=name,
            dataset=dataset,
            score=score,
            metric=metric,
            values=[each[score, metric] for each in found],
            paper=paper.get(score) if metric == "auc_micro" else None,
        )
        for score, metric in found[0]
    ]
    if dataset == "street":
        rows += _rows_of_clips(plan, name, form)
    return rows


def _rows_of_clips(plan: Plan, name: str, form: _Form) -> list[Row]:
    """The street's clips one by one: each shows one kind of anomaly and is called by it."""
    first = form.evaluations[0].clips
    return [
        mean_row(
            plan,
            form.trainings,
            form=name,
            dataset=f"street, {clip.name}",
            score=score,
            metric="auc_micro",
            values=[frame_level([each.clips[score][number]]).auc_micro for each in form.evaluations],
        )
        for number, clip in enumerate(first["z_mse"])
        for score in first
    ]


PED2 = Experiment(
    name="ped2",
    paper="Table 2 (Ped2)",
    about="AUC, EER and localisation of our three scores",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2010),
    quick_work=Work(trained=450, scored=690),
    run=partial(reproduce_accuracy, name="ped2"),
)

STREET = Experiment(
    name="street",
    paper="not in it",
    about="the same on the built-in street, and its kinds of anomaly one by one",
    dataset="street",
    preset="ped2",
    work=Work(trained=1600, scored=1400),
    quick_work=Work(trained=600, scored=800),
    run=partial(reproduce_accuracy, name="street"),
)
