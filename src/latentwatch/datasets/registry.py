"""Data sets by name."""

from collections.abc import Callable
from pathlib import Path

from latentwatch.datasets.avenue import avenue
from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.shanghaitech import shanghaitech
from latentwatch.datasets.ucsd import ucsd
from latentwatch.errors import UsageError

DATASETS: dict[str, Callable[[Path], Dataset]] = {
    "ped1": lambda root: ucsd("ped1", root),
    "ped2": lambda root: ucsd("ped2", root),
    "avenue": avenue,
    "shanghaitech": shanghaitech,
}


def open_dataset(name: str, root: Path) -> Dataset:
    """The data set called `name` below `root`.

    Raises `UsageError` for an unknown name or a missing folder.
    """
    if name not in DATASETS:
        raise UsageError(f"{name}: no such data set; known are {', '.join(sorted(DATASETS))}")
    if not root.is_dir():
        raise UsageError(f"{root}: no such folder; give the folder that holds {name}")
    return DATASETS[name](root)
