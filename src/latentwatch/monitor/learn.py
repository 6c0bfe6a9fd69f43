"""Learning over time: a model learns from newer normal footage too, and is replaced if that is no worse."""

import random
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from latentwatch.bundle.bundle import load_bundle
from latentwatch.datasets.dataset import Clip
from latentwatch.engines.choose import open_engine
from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.budget import Budget, fit_tail, load_budget
from latentwatch.monitor.calibrate import file_sha256, learn_health_of, save_budget
from latentwatch.monitor.digits import significant
from latentwatch.monitor.enrolment import TRAIN_RUNS, enrolled_footage
from latentwatch.monitor.footage import Footage, Part, cannot_write
from latentwatch.monitor.judge import Judged, false_alarms, false_alarms_of_budget, judge
from latentwatch.monitor.reservoir import watched_footage
from latentwatch.monitor.versions import adopt, in_use, keep_version, settle, versions_folder
from latentwatch.monitor.zones import Polygons, kept_places
from latentwatch.scoring.camera import detector_of
from latentwatch.scoring.detector import Detector
from latentwatch.training.camera import learn_camera
from latentwatch.training.lock import only_one_in
from latentwatch.training.same_run import can_go_on
from latentwatch.training.settings import FINE_TUNING, TrainingSettings

LEAST_RUNS: dict[Part, int] = {"train": 20, "held-out": 40}
"""Runs that the reservoir must hold before anything is learned from it.

A held-out run shows one peak at most, and each half of them must show `budget.LEAST_PEAKS`.
"""

JUDGED_RUNS = 200
"""Most held-out runs that both models are judged by."""


SLACK = 2.0
"""How many times the budget a new model's estimated false alarms may be where the old one's are fewer: so
little footage cannot tell that from the budget itself."""


class Verdict(BaseModel):
    """What became of one time of learning; figures are of the model in use, then of the new one.

    when: seconds since 1970. adopted: whether the new one was taken. why: in words. errors: relative
    prediction error (see `Judged`). false_alarms: a day, estimated. frames: held-out frames judged by.
    version: the new one's number.
    """

    model_config = ConfigDict(extra="forbid")

    when: float
    adopted: bool
    why: str
    errors: tuple[float, float] | None = None
    false_alarms: tuple[float, float] | None = None
    frames: int = 0
    version: int | None = None

    def __str__(self) -> str:
        text = f"{'adopted' if self.adopted else 'refused'}: {self.why}"
        if self.errors and self.false_alarms:
            text += (
                f"; on {self.frames} held-out frames the relative prediction error is {self.errors[0]:.3g} "
                f"before, {self.errors[1]:.3g} after, false alarms a day, estimated, "
                f"{significant(self.false_alarms[0])} before, {significant(self.false_alarms[1])} after"
            )
        return text


@dataclass(frozen=True)
class Learning:
    """How a model goes on learning. per_day: the budget. ignore: polygons whose errors do not count."""

    per_day: float = 1.0
    ignore: Polygons = ()
    training: TrainingSettings = FINE_TUNING
    engine: Choice = "auto"


def learn_more(model: Path, learning: Learning, say: Callable[[str], None] = print) -> Verdict:
    """Fine-tunes `model` on its reservoir and older footage, and adopts what comes out if it is no worse.

    Goes on where it was stopped. Whatever happens, `model` is whole. Raises `UsageError` where the same model
    is learning in another process or has no budget, `StoppedError` on Ctrl-C, else as `learn_camera` does.
    """
    folder = versions_folder(model)
    with only_one_in(folder):
        settle(model)
        verdict = _learn(model, learning, say)
        (folder / "learning.json").write_text(verdict.model_dump_json(indent=1) + "\n")
    return verdict


def lack_of_footage(model: Path) -> str | None:
    """What the reservoir lacks to learn from, in words; None where it is enough."""
    reservoir = watched_footage(model)
    for part, least in LEAST_RUNS.items():
        count = len(reservoir.runs(part))
        if count < least:
            what = "learn from" if part == "train" else "judge by"
            return f"too little new footage yet: {count} runs to {what}, {least} are needed"
    return None


def last_verdict(model: Path) -> Verdict | None:
    """What became of the last time of learning; None where there was none."""
    try:
        return Verdict.model_validate_json((versions_folder(model) / "learning.json").read_text())
    except (OSError, ValueError):
        return None


def _learn(model: Path, learning: Learning, say: Callable[[str], None]) -> Verdict:
    if lack := lack_of_footage(model):
        return Verdict(when=time.time(), adopted=False, why=lack)
    network, info = load_bundle(model)
    budget = load_budget(model, file_sha256(model))
    folder = model.with_name(model.name + ".learning")
    made = folder / model.name
    footage = _gathered(model, folder)
    held_out = footage.clips("held-out")
    say(f"judging the model in use by {len(held_out)} held-out runs")
    before = judge(_detector(model, learning), held_out)
    try:  # training takes hours: what could not be judged after it is told before it
        false_alarms_of_budget(before.scores, budget.rules, budget.fps, learning.per_day)
    except LatentwatchError as error:
        shutil.rmtree(folder)
        return _no_estimate(error)
    if not made.is_file():
        learn_camera(
            _mixed(footage.clips("train")),
            made,
            info.architecture,
            learning.training,
            folder=folder,
            resume=can_go_on(folder, info.architecture, learning.training),
            start=network,
            say=say,
        )
    say(f"judging the new model by {len(held_out)} held-out runs")
    after = judge(_detector(made, learning), held_out)
    verdict = _verdict(before, after, budget, learning)
    if verdict.adopted:
        verdict = verdict.model_copy(
            update={"version": _adopt(model, made, budget, learning, after, held_out)}
        )
    shutil.rmtree(folder)
    return verdict


def _gathered(model: Path, folder: Path) -> Footage:
    """The footage of one time of learning: the reservoir's, and no more of the enrolment's to train on.

    Hard links, since the reservoir goes on changing while this is used. What an earlier, stopped try has
    gathered is used again. Raises `LatentwatchError` where the disk cannot be written.
    """
    gathered = Footage(folder / "footage")
    if gathered.folder.is_dir():
        return gathered
    new = _spread(watched_footage(model).runs("train"), TRAIN_RUNS)
    chosen: dict[Part, list[Path]] = {
        "train": new + _spread(enrolled_footage(model).runs("train"), len(new)),
        "held-out": _spread(watched_footage(model).runs("held-out"), JUDGED_RUNS),
    }
    unfinished = Footage(folder / "footage.part")
    try:
        shutil.rmtree(unfinished.folder, ignore_errors=True)
        for part, runs in chosen.items():
            for run in runs:
                target = unfinished.path(run.stem, part)
                target.parent.mkdir(parents=True, exist_ok=True)
                with suppress(FileNotFoundError):  # the reservoir has just dropped it
                    try:
                        target.hardlink_to(run)
                    except OSError:  # a file system without links
                        shutil.copy2(run, target)
        unfinished.folder.rename(gathered.folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return gathered


def _mixed(clips: list[Clip]) -> list[Clip]:
    """Old and new in turns, always the same: training holds out the last ones, which must be of all kinds."""
    random.Random(0).shuffle(clips)
    return clips


def _spread(runs: list[Path], most: int) -> list[Path]:
    """At most so many runs, evenly spread over all."""
    if len(runs) <= most:
        return runs
    return [runs[index * len(runs) // most] for index in range(most)]


def _detector(model: Path, learning: Learning) -> Detector:
    network, info = load_bundle(model)
    kept = kept_places(learning.ignore, info.architecture.code_shape[1:])
    return detector_of(network, info, open_engine(network, learning.engine), kept=kept)


def _verdict(before: Judged, after: Judged, budget: Budget, learning: Learning) -> Verdict:
    """The gate: neither the relative prediction error nor the estimate of false alarms may be worse."""
    rules, fps = budget.rules, budget.fps
    in_force = budget.tail.threshold(learning.per_day)
    try:
        alarms = (
            false_alarms(before.scores, rules, fps, in_force),
            false_alarms_of_budget(after.scores, rules, fps, learning.per_day),
        )
    except LatentwatchError as error:
        return _no_estimate(error)
    errors = before.error, after.error
    if not after.error <= before.error:
        why = "it predicts held-out footage worse"
    elif not alarms[1] <= max(alarms[0], SLACK * learning.per_day):
        why = "it would raise more false alarms"
    else:
        why = "no worse in prediction error and false alarms"
    return Verdict(
        when=time.time(),
        adopted=why.startswith("no worse"),
        why=why,
        errors=errors,
        false_alarms=alarms,
        frames=after.frames,
    )


def _no_estimate(error: LatentwatchError) -> Verdict:
    return Verdict(when=time.time(), adopted=False, why=f"no estimate of false alarms yet: {error}")


def _adopt(
    model: Path, made: Path, budget: Budget, learning: Learning, judged: Judged, held_out: list[Clip]
) -> int:
    """Gives the new model its budget and health, keeps both versions, and puts the new one in place."""
    detector = _detector(made, learning)
    save_budget(
        made,
        fit_tail(judged.scores, budget.rules, budget.fps),
        learning.per_day,
        engine=str(detector.engine),
        fps=budget.fps,
        rules=budget.rules,
        ignore=learning.ignore,
        footage=[clip.name for clip in held_out],
    )
    learn_health_of(made, held_out, lambda _: None)
    if in_use(model) is None:
        keep_version(model, model, "in use before the first learning")
    number = keep_version(model, made, "learned from newer footage")
    adopt(model, number)
    return number
