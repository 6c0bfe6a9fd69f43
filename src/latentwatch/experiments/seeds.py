"""Trains one model for each seed, or takes it up where an earlier run left it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from latentwatch.bundle.bundle import BundleInfo, load_bundle
from latentwatch.datasets.dataset import Dataset
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture
from latentwatch.training.camera import learn_camera
from latentwatch.training.settings import TrainingSettings


@dataclass(frozen=True)
class Plan:
    """How an experiment is run.

    preset: name of architecture and width, for the result. forms: the settings of each form of training, by
    name. command: what a person types to repeat it. runs: folder of checkpoints and models. results: folder
    of the page, the JSON and the plots.
    """

    data: Path
    architecture: Architecture
    preset: str
    forms: dict[str, TrainingSettings]
    seeds: int
    command: str
    compiled: bool
    runs: Path
    results: Path
    say: Callable[[str], None] = print

    @property
    def shown_settings(self) -> dict[str, str | int | float | bool]:
        """Settings for the result's page."""
        shown: dict[str, str | int | float | bool] = self.architecture.model_dump()
        for form, settings in self.forms.items():
            for key, value in settings.model_dump(exclude={"seed"}).items():
                shown[f"{form} {key}"] = value
        return shown


def trained_seeds(plan: Plan, dataset: Dataset, form: str) -> Iterator[tuple[Decoupled, BundleInfo]]:
    """The trained model of each seed in one form, training those that `plan.runs` does not hold finished.

    Raises as training does, and `LatentwatchError` where `plan.runs` holds a model of other settings.
    """
    for seed in range(plan.seeds):
        folder = plan.runs / dataset.name / form / f"seed-{seed}"
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
                resume=(folder / "checkpoints" / "last.ckpt").is_file(),
                compiled=plan.compiled,
                say=plan.say,
            )
        model, info = load_bundle(bundle)
        if info.architecture != plan.architecture or info.provenance.get("settings") != wanted.model_dump():
            raise LatentwatchError(
                f"{bundle}: was trained with other settings; give another --runs folder or remove {folder}"
            )
        yield model, info
