"""`latentwatch reproduce budget`: is the promise of at most N false alarms a day kept?

Scores are made once and kept; the budgets are then judged on them. What calibrates, what is watched and what
the model learned from are apart.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add
from pathlib import Path

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.budget.count import Counted, Kept, Scored, count_alarms, judge_budget
from latentwatch.experiments.budget.footage import (
    FORM,
    PED2_EPOCHS,
    QUICK,
    Amounts,
    Street,
    ped2_scores,
    street_scores,
)
from latentwatch.experiments.budget.page import budget_remark, budget_rows, budget_table, plot_budgets
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.live.camera import RULES as SHORT_RULES
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.small_street import FPS, SIZE
from latentwatch.models.presets import WIDTHS
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import fit_tail, promise

STREET_BUDGETS = (1, 4, 24, 96)
"""False alarms a day."""

PED2_BUDGETS = (480, 960, 2880)
"""20, 40 and 120 an hour: of rarer ones, four minutes of footage say nothing."""


def reproduce_budget(plan: Plan) -> Path:
    """Judges budgets on hours of the street, then on Ped2 where `plan.data` is given; gives the page.

    It is written anew after each seed of the street, and after Ped2. Alarms and hours of the seeds add up.
    Goes on where an earlier run was stopped. Raises as its parts do.
    """
    amounts = QUICK if plan.quick else Amounts()
    streets: list[Street] = []
    found: dict[str, Sequence[Kept]] = {}
    for seed in range(plan.seeds):
        streets.append(street_scores(plan, amounts, seed))
        found["street"] = [_street_budget(streets, per_day) for per_day in STREET_BUDGETS]
        # A page between says how many seeds it has, and the command that gives just these.
        _write(replace(plan, seeds=seed + 1, data=None), amounts, found, streets, "")
    skipped = _skipped(plan)
    if not skipped:
        folds = [fold for seed in range(plan.seeds) for fold in ped2_scores(plan, seed)]
        try:
            found["ped2"] = [_ped2_budget(folds, per_day) for per_day in PED2_BUDGETS]
        except LatentwatchError as error:
            skipped = f"Ped2 has too little normal footage to promise anything by a third of it: {error}."
    return _write(plan, amounts, found, streets, skipped)


def _skipped(plan: Plan) -> str:
    """Why Ped2 is left out; empty where it is not."""
    if plan.quick:
        return "Ped2 is left out of a quick look."
    return "" if plan.data else "Ped2 is left out: give its folder with --data."


def _street_budget(streets: Sequence[Street], per_day: float) -> Kept:
    rules = AlarmRules()
    return _together([judge_budget(each.parts, each.tests, per_day, rules, FPS) for each in streets])


def _together(seeds: Sequence[Kept]) -> Kept:
    """The seeds as one: alarms, hours and anomalies add up. The promise is that of the first."""
    return Kept(
        seeds[0].promised,
        reduce(add, (each.seen for each in seeds)),
        [turn for each in seeds for turn in each.turns],
        sum(each.found for each in seeds),
        sum(each.events for each in seeds),
    )


def _ped2_budget(folds: Sequence[tuple[list[Scored], list[Scored]]], per_day: float) -> Kept:
    """The folds as one. The promise's limits are those of the first fold."""
    tails = [fit_tail([clip.scores for clip in calibrating], SHORT_RULES, FPS) for calibrating, _ in folds]
    seen = [
        count_alarms(watched, tail, tail.threshold(per_day), SHORT_RULES, FPS)
        for tail, (_, watched) in zip(tails, folds, strict=True)
    ]
    return Kept(promise(tails[0], per_day), reduce(add, seen, Counted(0, 0.0)), [], 0, 0)


def _write(
    plan: Plan, amounts: Amounts, found: dict[str, Sequence[Kept]], streets: Sequence[Street], skipped: str
) -> Path:
    plot = f"{plan.name}.png"
    plot_budgets(found, plan.results / plot)
    part = amounts.clips * amounts.frames / FPS / 3600
    command = "latentwatch reproduce budget" + " --data DIR" * (not _skipped(plan)) + " --quick" * plan.quick
    result = ResultFile(
        name=plan.name,
        command=f"{command} --seeds {plan.seeds}",
        protocol="the rules of `watch` over scores of normal footage that neither the model nor the budget "
        "has seen; the limits of the observed rate are exact ones of a Poisson count, 95%. "
        f"Street: {amounts.parts} parts of {part:.2g} h in clips of {amounts.frames / FPS / 60:.2g} min, "
        "each with other people and other light; the first calibrates, the others are watched; then each in "
        "its turn, where the same footage is watched several times. "
        "Anomalies: clips in which an alarm touches labelled frames. Ped2: three folds of its 16 normal "
        "clips (255 s); a fold learns from every third clip, the next third calibrates, the last is watched, "
        "so that each is watched once; rules for short clips (quiet and cool-down 1 s)",
        settings={
            "width": "tiny",
            "base_width": WIDTHS["tiny"],
            "size": f"{SIZE[0]}x{SIZE[1]}",
            "form": FORM,
            "street's epochs": amounts.epochs,
            "street's frames to learn from": amounts.train * amounts.run,
            "ped2's epochs": PED2_EPOCHS,
            "frames a second": FPS,
            "engine": streets[0].engine,
        },
        rows=[row for dataset, kept in found.items() for row in budget_rows(plan, dataset, kept)],
        remarks=[budget_remark(dataset, kept) for dataset, kept in found.items()] + [skipped] * bool(skipped),
        **describe_run(),
    )
    plots = {plot: "Observed against promised false alarms a day, with exact 95% limits."}
    return write_page(result, plan.results, plots, budget_table(found))


BUDGET = Experiment(
    name="budget",
    paper="not in it",
    about="is a budget of false alarms a day kept? (always width tiny; Ped2 too with --data)",
    dataset=None,
    preset="ped2",
    work=Work(trained=400, scored=60000),
    quick_work=Work(trained=100, scored=3000),
    run=reproduce_budget,
)
