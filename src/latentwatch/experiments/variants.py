"""What Tables 4 and 5 share: variants of our system, trained alike, and their three scores side by side."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from latentwatch.bundle.bundle import BundleInfo
from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.plots import BLUE, ORANGE, error_bars
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import Evaluation, evaluate_model
from latentwatch.experiments.rows import Trainings, mean_row, of_seeds, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, only_form, trained_model
from latentwatch.models.presets import Motion, Reconstruction

SCORES = ("r_mse", "z_mse", "p_mse")
"""The scores in the order of the paper's tables."""

Figures = dict[str, tuple[float, float]]
"""The paper's micro AUC by score, with its 95% confidence interval."""


@dataclass(frozen=True)
class Variant:
    """One column of a table. paper: its figures on the data set `paper_dataset`.

    settings: what else of the training is not as in the plan, by field.
    """

    name: str
    paper: Figures = field(default_factory=dict)
    motion: Motion = "conv3d"
    reconstruction: Reconstruction = "mse"
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Done:
    """What the seeds of a variant gave so far."""

    evaluations: list[Evaluation] = field(default_factory=list)
    infos: list[BundleInfo] = field(default_factory=list)

    @property
    def trainings(self) -> Trainings:
        """What the seeds' models say of their training."""
        found = Trainings()
        for info in self.infos:
            found.add(info)
        return found

    def auc(self, score: str) -> tuple[float, float | None] | None:
        """Micro AUC over the seeds, with its confidence interval; None where there is no such score."""
        if score not in self.evaluations[0].figures:
            return None
        return mean_ci95([each.figures[score].auc_micro for each in self.evaluations])


def ped2_without_masks(plan: Plan) -> Dataset:
    """Ped2 as the plan wants it, to be judged by frames alone."""
    dataset = dataset_of(plan, "ped2")
    return replace(dataset, test=[replace(clip, load_masks=None) for clip in dataset.test])


def reproduce_variants(
    plan: Plan,
    variants: Sequence[Variant],
    paper_dataset: str | None,
    rows_of: Callable[[Variant, Done], list[Row]],
    about: str,
    remark: str,
) -> Path:
    """Trains and judges the variants; writes the page and the JSON anew after every model (`write_table`).

    Gives the page; raises `UsageError` for a plan of more than one form, and as its parts do.
    """
    dataset = ped2_without_masks(plan)
    page = plan.results / f"{plan.name}.md"
    for done in evaluated(plan, dataset, variants):
        page = write_table(plan, variants, done, paper_dataset, rows_of, about, remark)
    return page


def evaluated(plan: Plan, dataset: Dataset, variants: Sequence[Variant]) -> Iterator[dict[str, Done]]:
    """Trains and judges, seed by seed, each variant; gives all there is after every model."""
    form = only_form(plan)
    done: dict[str, Done] = {}
    for seed in range(plan.seeds):
        for variant in variants:
            one, name = variant_plan(plan, form, variant)
            plan.say(f"{variant.name}, seed {seed}")
            model, info = trained_model(one, dataset, name, seed)
            found = done.setdefault(variant.name, Done())
            found.evaluations.append(evaluate_model(model, dataset, info.calibration, say=plan.say))
            found.infos.append(info)
            yield done


def variant_plan(plan: Plan, form: str, variant: Variant) -> tuple[Plan, str]:
    """The plan with this variant as its one form, and the form's name; the paper's own keeps its name."""
    changes: list[str] = [
        each for each, usual in ((variant.motion, "conv3d"), (variant.reconstruction, "mse")) if each != usual
    ]
    changes += [f"{key}-{value}" for key, value in variant.settings.items()]
    name = "-".join([form, *changes])
    settings = plan.forms[form].model_copy(
        update={"reconstruction": variant.reconstruction, **variant.settings}
    )
    architecture = plan.architecture.model_copy(update={"motion": variant.motion})
    return replace(plan, architecture=architecture, forms={name: settings}), name


def row(
    plan: Plan,
    variant: Variant,
    done: Done,
    score: str,
    metric: str,
    values: Sequence[float],
    paper: float | None = None,
) -> Row:
    """A row of the result: the mean of what the seeds gave."""
    return mean_row(
        plan,
        done.trainings,
        form=f"{only_form(plan)}, {variant.name}",
        dataset="ped2",
        score=score if score != "z_mse" or variant.motion != "autoregressive" else "z_nll",
        metric=metric,
        values=values,
        paper=paper,
    )


def auc_rows(plan: Plan, variant: Variant, done: Done, *, same_data: bool) -> list[Row]:
    """Micro and macro AUC of each score. same_data: whether the paper's figures are of this data set."""
    rows = []
    for score in SCORES:
        if score not in done.evaluations[0].figures:
            continue
        figures = [each.figures[score] for each in done.evaluations]
        paper = variant.paper[score][0] if same_data and score in variant.paper else None
        rows.append(row(plan, variant, done, score, "auc_micro", [each.auc_micro for each in figures], paper))
        rows.append(row(plan, variant, done, score, "auc_macro", [each.auc_macro for each in figures]))
    return rows


def write_table(
    plan: Plan,
    variants: Sequence[Variant],
    done: dict[str, Done],
    paper_dataset: str | None,
    rows_of: Callable[[Variant, Done], list[Row]],
    about: str,
    remark: str,
) -> Path:
    """Writes the page, the JSON and the plot of what is done, the paper's figures beside; gives the page.

    paper_dataset: what the paper's figures were measured on; None where it has none. about: what the
    protocol adds to the AUC's. remark: what the paper says, to be followed by the best variant here by each
    score.
    """
    plot = f"{plan.name}.png"
    known = [variant for variant in variants if variant.name in done]
    plot_table(known, done, paper_dataset, plan.results / plot)
    rows = [row for variant in known for row in rows_of(variant, done[variant.name])]
    settings = settings_with_commits(plan, [each.trainings for each in done.values()])
    # Each row names the motion model and the loss of its variant.
    shared = {
        key: value
        for key, value in settings.items()
        if key != "motion" and not key.endswith(" reconstruction")
    }
    protocol = next(iter(done.values())).evaluations[0].figures["z_mse"].protocol
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=f"{protocol}; {about}" if about else protocol,
        settings=shared,
        rows=rows,
        remarks=[f"{remark} {_best(known, done)}"],
        **describe_run(),
    )
    caption = f"Micro AUC{of_seeds(plan.seeds)} on ped2" + (
        f"; crosses: the paper's, on {paper_dataset}." if paper_dataset else "."
    )
    return write_page(result, plan.results, {plot: caption})


def _best(variants: Sequence[Variant], done: dict[str, Done]) -> str:
    parts = []
    for score in SCORES:
        found = {each.name: auc for each in variants if (auc := done[each.name].auc(score))}
        name = max(found, key=lambda each: found[each][0])
        parts.append(f"{score} with {name} ({found[name][0]:.1f})")
    return f"Here the micro AUC is highest, of {len(variants)}: {', '.join(parts)}."


def quoted_rows(variants: Sequence[Variant], dataset: str) -> list[Row]:
    """The paper's own figures, where they are of a data set that is not here."""
    return [
        Row(
            preset=f"paper, {variant.name}",
            dataset=dataset,
            score=score,
            metric="auc_micro",
            value=value,
            ci95=ci95,
            seeds=4,
            status="quoted",
        )
        for variant in variants
        for score, (value, ci95) in variant.paper.items()
    ]


def plot_table(
    variants: Sequence[Variant], done: dict[str, Done], paper_dataset: str | None, path: Path
) -> None:
    """The three scores of each variant, with confidence intervals, and the paper's figures."""
    figure = Figure(figsize=(2 + 1.2 * len(variants), 3.6), layout="constrained")
    axes = figure.subplots()
    for number, (score, colour) in enumerate(zip(SCORES, ("0.6", BLUE, ORANGE), strict=True)):
        label = {"r_mse": "R-MSE", "z_mse": "Z", "p_mse": "P-MSE"}[score]
        for place, variant in enumerate(variants):
            at = place + 0.27 * (number - 1)
            found = done[variant.name].auc(score)
            if found:
                axes.errorbar(
                    at, found[0], error_bars([found[1]]), fmt="o", color=colour, capsize=3, label=label
                )
                label = "_"  # in the legend once
            if score in variant.paper:
                axes.plot(at, variant.paper[score][0], "x", color=colour, markersize=6)
    if paper_dataset:
        axes.plot([], [], "x", color="black", markersize=6, label=f"paper ({paper_dataset})")
    axes.set_xticks(range(len(variants)), [variant.name for variant in variants], fontsize=9)
    axes.set(ylabel="micro AUC (%)", xlim=(-0.6, len(variants) - 0.4))
    axes.grid(axis="y", color="0.9", linewidth=0.6)
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.savefig(path, dpi=150)
