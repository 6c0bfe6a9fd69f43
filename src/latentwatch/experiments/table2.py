"""Table 2: frame-level AUC of Z-MSE on every data set that is there, among the paper's rows."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

from latentwatch.datasets.registry import present
from latentwatch.evaluation.intervals import with_interval
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import FUSED, evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, trained_seeds
from latentwatch.experiments.speed.page import Table
from latentwatch.models.presets import TABLE1, Architecture

SETS = ("ped1", "ped2", "avenue", "shanghaitech")

OURS = {"ped1": (85.0, 0.3), "ped2": (95.1, 0.4), "avenue": (88.8, 0.3), "shanghaitech": (73.9, 0.1)}
"""The paper's own row of Table 2: AUC and half of the 95% interval over 4 runs."""

OTHERS: dict[str, dict[str, float]] = {
    "MDT (2010)": {"ped1": 81.8, "ped2": 82.9},
    "ConvAE (2016)": {"ped1": 81.0, "ped2": 90.0, "avenue": 70.2},
    "ConvLSTM (2017)": {"ped1": 75.5, "ped2": 88.1, "avenue": 77.0},
    "Unmasking (2017)": {"ped1": 68.4, "ped2": 82.2, "avenue": 80.6},
    "Hinami (2017)": {"ped2": 92.2},
    "StackRNN (2017)": {"ped2": 92.2, "avenue": 81.7},
    "FFP-MC (2018)": {"ped1": 83.1, "ped2": 95.4, "avenue": 84.9, "shanghaitech": 72.8},
    "LatentAuto (2019)": {"ped2": 95.4, "shanghaitech": 72.5},
    "AnomalyNet (2019)": {"ped1": 83.5, "ped2": 94.9, "avenue": 86.1},
    "AM-Corr (2019)": {"ped2": 96.2, "avenue": 86.9},
    "MEMAE (2019)": {"ped2": 94.1, "avenue": 83.3, "shanghaitech": 71.2},
    "DOR (2020)": {"ped1": 71.7, "ped2": 83.2},
    "MNAD (2020)": {"ped2": 97.0, "avenue": 88.5, "shanghaitech": 70.5},
}
"""AUC of the other systems as the paper's Table 2 quotes them."""


SCORES = {"z_mse": "", FUSED: ", Z-MSE and speed"}
"""Ours: the paper's, and what models score by whose file says how; what their rows of the table add."""

_Done = dict[tuple[str, str, str], Row]
"""By form, data set and score."""


def reproduce_table2(plan: Plan) -> Path:
    """Trains and judges the seeds of each form on each data set, as `reproduce ped2` does on that one.

    Ped2's models are the same files as that command's. Writes the page anew after every seed and gives it;
    raises as its parts do.
    """
    found = present(SETS, plan.data)
    page = plan.results / f"{plan.name}.md"
    done: _Done = {}
    trainings: list[Trainings] = []
    for name in found:
        part = plan_for(plan, name)
        dataset = dataset_of(part, name)
        for form in plan.forms:
            plan.say(f"{name}, form {form}: {plan.seeds} seeds")
            trainings.append(Trainings())
            values: dict[str, list[float]] = {}
            for model, info in trained_seeds(part, dataset, form):
                judged = evaluate_model(model, dataset, info.calibration, fusion=info.fusion, say=plan.say)
                trainings[-1].add(info)
                for score in SCORES:
                    if score not in judged.figures:
                        continue
                    values.setdefault(score, []).append(judged.figures[score].auc_micro)
                    done[form, name, score] = mean_row(
                        part,
                        trainings[-1],
                        form=form,
                        dataset=name,
                        score=score,
                        metric="auc_micro",
                        values=values[score],
                        paper=OURS[name][0] if score == "z_mse" else None,
                    )
                page = _write(plan, done, trainings)
    return page


def plan_for(plan: Plan, dataset: str) -> Plan:
    """The part of `plan` on one data set: its folder, and its line of Table 1 at the plan's width."""
    assert plan.data is not None  # else `present` had raised
    architecture = Architecture.model_validate(plan.architecture.model_dump() | TABLE1[dataset])
    width = plan.preset.partition("/")[2]
    return replace(plan, data=plan.data / dataset, architecture=architecture, preset=f"{dataset}/{width}")


def _write(plan: Plan, done: _Done, trainings: list[Trainings]) -> Path:
    settings = settings_with_commits(plan, trainings)
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=(
            "micro AUC over all test clips after Eq. 3 per clip, frames without a score left out; "
            "mean and 95% interval over seeds; input size, k and blocks of each data set as in Table 1; "
            "rows marked quoted are the paper's figures, not measured here"
        ),
        settings={key: value for key, value in settings.items() if key not in TABLE1["ped2"]},
        rows=[*done.values(), *_quoted()],
        **describe_run(),
    )
    return write_page(result, plan.results, {}, [*_table(plan, done).markdown(), "## All figures", ""])


def _quoted() -> Iterable[Row]:
    def row(system: str, dataset: str, value: float, ci95: float | None = None, seeds: int = 1) -> Row:
        return Row(
            system=system,
            preset="its own",
            dataset=dataset,
            score="its own",
            metric="auc_micro",
            value=value,
            ci95=ci95,
            seeds=seeds,
            status="quoted",
        )

    for system, figures in OTHERS.items():
        for dataset, value in figures.items():
            yield row(system, dataset, value)
    for dataset, (value, ci95) in OURS.items():
        yield row("decoupled, the paper's", dataset, value, ci95, 4)


def _table(plan: Plan, done: _Done) -> Table:
    """In the paper's form, ours of each form of training last."""
    rows = [
        [f"{system}, quoted", *(_cell(figures.get(name)) for name in SETS)]
        for system, figures in OTHERS.items()
    ]
    rows.append(["ours in the paper, 4 runs, quoted", *(_cell(*OURS[name]) for name in SETS)])
    for form, (score, more) in product(plan.forms, SCORES.items()):
        ours = [done.get((form, name, score)) for name in SETS]
        if any(ours):
            seeds = max(row.seeds for row in ours if row)
            cells = [_cell(row.value, row.ci95) if row else "-" for row in ours]
            rows.append([f"ours here, form {form}{more}, {seeds} seed{'s' * (seeds != 1)}", *cells])
    return Table("Table 2: frame-level AUC (%)", ("system", *SETS), rows)


def _cell(value: float | None, ci95: float | None = None) -> str:
    return "-" if value is None else with_interval(value, ci95)


TABLE2 = Experiment(
    name="table2",
    paper="Table 2",
    about="AUC of Z-MSE and the fused score on those of four data sets that are there (minutes: of Ped2)",
    dataset=None,
    any_of=SETS,
    preset="ped2",
    work=Work(trained=2550, scored=2010),
    quick_work=Work(trained=450, scored=690),
    run=reproduce_table2,
)
