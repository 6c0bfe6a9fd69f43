"""Section 5.1, Fig. 3: only every d-th frame, in training and test. Does Z-MSE bear it better than P-MSE?"""

from dataclasses import replace
from pathlib import Path

from matplotlib.figure import Figure

from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.derived import every
from latentwatch.evaluation.plots import BLUE, GREEN, ORANGE, error_bars
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import FUSED, TITLES, Evaluation, evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, of_seeds, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, only_form, trained_model

STEPS, QUICK_STEPS = (1, 2, 3, 4, 5, 8), (1, 3, 5)
"""The values of d."""

METRICS = ("auc_micro", "auc_macro")


def reproduce_frame_rate(plan: Plan) -> Path:
    """Trains and judges one model for each d and seed; writes the page after each.

    The models of d = 1 are those of other experiments on the same data. Gives the page. Raises `UsageError`
    for a plan of more than one form, and as training does.
    """
    form = only_form(plan)
    whole = dataset_of(plan, "ped2")
    once = plan.forms[form]
    page = plan.results / f"{plan.name}.md"
    done: dict[int, list[Evaluation]] = {}
    trainings: dict[int, Trainings] = {}
    for seed in range(plan.seeds):
        for step in QUICK_STEPS if plan.quick else STEPS:
            plan.say(f"seed {seed}: one frame in {step}")
            dataset = thinned(whole, step)
            # As many steps of training for each d, over fewer frames: else a large d is a model half trained.
            longer = replace(plan, forms={form: once.model_copy(update={"epochs": once.epochs * step})})
            model, info = trained_model(longer, dataset, form, seed)
            judged = evaluate_model(model, dataset, info.calibration, fusion=info.fusion, say=lambda _: None)
            done.setdefault(step, []).append(judged)
            trainings.setdefault(step, Trainings()).add(info)
            page = _write(plan, done, trainings)
    return page


def thinned(dataset: Dataset, step: int) -> Dataset:
    """The data set with one frame in `step`, without masks; one in 1 is called as the whole set is.

    Training clips begin with their first frame. Test clips are there once from each of the first `step`
    frames on, so that all frames are judged whatever `step` is, but for the first of each.
    """
    test = [every(clip, step, first) for clip in dataset.test for first in range(step)]
    if step == 1:
        return replace(dataset, test=test)
    train = [every(clip, step) for clip in dataset.train]
    return replace(dataset, name=f"{dataset.name}-every-{step}", train=train, test=test)


def _write(plan: Plan, done: dict[int, list[Evaluation]], trainings: dict[int, Trainings]) -> Path:
    rows = {
        (step, score, metric): mean_row(
            plan,
            trainings[step],
            form=only_form(plan),
            dataset=f"ped2, 1 frame in {step}",
            score=score,
            metric=metric,
            values=[getattr(each.figures[score], metric) for each in evaluations],
        )
        for step, evaluations in done.items()
        for score in TITLES
        if score in evaluations[0].figures
        for metric in METRICS
    }
    judged = ", ".join(f"{each[0].figures['z_mse'].frames} at d = {step}" for step, each in done.items())
    _plot(rows, list(done), plan.results / f"{plan.name}-curves.png")
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol="every d-th frame kept in training and test, so that the six steps ahead are 6 d frames of "
        "the footage; d times the epochs below for each d, so as many steps of training over fewer frames; a "
        "test clip is judged d times, from each of its first d frames on; micro AUC after Eq. 3 per clip, "
        "macro over clips with both kinds; the first "
        f"{plan.architecture.warm_up} frames kept of a clip have no score; frames judged: {judged}",
        settings=settings_with_commits(plan, list(trainings.values())),
        remarks=[_remark(rows, list(done))] if len(done) > 1 else [],
        rows=list(rows.values()),
        **describe_run(),
    )
    plots = {f"{plan.name}-curves.png": f"AUC{of_seeds(plan.seeds)} over d (Fig. 3)."}
    return write_page(result, plan.results, plots)


def _remark(rows: dict[tuple[int, str, str], Row], steps: list[int]) -> str:
    """Whether the paper's claim holds here, counted."""
    above = sum(
        rows[step, "z_mse", "auc_micro"].value > rows[step, "p_mse", "auc_micro"].value for step in steps
    )
    change = {
        score: rows[steps[-1], score, "auc_micro"].value - rows[steps[0], score, "auc_micro"].value
        for score in TITLES
        if (steps[0], score, "auc_micro") in rows
    }
    fused = f", {change[FUSED]:+.1f} (Z-MSE and speed, not in the paper)" if FUSED in change else ""
    return (
        f"The paper (Fig. 3): both fall with d, and Z-MSE is above P-MSE throughout, most at large d. Here "
        f"Z-MSE is above P-MSE at {above} of {len(steps)} values of d; from d = {steps[0]} to {steps[-1]} "
        f"micro AUC changes by {change['z_mse']:+.1f} points (Z-MSE), {change['p_mse']:+.1f} (P-MSE){fused}."
    )


def _plot(rows: dict[tuple[int, str, str], Row], steps: list[int], path: Path) -> None:
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2, sharey=True), METRICS, strict=True):
        for score, colour, style in zip(TITLES, (BLUE, ORANGE, GREEN), ("o-", "s--", "^:"), strict=True):
            if (steps[0], score, metric) not in rows:
                continue
            points = [rows[step, score, metric] for step in steps]
            axes.errorbar(
                steps,
                [point.value for point in points],
                yerr=error_bars([point.ci95 for point in points]),
                fmt=style,
                color=colour,
                capsize=3,
                label=TITLES[score],
            )
        axes.set(xlabel="d: one frame in d is kept", title=metric.replace("auc_", "AUC "), xticks=steps)
        axes.set_ylabel("percent" if metric == METRICS[0] else "")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=150)


FIG3 = Experiment(
    name="fig3",
    paper="Fig. 3",
    about="low frame rates: one frame in d = 1 to 5, and 8, in training and test, Z-MSE against P-MSE",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550 * len(STEPS), scored=2010 * len(STEPS)),
    quick_work=Work(trained=450 * len(QUICK_STEPS), scored=690 * len(QUICK_STEPS)),
    run=reproduce_frame_rate,
)
