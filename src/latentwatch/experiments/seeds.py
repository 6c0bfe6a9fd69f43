"""Trains one model for each seed, or takes it up where an earlier run left it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from latentwatch.bundle.bundle import BundleInfo, load_bundle
from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.registry import open_dataset
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture
from latentwatch.training.camera import learn_camera
from latentwatch.training.same_run import can_go_on
from latentwatch.training.settings import TrainingSettings

QUICK_TRAIN_CLIPS, QUICK_TEST_CLIPS = 3, 4
"""How many clips of a data set `--quick` takes."""


@dataclass(frozen=True)
class Plan:
    """How an experiment is run.

    name: of the result's files; ends in "-quick" for a quick look. data: folder of the data set, if one is
    needed. preset: name of architecture and width, for the result. forms: the settings of each form of
    training, by name. command: what a person types to repeat it. runs: folder of checkpoints and models,
    shared by all experiments. results: folder of the page, the JSON and the plots, which is there. quick:
    whether this is a small version, for a look at what the experiment does. only, minutes: of `live`: the
    part to measure, None means all that are missing; how long the load lasts.
    """

    name: str
    data: Path | None
    architecture: Architecture
    preset: str
    forms: dict[str, TrainingSettings]
    seeds: int
    command: str
    compiled: bool
    runs: Path
    results: Path
    quick: bool = False
    only: str | None = None
    minutes: float = 30
    say: Callable[[str], None] = print

    @property
    def status(self) -> Literal["measured", "quick"]:
        """What each row of the result says of itself."""
        return "quick" if self.quick else "measured"

    @property
    def shown_settings(self) -> dict[str, str | int | float | bool]:
        """Settings for the result's page."""
        shown: dict[str, str | int | float | bool] = self.architecture.model_dump()
        for form, settings in self.forms.items():
            for key, value in settings.model_dump(exclude={"seed"}).items():
                shown[f"{form} {key}"] = value
        return shown


def dataset_of(plan: Plan, name: str, *, all_tests: bool = False) -> Dataset:
    """The data set called `name`; in a quick plan its first clips alone, but with `all_tests` all test clips.

    Raises as `open_dataset` does.
    """
    dataset = open_dataset(name, plan.data)
    if not plan.quick:
        return dataset
    test = dataset.test if all_tests else dataset.test[:QUICK_TEST_CLIPS]
    return replace(dataset, train=dataset.train[:QUICK_TRAIN_CLIPS], test=test)


def only_form(plan: Plan) -> str:
    """The plan's one form. Raises `UsageError` where it has two."""
    if len(plan.forms) > 1:
        raise UsageError(f"--form {','.join(plan.forms)}: {plan.name} shows one form; give one")
    return next(iter(plan.forms))


def seed_folder(plan: Plan, dataset: Dataset, form: str, seed: int) -> Path:
    """Where the model of one seed is, with its checkpoints and what experiments keep to go on."""
    return plan.runs / dataset.name / form / f"seed-{seed}"


def trained_seeds(plan: Plan, dataset: Dataset, form: str) -> Iterator[tuple[Decoupled, BundleInfo]]:
    """The trained model of each seed in one form, see `trained_model`."""
    for seed in range(plan.seeds):
        yield trained_model(plan, dataset, form, seed)


def trained_model(plan: Plan, dataset: Dataset, form: str, seed: int) -> tuple[Decoupled, BundleInfo]:
    """The model of one seed in one form, trained now unless `plan.runs` holds it finished.

    Raises as training does, and `LatentwatchError` where `plan.runs` holds a model of other settings.
    """
    folder = seed_folder(plan, dataset, form, seed)
    bundle = folder / f"{dataset.name}.lw"
    wanted = plan.forms[form].model_copy(update={"seed": seed})
    if not bundle.is_file():
        plan.say(f"form {form}, seed {seed}: training, {wanted.epochs} epochs at most")
        learn_camera(
            dataset.train,
            bundle,
            plan.architecture,
            wanted,
            folder=folder,
            resume=can_go_on(folder, plan.architecture, wanted),
            compiled=plan.compiled,
            say=plan.say,
        )
    model, info = load_bundle(bundle)
    check_settings(bundle, info.architecture == plan.architecture, info.provenance, wanted)
    return model, info


def check_settings(bundle: Path, same_shape: bool, provenance: dict[str, Any], wanted: BaseModel) -> None:
    """Raises `LatentwatchError` where the model in `bundle` is not of the wanted shape and settings.

    Settings that an older version did not know count as their default.
    """
    try:
        found = type(wanted).model_validate(provenance.get("settings"))
    except ValidationError:
        found = None
    if not same_shape or found != wanted:
        raise LatentwatchError(
            f"{bundle}: was trained with other settings; give another --runs folder or remove {bundle.parent}"
        )
