"""Whether a checkpoint of the decoupled model is of the run that is to go on from it.

Only then do the weights fit, and is what was done of the schedule a part of this one.
"""

import pickle
from pathlib import Path
from typing import Any

import torch

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.presets import Architecture
from latentwatch.training.checkpoints import last_checkpoint
from latentwatch.training.settings import TrainingSettings

KEPT = "latentwatch"
"""Under this name checkpoints have what Lightning does not keep by itself."""

NAMED = 3
"""So many differing settings are named; another form of training differs in a dozen."""


def run_of(architecture: Architecture, settings: TrainingSettings) -> dict[str, dict[str, Any]]:
    """What a checkpoint keeps to tell runs apart, in plain types, which load with `weights_only`."""
    return {"architecture": architecture.model_dump(), "settings": settings.model_dump()}


def can_go_on(folder: Path, architecture: Architecture, settings: TrainingSettings) -> bool:
    """Whether the training folder has a checkpoint of this very run; what runs alone else starts anew."""
    try:
        check_same_run(last_checkpoint(folder, resume=False), architecture, settings)
    except LatentwatchError:
        return False
    return True


def check_same_run(checkpoint: Path, architecture: Architecture, settings: TrainingSettings) -> None:
    """Makes sure that a run with these settings can go on from `checkpoint`.

    Raises `UsageError` where it is of another run or system, or of a version that did not keep its settings,
    `LatentwatchError` where it is damaged.
    """
    anew = "to start anew, leave --resume away or remove this file"
    try:
        kept = torch.load(checkpoint, map_location="cpu", weights_only=True).get(KEPT)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, LookupError, AttributeError) as error:
        raise LatentwatchError(f"{checkpoint}: no checkpoint, or damaged; {anew}") from error
    wanted = run_of(architecture, settings)
    if not isinstance(kept, dict) or not wanted.keys() <= kept.keys():
        raise UsageError(f"{checkpoint}: of another system, or an older version of Latentwatch; {anew}")
    differing = [
        f"{name} was {kept[group].get(name)}, now {now.get(name)}"
        for group, now in wanted.items()
        for name in {**now, **kept[group]}
        if kept[group].get(name) != now.get(name)
    ]
    if differing:
        more = f"; {len(differing) - NAMED} more" if len(differing) > NAMED else ""
        raise UsageError(
            f"{checkpoint}: of a run with other settings ({'; '.join(differing[:NAMED])}{more}): "
            f"give the same command as then, or {anew}"
        )
