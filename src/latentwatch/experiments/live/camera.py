"""The model of the watched camera: learned from one half of its normal footage, calibrated on the other."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError
from latentwatch.experiments.live.footage import encode_clip, write_mp4
from latentwatch.experiments.seeds import Plan, only_form, seed_folder, trained_model
from latentwatch.monitor.budget import budget_file
from latentwatch.video.folder import image_files

PER_DAY = 48
"""The budget of false alarms a day. The least round number that a minute and a half can promise: see
`latentwatch.monitor.budget.REACH`."""


def calibrated_model(plan: Plan, dataset: Dataset) -> Path:
    """The model file with its budget beside it; `plan.model` if given, else trained now unless it is there.

    Raises as training and `latentwatch calibrate` do; `LatentwatchError` where `plan.model` has no budget.
    """
    if plan.model is not None:
        if not budget_file(plan.model).is_file():
            raise LatentwatchError(f"{plan.model}: no budget beside it; run 'latentwatch calibrate' first")
        return plan.model
    folder = plan.runs / "live"
    learned = replace(dataset, name="live", train=_halves(dataset.train, folder / "recordings", first=True))
    form = only_form(plan)
    trained_model(plan, learned, form, seed=0)
    model = seed_folder(plan, learned, form, 0) / "live.lw"
    if not budget_file(model).is_file():
        quiet = folder / "quiet-days"
        _halves(dataset.train, quiet, first=False)
        plan.say(f"calibrating on the other half, {PER_DAY} false alarms a day")
        plan.say(_calibrate(model, quiet))
    return model


def _halves(clips: Sequence[Clip], folder: Path, *, first: bool) -> list[Clip]:
    """The first or the second half of each clip as a file of the camera's."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in clips:
        path = folder / f"{clip.name}.mp4"
        if path.is_file():
            continue
        with clip.open() as frames:
            size = next(iter(frames)).rgb.shape[:2]
        assert isinstance(clip.source, Path)
        middle = len(image_files(clip.source)) // 2
        units = encode_clip(clip, 0, middle) if first else encode_clip(clip, middle)
        part = path.with_suffix(".part")
        write_mp4(units, part, size)
        part.replace(path)
    return clips_in(folder)


def _calibrate(model: Path, footage: Path) -> str:
    """What `latentwatch calibrate` says at its end."""
    words = ["calibrate", str(model), str(footage), "--false-alarms-per-day", str(PER_DAY)]
    done = subprocess.run(
        [sys.executable, "-m", "latentwatch.cli", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise LatentwatchError(f"calibrating: {done.stderr.strip()}")
    return next(line for line in done.stdout.splitlines() if line.startswith("threshold"))
