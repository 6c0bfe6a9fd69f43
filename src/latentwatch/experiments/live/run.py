"""`latentwatch reproduce live`: the whole way from cameras to messages, measured on real processes."""

from dataclasses import replace
from pathlib import Path

from latentwatch.bundle.bundle import load_bundle
from latentwatch.datasets.registry import open_dataset
from latentwatch.errors import MissingPackageError, installing
from latentwatch.evaluation.run import score_name
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.live.camera import calibrated_model
from latentwatch.experiments.live.measured import Accuracy, Faults, Load, load
from latentwatch.experiments.live.page import write_live
from latentwatch.experiments.seeds import Plan, only_form
from latentwatch.monitor.budget import load_budget
from latentwatch.monitor.calibrate import file_sha256

PARTS: dict[str, type[Accuracy] | type[Faults] | type[Load]] = {
    "accuracy": Accuracy,
    "faults": Faults,
    "load": Load,
}


def reproduce_live(plan: Plan) -> Path:
    """Measures the parts that `plan.runs` does not hold yet, or anew the one asked for; gives the page.

    It is written anew after each part. Raises as the parts do, and `MissingPackageError` where a server or a
    package is missing.
    """
    try:  # before anything takes time
        from latentwatch.experiments.live.parts import measure
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"{error.name} is not installed; {installing('monitor')}") from error
    dataset = open_dataset("ped2", plan.data)
    model = calibrated_model(plan, dataset)
    folder = plan.runs / "live"
    page = plan.results / "live.md"
    for name in (plan.only,) if plan.only else PARTS:
        if plan.only or not _is_done(name, folder):
            measure(name, plan, dataset, model, folder)
        page = _write(plan, model, folder)
    return page


def _is_done(name: str, folder: Path) -> bool:
    found = load(PARTS[name], folder)
    return found is not None and not (isinstance(found, Faults) and not found.complete)


def _write(plan: Plan, model: Path, folder: Path) -> Path:
    width = plan.preset.rpartition("/")[2]
    command = f"latentwatch reproduce live --data DIR --width {width} --form {only_form(plan)}"
    named = replace(
        plan,
        name="live-quick" if plan.quick else "live",
        command=command + " --quick" * plan.quick,
        preset=f"{plan.preset} {only_form(plan)}",
    )
    engine = load_budget(model, file_sha256(model)).engine
    score = score_name(load_bundle(model)[1].fusion)
    return write_live(named, load(Accuracy, folder), load(Faults, folder), load(Load, folder), engine, score)


LIVE = Experiment(
    name="live",
    paper="not in it",
    about="`watch` from RTSP to MQTT: accuracy and latency, faults, 8 cameras for long",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=2550, scored=2550),
    quick_work=Work(trained=450, scored=2550),
    run=reproduce_live,
    real_minutes=75,
    quick_real_minutes=15,
    one_seed=True,
)
