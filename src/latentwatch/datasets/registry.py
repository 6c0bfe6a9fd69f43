"""Data sets by name."""

from collections.abc import Callable, Sequence
from pathlib import Path

from latentwatch.datasets.altered import altered
from latentwatch.datasets.avenue import CITATION as AVENUE
from latentwatch.datasets.avenue import avenue
from latentwatch.datasets.dataset import Dataset
from latentwatch.datasets.folder import clips_in, footage
from latentwatch.datasets.moving_mnist import CITATION as MNIST
from latentwatch.datasets.moving_mnist import moving_mnist
from latentwatch.datasets.shanghaitech import CITATION as SHANGHAITECH
from latentwatch.datasets.shanghaitech import shanghaitech
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.datasets.ucsd import CITATION as UCSD
from latentwatch.datasets.ucsd import ucsd
from latentwatch.errors import UsageError

READERS: dict[str, Callable[[Path], Dataset]] = {
    "ped1": lambda root: ucsd("ped1", root),
    "ped2": lambda root: ucsd("ped2", root),
    "avenue": avenue,
    "shanghaitech": shanghaitech,
    "moving-mnist": moving_mnist,
    "folder": footage,
    "altered": lambda root: altered(clips_in(root)),
}

NAMES = (*READERS, "street")

SOURCES = {
    "ped1": UCSD,
    "ped2": UCSD,
    "avenue": AVENUE,
    "shanghaitech": SHANGHAITECH,
    "moving-mnist": MNIST,
}
"""Whom to cite for a data set, and where it is to be had."""


def open_dataset(name: str, root: Path | None = None) -> Dataset:
    """The data set called `name` below `root`; `street` is made here and needs no root.

    `shanghaitech:01` is that set's camera 01 alone.

    Raises `UsageError` for an unknown name or a missing folder.
    """
    if name == "street":
        return street_dataset()
    name, _, camera = name.partition(":")
    if name not in READERS or (camera and name != "shanghaitech"):
        raise UsageError(f"{name}: no such data set; known are {', '.join(NAMES)}")
    if root is None or not root.is_dir():
        problem = "needs a folder" if root is None else "no such folder"
        source = f". {SOURCES[name]}" if name in SOURCES else ""
        raise UsageError(f"{root or name}: {problem}; give the one that holds {name} with --data{source}")
    return shanghaitech(root, camera) if camera else READERS[name](root)


def present(names: Sequence[str], root: Path | None) -> list[str]:
    """Those of `names` that have a folder of their name in `root`.

    Raises `UsageError` where there is none; it says where each is to be had.
    """
    found = [name for name in names if root is not None and (root / name).is_dir()]
    if not found:
        sources = ". ".join(dict.fromkeys(SOURCES[name] for name in names))
        raise UsageError(
            f"{root or 'data sets'}: none found; give with --data the folder that holds "
            f"{', '.join(names)}, one or more, each in a folder of that name. {sources}"
        )
    return found
