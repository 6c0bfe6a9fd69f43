"""The model of the watched camera, and the budget that its alarms are set by."""

import shutil
from pathlib import Path

from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.folder import clips_in
from latentwatch.experiments.live.footage import encode_clip, write_mp4
from latentwatch.experiments.seeds import Plan, dataset_of, only_form, seed_folder, trained_model
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.calibrate import calibrate_camera
from latentwatch.whole_file import whole_file

PER_DAY = 48
"""The budget: false alarms a day."""

RULES = AlarmRules(quiet=1, cool_down=1)
"""Shorter than what `latentwatch calibrate` takes: a clip of 12 to 18 s could else have one alarm at most."""


def calibrated_model(plan: Plan, dataset: Dataset) -> Path:
    """The model of seed 0 that `reproduce ped2` shares, calibrated; in `plan.runs`, made now if not there.

    Calibrated on all normal clips, as the camera sends them. Raises as training and calibrating do.
    """
    form = only_form(plan)
    folder = plan.runs / "live"
    model = folder / f"{dataset.name}.lw"
    if budget_file(model).is_file():
        return model
    trained_model(plan, dataset_of(plan, dataset.name), form, seed=0)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(seed_folder(plan, dataset, form, 0) / f"{dataset.name}.lw", model)
    plan.say(f"calibrating for {PER_DAY} false alarms a day")
    promised = calibrate_camera(model, clips_in(_sent(dataset, folder / "normal")), PER_DAY, rules=RULES)
    plan.say(str(promised))
    return model


def _sent(dataset: Dataset, folder: Path) -> Path:
    """The normal clips as files of the camera's packets."""
    folder.mkdir(parents=True, exist_ok=True)
    for clip in dataset.train:
        path = folder / f"{clip.name}.mp4"
        if not path.is_file():
            with clip.open() as frames:
                height, width, _ = next(iter(frames)).rgb.shape
            with whole_file(path) as part:
                write_mp4(encode_clip(clip), part, (height, width))
    return folder
