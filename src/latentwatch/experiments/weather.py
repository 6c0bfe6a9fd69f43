"""Section 5.2, Figs. 4 and 5: rain, darkness and blur in test frames alone. Does Z-MSE bear more than P-MSE?

Beyond the paper: fog, sensor noise, a shaking camera, compression, dusk, and what speed in the score bears.
The paper used Avenue; this is Ped2.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from latentwatch.bundle.fusion import Fusion
from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.frame_level import LabelledScores
from latentwatch.evaluation.plots import BLUE, GREEN, ORANGE, plot_sheet
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import FUSED, TITLES
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.kept_figures import Figures, KeptFigures, judged_at, kept_figures
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, only_form, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import score_clip, with_speed
from latentwatch.scoring.flow import flow_maps
from latentwatch.training.frames import FrameStore, build_store
from latentwatch.video.corrupt import Corruption, corrupt
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize

RAIN = ("none", "heavy", "torrential")
METRICS = ("auc_micro", "auc_macro")
CLEAN = str(Corruption())
SAMPLES = (
    "rain=heavy,brightness=0.5", "rain=heavy,brightness=0.7", "rain=torrential,brightness=0.6",
    "rain=torrential,brightness=0.8", "rain=torrential", "blur=2", "fog=0.6", "noise=0.08", "shake=6",
    "jpeg=10", "dusk=1",
)  # fmt: skip
"""The pictures of Fig. 4, and one of each kind beyond it."""


@dataclass(frozen=True)
class Grid:
    """Every rain at every brightness and blur, and single changes beside it."""

    brightness: tuple[float, ...]
    blur: tuple[float, ...]
    single: tuple[str, ...]

    def conditions(self) -> list[Corruption]:
        """All of them; unchanged frames are among them."""
        crossed = product(RAIN, self.brightness, self.blur)
        made = [
            Corruption.model_validate({"rain": rain, "brightness": brightness, "blur": blur})
            for rain, brightness, blur in crossed
        ]
        return made + [Corruption.parse(text) for text in self.single]


WHOLE = Grid(
    brightness=(0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
    blur=(0.0, 2.0),
    single=(
        "fog=0.3", "fog=0.6", "noise=0.03", "noise=0.08", "shake=2", "shake=6", "jpeg=30", "jpeg=10",
        "dusk=0.5", "dusk=1",
    ),
)  # fmt: skip
QUICK = Grid(
    brightness=(0.6, 1.0),
    blur=(0.0,),
    single=("blur=2", "fog=0.6", "noise=0.08", "shake=6", "jpeg=10", "dusk=1"),
)


@dataclass(frozen=True)
class _Seed:
    model: Decoupled
    fusion: Fusion | None
    kept: KeptFigures


def reproduce_weather(plan: Plan) -> Path:
    """Scores the test clips in every condition, with the models of all seeds; gives the page.

    What a condition gave is kept with each model: a run that is stopped goes on with the next. Raises
    `UsageError` for a plan of more than one form, and as training and decoding do.
    """
    form = only_form(plan)
    grid = QUICK if plan.quick else WHOLE
    dataset = dataset_of(plan, "ped2")
    seeds: list[_Seed] = []
    trainings = Trainings()
    for number, (model, info) in enumerate(trained_seeds(plan, dataset, form)):
        kept = kept_figures(plan, dataset, form, number, "weather")
        seeds.append(_Seed(model, info.fusion, kept))
        trainings.add(info)
    store = _decoded(plan, dataset)
    _plot_samples(store, plan.results / f"{plan.name}-samples.png")
    conditions = grid.conditions()
    missing = [how for how in conditions if any(str(how) not in seed.kept.figures for seed in seeds)]
    began = time.monotonic()
    for number, how in enumerate(missing, start=1):
        _judge(dataset, store, how, [seed for seed in seeds if str(how) not in seed.kept.figures])
        left = (time.monotonic() - began) / number * (len(missing) - number)
        plan.say(f"{how} ({number} of {len(missing)}), about {left / 60:.0f} min left")
    done = [{str(how): seed.kept.figures[str(how)] for how in conditions} for seed in seeds]
    settings = settings_with_commits(plan, [trainings]) | judged_at(seed.kept for seed in seeds)
    return _write(plan, grid, done, trainings, settings)


def _decoded(plan: Plan, dataset: Dataset) -> FrameStore:
    """The test frames at their own size: decoded once, changed in many ways."""
    with dataset.test[0].open() as frames:
        height, width = next(frames).rgb.shape[:2]
    return build_store(dataset.test, (height, width), plan.runs / dataset.name / "test-frames")


def _judge(dataset: Dataset, store: FrameStore, how: Corruption, seeds: Sequence[_Seed]) -> None:
    """Judges each seed in one condition. Frames are changed and their flow is found once for all of them."""
    architecture = seeds[0].model.architecture
    has_speed = any(seed.fusion for seed in seeds)
    clips: list[dict[str, list[LabelledScores]]] = [{} for _ in seeds]
    for clip, (start, stop) in zip(dataset.test, pairwise(store.starts), strict=True):
        assert clip.labels is not None  # Ped2's reader gives them to every test clip
        frames = list(_changed(store, start, stop, how, architecture.size))
        flow = flow_maps(frames if has_speed else [], architecture.code_shape[1:])
        for seed, found in zip(seeds, clips, strict=True):
            scores = score_clip(seed.model, frames, pixel_scores=True, reconstruct=False)
            if seed.fusion is not None:
                scores = with_speed(scores, flow, seed.fusion)
            for score in TITLES:
                values = getattr(scores, score)
                if values is not None:
                    found.setdefault(score, []).append(LabelledScores(clip.name, values, clip.labels))
    for seed, found in zip(seeds, clips, strict=True):
        seed.kept.judge(str(how), found)


def _changed(
    store: FrameStore, start: int, stop: int, how: Corruption, size: tuple[int, int]
) -> Iterator[Frame]:
    for index in range(stop - start):
        rgb = corrupt(store.frames[start + index], index, how)
        yield Frame(index, index / store.fps, resize(rgb, size))


def _write(
    plan: Plan,
    grid: Grid,
    done: list[dict[str, Figures]],
    trainings: Trainings,
    settings: dict[str, str | int | float | bool],
) -> Path:
    rows = [
        mean_row(
            plan,
            trainings,
            form=only_form(plan),
            dataset=f"ped2, {condition}",
            score=score,
            metric=metric,
            values=[each[condition][score][metric] for each in done],
        )
        for condition in done[0]
        for score in done[0][condition]
        for metric in METRICS
    ]
    micro = {
        condition: {
            score: float(np.mean([each[condition][score]["auc_micro"] for each in done])) for score in figures
        }
        for condition, figures in done[0].items()
    }
    _plot_curves(grid, micro, plan.results / f"{plan.name}-curves.png")
    _plot_single(grid, micro, plan.results / f"{plan.name}-single.png")
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol="trained on Ped2's frames as they are; test frames changed at their own size, then resized; "
        "micro AUC after Eq. 3 per clip, macro over clips with both kinds; frames without a score left out",
        settings=settings,
        remarks=[_remark(micro)],
        rows=rows,
        **describe_run(),
    )
    plots = {
        f"{plan.name}-samples.png": "What the conditions look like (the paper's Fig. 4 and beyond).",
        f"{plan.name}-curves.png": "Micro AUC by rain and brightness (the paper's Fig. 5).",
        f"{plan.name}-single.png": "Beyond the paper: one change at a time. Lines: unchanged frames.",
    }
    return write_page(result, plan.results, plots)


def _remark(micro: dict[str, dict[str, float]]) -> str:
    """Whether the paper's claim holds here, counted."""
    losses = {
        score: np.array([micro[CLEAN][score] - each[score] for name, each in micro.items() if name != CLEAN])
        for score in micro[CLEAN]
    }
    fewer = int((losses["z_mse"] < losses["p_mse"]).sum())
    above = sum(each["z_mse"] > each["p_mse"] for each in micro.values())
    remark = (
        f"The paper (Fig. 5, on Avenue): Z-MSE bears rain and darkness better than P-MSE. Here Z-MSE loses "
        f"less micro AUC than P-MSE in {fewer} of {len(losses['z_mse'])} changed conditions (on average "
        f"{losses['z_mse'].mean():.1f} against {losses['p_mse'].mean():.1f} points), and is above it in "
        f"{above} of all {len(micro)}."
    )
    if FUSED in losses:
        gains = {name: each[FUSED] - each["z_mse"] for name, each in micro.items()}
        gained = sum(gain > 0 for gain in gains.values())
        remark += (
            f" Z-MSE and speed made one (not in the paper) loses {losses[FUSED].mean():.1f} points on "
            f"average, and is above Z-MSE in {gained} of all {len(micro)}: by {gains[CLEAN]:+.1f} where "
            f"nothing is changed, {np.mean(list(gains.values())):+.1f} on average, "
            f"{min(gains.values()):+.1f} at worst."
        )
    return remark


def _plot_samples(store: FrameStore, path: Path) -> None:
    index = 2 * store.starts[1] // 3
    frame = np.array(store.frames[index])
    pictures = [("as it is", frame)]
    pictures += [(text, corrupt(frame, index, Corruption.parse(text))) for text in SAMPLES]
    plot_sheet(pictures, path)


def _plot_curves(grid: Grid, micro: dict[str, dict[str, float]], path: Path) -> None:
    figure = Figure(figsize=(max(1 + 3.6 * len(grid.blur), 6.5), 3.8), layout="constrained")
    panels = list(figure.subplots(1, len(grid.blur), squeeze=False, sharey=True).flat)
    for axes, blur in zip(panels, grid.blur, strict=True):
        for rain, colour in zip(RAIN, (BLUE, GREEN, ORANGE), strict=True):
            names = [
                str(Corruption.model_validate({"rain": rain, "brightness": each, "blur": blur}))
                for each in grid.brightness
            ]
            for score, style in zip(micro[CLEAN], ("o-", "s--", "^:"), strict=False):
                values = [micro[name][score] for name in names]
                label = f"{TITLES[score]}, {'no' if rain == 'none' else rain} rain"
                axes.plot(grid.brightness, values, style, color=colour, markersize=4, label=label)
        axes.set(title=f"blur {blur:g}" if blur else "no blur", xlabel="brightness, share of the original")
    panels[0].set_ylabel("micro AUC (%)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=150)


def _plot_single(grid: Grid, micro: dict[str, dict[str, float]], path: Path) -> None:
    figure = Figure(figsize=(6.5, 0.9 + 0.38 * len(grid.single)), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(grid.single))
    scores = list(micro[CLEAN])
    thick = 0.8 / len(scores)
    for number, (score, colour) in enumerate(zip(scores, (BLUE, ORANGE, GREEN), strict=False)):
        values = [micro[name][score] for name in grid.single]
        shift = (number - (len(scores) - 1) / 2) * thick
        axes.barh(places + shift, values, 0.95 * thick, color=colour, label=TITLES[score])
        axes.axvline(micro[CLEAN][score], color=colour, linewidth=1, linestyle=":")
    axes.set_yticks(places, grid.single)
    axes.invert_yaxis()
    axes.set(xlabel="micro AUC (%)", xlim=(0, 100))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(scores))
    figure.savefig(path, dpi=150)


FIG4_5 = Experiment(
    name="fig4-5",
    paper="Figs. 4, 5",
    about="rain x brightness x blur on test frames alone, and fog, noise, shake, jpeg, dusk",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2010 * len(WHOLE.conditions())),
    quick_work=Work(trained=450, scored=690 * len(QUICK.conditions())),
    run=reproduce_weather,
)
