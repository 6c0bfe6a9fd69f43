"""Each part of `reproduce live` by its name. Needs the monitor extra, unlike the list of experiments."""

from functools import partial
from pathlib import Path

from latentwatch.datasets.dataset import Dataset
from latentwatch.experiments.live.accuracy import measure_accuracy
from latentwatch.experiments.live.faults import FaultRun
from latentwatch.experiments.live.load import measure_load
from latentwatch.experiments.live.measured import Faults, load, save
from latentwatch.experiments.seeds import Plan


def measure(name: str, plan: Plan, dataset: Dataset, model: Path, folder: Path) -> None:
    """Measures the part called `name` with a calibrated model; what it finds is kept in `folder`."""
    stands = folder / "stands" / name
    if name == "accuracy":
        save(measure_accuracy(dataset, model, stands, quick=plan.quick, say=plan.say), folder)
    elif name == "faults":
        done = load(Faults, folder)
        if done is None or done.complete:
            done = Faults(quick=plan.quick)
        FaultRun(dataset, model, stands, done, keep=partial(save, folder=folder), say=plan.say).run()
    else:
        minutes = min(plan.minutes, 1) if plan.quick else plan.minutes
        save(measure_load(dataset, model, stands, minutes=minutes, quick=plan.quick, say=plan.say), folder)
