"""Accuracy and speed of the same trained weights on every engine, in every number format, int8 among them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.bundle.bundle import BundleInfo
from latentwatch.datasets.dataset import Dataset
from latentwatch.engines.choose import formats_here, has_int8, open_engine
from latentwatch.engines.engine import Engine
from latentwatch.engines.openvino_engine import Int8Engine
from latentwatch.evaluation.frame_level import FrameLevel
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import evaluate_model
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, trained_seeds
from latentwatch.experiments.speed.page import Table, spread_text
from latentwatch.experiments.speed.parts import BASELINE
from latentwatch.experiments.speed.race import Spread, Times, race, spread
from latentwatch.experiments.speed.systems import FRAMES, DenseTorch, warmed
from latentwatch.experiments.variants import ped2_without_masks
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.decoupled_scorer import DecoupledScorer
from latentwatch.scoring.detector import Detector
from latentwatch.training.quantise import BOUND as GATE
from latentwatch.training.quantise import Int8Trial, try_int8

REFERENCE = "torch fp32"
"""What accuracy and speed are compared with: PyTorch, eager, the motion step as shipped."""

AUC_BOUND = 0.3
"""By how many points of micro AUC an engine may differ from `REFERENCE`."""

ROUNDS, QUICK_ROUNDS = 5, 2
"""Turns of each engine with each seed's model."""

SECONDS = 0.3
"""About how long a turn is."""


@dataclass
class _Form:
    """What the seeds of one form of training gave so far.

    judged: figures by engine, one dictionary a seed. trials: of int8, one a seed. times: seconds a frame by
    engine, rounds of all seeds.
    """

    judged: list[dict[str, FrameLevel]] = field(default_factory=list)
    trials: list[Int8Trial] = field(default_factory=list)
    times: Times = field(default_factory=Times)
    trainings: Trainings = field(default_factory=Trainings)

    def differences(self, engine: str) -> list[float]:
        """Micro AUC less that of `REFERENCE`, in points, one a seed."""
        return [each[engine].auc_micro - each[REFERENCE].auc_micro for each in self.judged]

    def largest(self, engine: str) -> float:
        """The difference of the seed that has the largest, whatever its sign."""
        return max(self.differences(engine), key=abs)

    def speedup(self, engine: str, over: str) -> Spread:
        """How many times as many frames a second, round by round."""
        return spread(self.times.ratios(engine, over))


def reproduce_engines(plan: Plan) -> Path:
    """Trains the seeds of each form, or takes them finished; judges and times each model on each engine.

    Writes the page and the JSON anew after every seed and gives the page. Raises as its parts do.
    """
    dataset = ped2_without_masks(plan)
    page = plan.results / f"{plan.name}.md"
    done: dict[str, _Form] = {}
    for name in plan.forms:
        for model, info in trained_seeds(plan, dataset, name):
            form = done.setdefault(name, _Form())
            engines = list(_engines(plan, model, info, dataset, form))
            form.judged.append(_judge(plan, model, info, dataset, engines))
            _time(plan, model, dataset, engines, form.times)
            form.trainings.add(info)
            page = _write(plan, done)
    return page


def _engines(
    plan: Plan, model: Decoupled, info: BundleInfo, dataset: Dataset, form: _Form
) -> Iterator[Engine]:
    for name, precision in formats_here():
        yield open_engine(model, name, bf16=precision == "bf16")
    if has_int8():
        trial = try_int8(model, info.calibration, dataset.train, plan.say)
        form.trials.append(trial)
        # Judged even if the gate refuses it: whether the gate is right is part of what is asked.
        yield Int8Engine(model, trial.graphs)


def _judge(
    plan: Plan, model: Decoupled, info: BundleInfo, dataset: Dataset, engines: Sequence[Engine]
) -> dict[str, FrameLevel]:
    found = {}
    for engine in engines:
        detector = Detector(model, info.calibration, engine=engine)
        result = evaluate_model(model, dataset, info.calibration, detector=detector, say=lambda _: None)
        found[str(engine)] = result.figures["z_mse"]
        plan.say(f"{engine}: micro AUC {found[str(engine)].auc_micro:.2f}")
    return found


def _time(plan: Plan, model: Decoupled, dataset: Dataset, engines: Sequence[Engine], times: Times) -> None:
    plan.say("timing the engines, which take turns")
    frames = _first_frames(dataset, model.architecture.size)
    scorers = {str(engine): DecoupledScorer(model, engine) for engine in engines}
    scorers[BASELINE] = DecoupledScorer(model, DenseTorch(model))
    runners = {name: warmed(scorer, frames) for name, scorer in scorers.items()}
    rounds = QUICK_ROUNDS if plan.quick else ROUNDS
    race(runners, times, rounds=rounds, seconds=SECONDS)


def _first_frames(dataset: Dataset, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    with dataset.test[0].open(size) as frames:
        return [frame.rgb for frame in islice(frames, FRAMES)]


def _write(plan: Plan, done: dict[str, _Form]) -> Path:
    first = next(iter(done.values())).judged[0][REFERENCE]
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=(
            f"{first.protocol}; Z-MSE frame by frame as a live camera scores; auc_difference: micro AUC less "
            f"that of {REFERENCE}, in points, mean over seeds, and of the seed that differs most; the bound "
            f"is {AUC_BOUND} points; int8: by NNCF as 'latentwatch quantise' makes it from training footage, "
            "judged whether its gate keeps or refuses it; gate_moved_percent: by what share of itself the "
            f"relative prediction error on held-out training footage moved, kept up to {GATE:.0%}; fps: one "
            "new frame in, its score out, all earlier ones seen; the engines take turns of about "
            f"{SECONDS:g} s in random order; medians and quartiles over the rounds of all seeds, ratios of "
            f"the same round; speedup: over {REFERENCE}, which takes motion steps as shipped; speedup_whole: "
            f"over {BASELINE}, a whole window of codes for every frame"
        ),
        settings=settings_with_commits(plan, [form.trainings for form in done.values()])
        | {"threads": torch.get_num_threads()},
        rows=[row for name, form in done.items() for row in _rows(plan, name, form)],
        remarks=[remark for name, form in done.items() for remark in _remarks(name, form)],
        **describe_run(),
    )
    tables = [_table(name, form) for name, form in done.items()]
    lines = [line for table in tables for line in table.markdown()]
    return write_page(result, plan.results, {}, [*lines, "## All figures", ""])


def _rows(plan: Plan, name: str, form: _Form) -> Iterator[Row]:
    def mean(metric: str, engine: str, values: Sequence[float]) -> Row:
        return mean_row(
            plan,
            form.trainings,
            form=name,
            dataset="ped2",
            score="z_mse",
            metric=metric,
            values=values,
            engine=engine,
        )

    def timed(metric: str, engine: str, value: Spread) -> Row:
        return Row(
            preset=f"{plan.preset} {name}",
            dataset="ped2",
            score="z_mse",
            metric=metric,
            value=value.median,
            quartiles=(value.low, value.high),
            engine=engine,
            seeds=len(form.judged),
            status=plan.status,
        )

    for engine in form.judged[0]:
        yield mean("auc_micro", engine, [each[engine].auc_micro for each in form.judged])
        yield mean("auc_macro", engine, [each[engine].auc_macro for each in form.judged])
        if engine != REFERENCE:
            yield mean("auc_difference", engine, form.differences(engine))
            largest = mean("auc_difference_largest", engine, [form.largest(engine)])
            yield largest.model_copy(update={"seeds": len(form.judged)})
    if form.trials:
        int8 = list(form.judged[0])[-1]
        yield mean("gate_moved_percent", int8, [100 * trial.moved for trial in form.trials])
        kept = mean(f"gate_kept (of {len(form.trials)})", int8, [_kept(form)])
        yield kept.model_copy(update={"seeds": len(form.trials)})
    for engine in form.times.seconds:
        yield timed("fps", engine, spread(form.times.rates(engine)))
        if engine != REFERENCE:
            yield timed("speedup", engine, form.speedup(engine, REFERENCE))
        if engine != BASELINE:
            yield timed("speedup_whole", engine, form.speedup(engine, BASELINE))


def _kept(form: _Form) -> int:
    return sum(trial.passes for trial in form.trials)


def _table(name: str, form: _Form) -> Table:
    rows = []
    for engine in form.times.seconds:
        cells = ["", "", "", ""]
        if engine in form.judged[0]:
            difference, largest = form.differences(engine), form.largest(engine)
            cells = [
                _mean_text([each[engine].auc_micro for each in form.judged]),
                _mean_text([each[engine].auc_macro for each in form.judged]),
                "" if engine == REFERENCE else _mean_text(difference, sign="+"),
                "" if engine == REFERENCE else f"{largest:+.2f}",
            ]
        cells.append(spread_text(spread(form.times.rates(engine))))
        for over in (REFERENCE, BASELINE):
            cells.append("" if engine == over else spread_text(form.speedup(engine, over)))
        rows.append([engine, *cells])
    header = ("engine", "AUC micro", "AUC macro", "difference, points", "largest of a seed")
    speeds = ("frames/s (quartiles)", f"over {REFERENCE}", f"over {BASELINE}")
    return Table(f"Form {name}, seeds: {len(form.judged)}", (*header, *speeds), rows)


def _mean_text(values: Sequence[float], sign: str = "") -> str:
    value, ci95 = mean_ci95(values)
    return f"{value:{sign}.2f}" + (f" ± {ci95:.2f}" if ci95 is not None else "")


def _remarks(name: str, form: _Form) -> Iterator[str]:
    largest = {engine: form.largest(engine) for engine in form.judged[0] if engine != REFERENCE}
    within = [engine for engine, value in largest.items() if abs(value) <= AUC_BOUND]
    outside = [f"{engine} ({value:+.2f})" for engine, value in largest.items() if abs(value) > AUC_BOUND]
    yield (
        f"Form {name}, seeds: {len(form.judged)}. Within {AUC_BOUND} points of {REFERENCE}'s micro AUC with "
        f"every seed: {', '.join(within) or 'none'}. Not so: {', '.join(outside) or 'none'}."
    )
    if within:
        best = max(within, key=lambda engine: form.speedup(engine, REFERENCE).median)
        yield (
            f"The fastest within the bound is {best}: {spread_text(form.speedup(best, REFERENCE))} times "
            f"{REFERENCE}'s frames a second, {spread_text(form.speedup(best, BASELINE))} times {BASELINE}'s."
        )
    if form.trials:
        moved = ", ".join(f"{trial.moved:.1%}" for trial in form.trials)
        yield (
            f"The gate of int8 ({GATE:.0%}) keeps {_kept(form)} of {len(form.trials)}; the relative "
            f"prediction error on held-out footage moved by {moved}."
        )


ENGINES = Experiment(
    name="engines",
    paper="not in it",
    about="AUC and frames a second by engine and number format, int8 too",
    dataset="ped2",
    preset="ped2",
    # Six engines and formats, without the decoder; quantising, and the timing, take about as long as three.
    work=Work(trained=2550, scored=9 * 2010),
    quick_work=Work(trained=450, scored=9 * 690),
    run=reproduce_engines,
)
