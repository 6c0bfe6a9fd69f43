"""Sped-up footage: what a motion model that knows a camera's usual speeds must not be able to predict."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from latentwatch.training.chunks import RunDataset
from latentwatch.training.frames import FrameStore

SPEEDS = (2, 3, 4)
"""How many times as fast as it was filmed: so many frames on is the next one that is kept."""


class WithSpedUp(Dataset[tuple[Tensor, Tensor]]):
    """Each run of `runs` with another beside it of `span` frames, from anywhere in `clips`, played too fast.

    Items are uint8 `(length, H, W, 3)` and `(span, H, W, 3)`. Raises `ValueError` where no clip is long
    enough (`long_enough`).
    """

    def __init__(
        self, runs: RunDataset, store: FrameStore, clips: Sequence[tuple[int, int]], span: int, seed: int
    ) -> None:
        self._runs = runs
        self._store = store
        self._clips = long_enough(clips, span)
        if not self._clips:
            raise ValueError(f"no clip has the {_length(span, SPEEDS[0])} frames that a sped-up run takes")
        self._span = span
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Draws other runs for this epoch."""
        self._epoch = epoch
        self._runs.set_epoch(epoch)

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self._seed, self._epoch, index))
        start, stop = self._clips[int(rng.integers(len(self._clips)))]
        speed = int(rng.choice([each for each in SPEEDS if _length(self._span, each) <= stop - start]))
        length = _length(self._span, speed)
        first = int(rng.integers(start, stop - length + 1))
        return self._runs[index], torch.from_numpy(
            np.array(self._store.frames[first : first + length : speed])
        )


def long_enough(clips: Sequence[tuple[int, int]], span: int) -> list[tuple[int, int]]:
    """Those of `clips`, `(start, stop)` each, from which a run of `span` frames can be taken sped up."""
    return [(start, stop) for start, stop in clips if stop - start >= _length(span, SPEEDS[0])]


def _length(span: int, speed: int) -> int:
    return speed * (span - 1) + 1
