"""What the page of budgets says: rows, a table, a sentence for each budget, and the plot."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from latentwatch.evaluation.plots import BLUE, ORANGE
from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.budget.count import Kept
from latentwatch.experiments.seeds import Plan

HEADER = (
    "| data set | promised a day | calibration's own 90% limits | false alarms | in hours | observed a day "
    "(95% limits) | the promise is | each part in its turn: mean (least to most) | anomalies found |",
    "|" + " --- |" * 9,
)


def budget_rows(plan: Plan, dataset: str, kept: Sequence[Kept]) -> list[Row]:
    """A row for each figure of each budget. Rates are of false alarms a day."""
    rows = []
    for each in kept:
        low, high = each.seen.limits
        figures = {
            "false_alarms_per_day": each.seen.per_day,
            "false_alarms_per_day_low95": low,
            "false_alarms_per_day_high95": high,
            "false_alarms": each.seen.alarms,
            "hours": each.seen.hours,
            "promised_low90": each.promised.low,
            "promised_high90": each.promised.high,
        }
        if len(each.turns) > 1:
            figures["false_alarms_per_day_in_turn"] = sum(each.turns) / len(each.turns)
        if each.events:
            figures["found_percent"] = 100 * each.found / each.events
        rows += [
            Row(
                preset="tiny joint",
                dataset=dataset,
                score=f"fused, {each.promised.per_day:g} a day promised",
                metric=metric,
                value=value,
                seeds=plan.seeds,
                status=plan.status,
            )
            for metric, value in figures.items()
        ]
    return rows


def budget_table(found: dict[str, Sequence[Kept]]) -> list[str]:
    """All budgets of all data sets, as lines of Markdown."""
    lines = list(HEADER)
    for dataset, kept in found.items():
        for each in kept:
            promised = each.promised
            turns = (
                f"{_rate(sum(each.turns) / len(each.turns))} "
                f"({_rate(min(each.turns))} to {_rate(max(each.turns))})"
                if len(each.turns) > 1
                else ""
            )
            cells = [
                dataset,
                f"{promised.per_day:g}",
                f"{_rate(promised.low)} to {_rate(promised.high)}" + ", too short" * promised.is_short,
                f"{each.seen.alarms}",
                f"{each.seen.hours:.3g}",
                _observed(each),
                each.verdict,
                turns,
                f"{each.found} of {each.events}" if each.events else "",
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def budget_remark(dataset: str, kept: Sequence[Kept]) -> str:
    """What the figures of one data set come to, in words."""
    by_verdict = {
        verdict: [f"{each.promised.per_day:g}" for each in kept if each.verdict == verdict]
        for verdict in ("broken", "within the limits", "kept, with fewer")
    }
    told = "; ".join(f"{verdict}: {', '.join(rates)}" for verdict, rates in by_verdict.items() if rates)
    # Where hours show no more than a handful of alarms, keeping a budget proves little.
    weak = [f"{each.promised.per_day:g}" for each in kept if _expected(each) < 3]
    text = f"{dataset}: budgets of false alarms a day, by whether they were kept. {told}."
    if weak:
        text += (
            f" The {kept[0].seen.hours:.2g} h are too short to see a budget of {', '.join(weak)} broken by "
            "a little: fewer than 3 alarms are promised in them."
        )
    if kept[0].events:
        least, most = min(kept, key=lambda each: each.found), max(kept, key=lambda each: each.found)
        text += f" Of {least.events} anomalies, {least.found} to {most.found} raise an alarm."
    return text


def _expected(each: Kept) -> float:
    return each.promised.per_day * each.seen.hours / 24


def _observed(each: Kept) -> str:
    low, high = each.seen.limits
    return f"{_rate(each.seen.per_day)} ({_rate(low)} to {_rate(high)})"


def _rate(per_day: float) -> str:
    """Two figures at least, and no powers of ten."""
    return f"{per_day:.0f}" if per_day >= 10 else f"{per_day:.2g}"


def plot_budgets(found: dict[str, Sequence[Kept]], path: Path) -> None:
    """Observed against promised false alarms a day, both logarithmic, with the observed rate's 95% limits.

    Where none was observed there is only the upper limit, drawn as a triangle that points down.
    """
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axes = figure.subplots()
    every = [each for kept in found.values() for each in kept]
    promised = [each.promised.per_day for each in every]
    seen = [value for each in every for value in (*each.seen.limits, each.seen.per_day) if value > 0]
    low, high = 0.5 * min(*promised, *seen), 2 * max(*promised, *seen)
    axes.plot([low, high], [low, high], color="0.6", linewidth=0.8, linestyle=":", label="as promised")
    for (dataset, kept), colour, mark in zip(found.items(), (BLUE, ORANGE), ("o", "s"), strict=False):
        some = [each for each in kept if each.seen.alarms]
        none = [each for each in kept if not each.seen.alarms]
        axes.errorbar(
            [each.promised.per_day for each in some],
            [each.seen.per_day for each in some],
            yerr=[
                [each.seen.per_day - each.seen.limits[0] for each in some],
                [each.seen.limits[1] - each.seen.per_day for each in some],
            ],
            fmt=mark,
            color=colour,
            capsize=3,
            markersize=5,
            label=f"{dataset}, with 95% limits",
        )
        if none:
            axes.plot(
                [each.promised.per_day for each in none],
                [each.seen.limits[1] for each in none],
                "v",
                color=colour,
                markerfacecolor="white",
                label=f"{dataset}: none seen, upper limit",
            )
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(0.5 * min(promised), 2 * max(promised)),
        ylim=(low, high),
        xlabel="promised false alarms a day",
        ylabel="observed false alarms a day",
    )
    axes.xaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_major_formatter("{x:g}")
    figure.legend(loc="outside lower center", frameon=False, ncols=2, fontsize=8)
    figure.savefig(path, dpi=150)
