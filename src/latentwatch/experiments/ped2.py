"""Table 2 on UCSD Ped2: train on several seeds, evaluate, and set the figures beside the paper's."""

from dataclasses import dataclass, field
from pathlib import Path

from latentwatch.evaluation.plots import plot_clips, plot_roc
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_result
from latentwatch.evaluation.run import Evaluation, evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, trained_seeds

PAPER = {"z_mse": 95.1, "p_mse": 90.9, "r_mse": 91.3}
"""The paper's micro AUC on Ped2 (Table 5, Conv3D)."""


@dataclass
class _Form:
    """What the seeds of one form of training gave so far."""

    evaluations: list[Evaluation] = field(default_factory=list)
    trainings: Trainings = field(default_factory=Trainings)


def reproduce_ped2(plan: Plan) -> Path:
    """Trains and evaluates each form; writes the page and the JSON anew after every seed.

    So a run that is stopped leaves the figures of the seeds that finished. Gives the page; raises as its
    parts do.
    """
    dataset = dataset_of(plan, "ped2")
    page = plan.results / f"{plan.name}.md"
    done: dict[str, _Form] = {}
    for name in plan.forms:
        for model, info in trained_seeds(plan, dataset, name):
            form = done.setdefault(name, _Form())
            form.evaluations.append(evaluate_model(model, dataset, info.calibration, say=plan.say))
            form.trainings.add(info)
            page = _write(plan, done)
    return page


def _write(plan: Plan, done: dict[str, _Form]) -> Path:
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
        rows=[row for name, form in done.items() for row in _rows(plan, name, form)],
        **describe_run(),
    )
    return write_result(result, plan.results, plots)


def _rows(plan: Plan, name: str, form: _Form) -> list[Row]:
    found = [each.by_metric() for each in form.evaluations]
    return [
        mean_row(
            plan,
            form.trainings,
            form=name,
            dataset="ped2",
            score=score,
            metric=metric,
            values=[each[score, metric] for each in found],
            paper=PAPER.get(score) if metric == "auc_micro" else None,
        )
        for score, metric in found[0]
    ]


PED2 = Experiment(
    name="ped2",
    paper="Table 2 (Ped2)",
    about="AUC, EER and localisation of our three scores",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2010),
    quick_work=Work(trained=450, scored=690),
    run=reproduce_ped2,
)
