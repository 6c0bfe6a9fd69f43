"""Fig. 6 and Section 5.3: anomalous frames in the training footage, in growing shares.

The paper says that anomalies are sampled at random into the training data, gives their percentage, and calls
the question "robustness to already seen anomalies"; it does not say which clips are judged. So the headline
judges all test clips, those that were sampled from too, and a second figure judges the half that never was.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.datasets.contaminated import RUN, Contaminated, contaminated
from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.baseline import evaluate_scorer
from latentwatch.evaluation.frame_level import frame_level
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.plots import BLUE, GREEN, ORANGE, PURPLE, SKY, error_bars
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import FUSED, TITLES, Evaluation, evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import of_seeds
from latentwatch.experiments.seeds import Plan, check_settings, only_form, seed_folder, trained_model
from latentwatch.experiments.variants import ped2_without_masks
from latentwatch.models.presets import WIDTHS
from latentwatch.scoring.baseline import load_baseline
from latentwatch.training.baseline import BaselineTraining, learn_baseline
from latentwatch.training.checkpoints import last_checkpoint

LEVELS = (0.0, 0.05, 0.1, 0.2)
"""Shares of anomalous frames in the training footage."""

BASELINES = ("future-frame", "mem-ae")
EPOCHS = 20
"""Of a baseline, or as many as ours has where these are fewer."""

CURVES = {
    ("decoupled", "z_mse"): (f"ours, {TITLES['z_mse']}", BLUE),
    ("decoupled", "p_mse"): (f"ours, {TITLES['p_mse']}", ORANGE),
    ("decoupled", FUSED): (f"ours, {TITLES[FUSED]}", SKY),
    ("future-frame", "future-frame"): ("future-frame", GREEN),
    ("mem-ae", "mem-ae"): ("mem-ae", PURPLE),
}
"""System and score: name and colour in the plot."""

PROTOCOL = (
    "micro AUC after Eq. 3 per clip, frames without a score left out; a share of the training footage is "
    f"anomalous frames of test clips, in runs of {RUN} consecutive frames, sampled at random (by the seed) "
    "from a random half of the test clips; a larger share holds the smaller one's runs. All clips are "
    "judged, as the paper's text suggests, and beside it the half that was never sampled from, the same at "
    "every share. Test labels choose what is put in, and nothing else"
)

JUDGED = ("all clips", "clips never sampled from")


@dataclass
class _Point:
    """What the seeds gave for one system and score at one level: AUC by what is judged; minutes."""

    auc: dict[str, list[float]] = field(default_factory=lambda: {judged: [] for judged in JUDGED})
    minutes: list[float] = field(default_factory=list)


_Points = dict[tuple[float, str, str], _Point]
"""By level, system and score."""


def reproduce_contamination(plan: Plan) -> Path:
    """Trains and judges each system at each level; writes the page and the JSON anew after every model.

    Gives the page; raises `UsageError` for a plan of more than one form, and as its parts do.
    """
    dataset = ped2_without_masks(plan)
    form = only_form(plan)
    page = plan.results / f"{plan.name}.md"
    points: _Points = {}
    for seed in range(plan.seeds):
        for level in LEVELS:
            made = contaminated(dataset, level, seed)
            plan.say(f"seed {seed}: {level:.0%} anomalous, {made.frames} frames put in")
            for system in ("decoupled", *BASELINES):
                found, minutes = _judged(plan, made.dataset, form, system, seed)
                _add(points, level, system, found, minutes, made)
                page = _write(plan, points)
    return page


def _judged(plan: Plan, dataset: Dataset, form: str, system: str, seed: int) -> tuple[Evaluation, float]:
    """A system, trained unless it is already, on the test clips; and its minutes of training."""
    if system == "decoupled":
        model, info = trained_model(plan, dataset, form, seed)
        found = evaluate_model(model, dataset, info.calibration, fusion=info.fusion, say=plan.say)
        return found, float(info.provenance["minutes"])
    folder = seed_folder(plan, dataset, system, seed)
    file = folder / f"{dataset.name}.lw"
    height, width_px = plan.architecture.size
    settings = BaselineSettings(system=system, height=height, width_px=width_px, share=_channels(plan))
    training = BaselineTraining(epochs=min(EPOCHS, plan.forms[form].epochs), seed=seed)
    if not file.is_file():
        plan.say(f"{system}, seed {seed}: training, {training.epochs} epochs")
        learn_baseline(
            dataset.train,
            file,
            settings,
            training,
            folder=folder,
            resume=last_checkpoint(folder, resume=False).is_file(),
            say=plan.say,
        )
    scorer, facts = load_baseline(file)
    check_settings(file, facts.settings == settings, facts.provenance, training)
    return evaluate_scorer(scorer, dataset, say=plan.say), float(facts.provenance["minutes"])


def _add(
    points: _Points, level: float, system: str, found: Evaluation, minutes: float, made: Contaminated
) -> None:
    for score, clips in found.clips.items():
        if (system, score) not in CURVES:
            continue
        point = points.setdefault((level, system, score), _Point())
        unseen = [clip for clip in clips if clip.name not in made.donors]
        for judged, part in zip(JUDGED, (clips, unseen), strict=True):
            point.auc[judged].append(frame_level(part).auc_micro)
        point.minutes.append(minutes)


def _write(plan: Plan, points: _Points) -> Path:
    _plot(points, plan.results / f"{plan.name}.png")
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=PROTOCOL,
        settings=plan.shown_settings
        | {"baseline epochs": min(EPOCHS, _epochs(plan)), "baseline share of channels": _channels(plan)},
        rows=list(_rows(plan, points)),
        remarks=[_remark(points)],
        **describe_run(),
    )
    caption = (
        f"Micro AUC{of_seeds(plan.seeds)} on ped2 over the share of anomalous frames in training; dashed: on "
        "the clips never sampled from. The paper's Fig. 6 is on CUHK Avenue and gives no numbers in its text."
    )
    return write_page(result, plan.results, {f"{plan.name}.png": caption})


def _channels(plan: Plan) -> float:
    """What share of its own paper's channels a baseline has: as large a one as ours has of ours."""
    return min(plan.architecture.base_width / WIDTHS["paper"], 1)


def _epochs(plan: Plan) -> int:
    return plan.forms[only_form(plan)].epochs


def _rows(plan: Plan, points: _Points) -> Iterable[Row]:
    ours, baseline = f"{plan.preset} {only_form(plan)}", f"{_channels(plan):.0%} of its channels"
    for (level, system, score), point in sorted(points.items(), key=lambda item: item[0]):
        for judged in JUDGED:
            value, ci95 = mean_ci95(point.auc[judged])
            yield Row(
                system=system,
                preset=f"{ours if system == 'decoupled' else baseline}, {level:.0%} anomalous",
                dataset=f"ped2: {judged}",
                score=score,
                metric="auc_micro",
                value=value,
                ci95=ci95,
                seeds=len(point.auc[judged]),
                minutes_per_seed=sum(point.minutes) / len(point.minutes),
                status=plan.status,
            )


def _remark(points: _Points) -> str:
    """How much each system loses, counted on all clips."""
    parts = []
    for (system, score), (name, _) in CURVES.items():
        aucs = {
            level: mean_ci95(points[level, system, score].auc[JUDGED[0]])[0]
            for level, *which in sorted(points)
            if which == [system, score]
        }
        if len(aucs) > 1:
            first, last = min(aucs), max(aucs)
            parts.append(f"{name} {aucs[last] - aucs[first]:+.1f} (0 to {last:.0%})")
    return (
        "The paper (Fig. 6, Avenue): all fall as the share grows, Z-MSE least. Here the micro AUC on all "
        f"clips changes by, in points: {', '.join(parts) or 'one share so far'}."
    )


def _plot(points: _Points, path: Path) -> None:
    figure = Figure(figsize=(5.6, 3.8), layout="constrained")
    axes = figure.subplots()
    for (system, score), (name, colour) in CURVES.items():
        levels = sorted(level for level, *which in points if which == [system, score])
        for judged, style in zip(JUDGED, ("o-", "o--"), strict=True):
            means = [mean_ci95(points[level, system, score].auc[judged]) for level in levels]
            axes.errorbar(
                [100 * level for level in levels],
                [value for value, _ in means],
                error_bars([half for _, half in means]),
                fmt=style,
                color=colour,
                markersize=4,
                linewidth=1.2 if style == "o-" else 0.8,
                capsize=2,
                label=name if style == "o-" else None,
            )
    axes.plot([], [], "--", color="0.4", linewidth=0.8, label=JUDGED[1])
    axes.set(xlabel="anomalous frames in the training footage (%)", ylabel="micro AUC (%)")
    axes.set_xticks([100 * level for level in LEVELS])
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    figure.savefig(path, dpi=150)


FIG6 = Experiment(
    name="fig6",
    paper="Fig. 6",
    about="anomalous frames in training: ours, future-frame and mem-ae",
    dataset="ped2",
    preset="ped2",
    # Four levels; the two baselines together take three quarters as long as ours.
    work=Work(trained=4 * 1.75 * 2800, scored=4 * 1.75 * 2010),
    quick_work=Work(trained=4 * 1.75 * 500, scored=4 * 1.75 * 690),
    run=reproduce_contamination,
)
