"""Runs of consecutive frames: the unit of training.

Every frame of a run is encoded once, and all (k, horizon) windows inside it share those codes. A batch holds
runs from several places of the footage, since BatchNorm and Adam do badly on one place at a time.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from latentwatch.training.frames import FrameStore


class RunDataset(Dataset[Tensor]):
    """Items are uint8 `(length, H, W, 3)`, consecutive frames of one clip.

    With `jitter`, each epoch cuts a clip at other places (`set_epoch`), so that windows differ while every
    frame is still seen about once.
    """

    def __init__(
        self, store: FrameStore, clips: Sequence[tuple[int, int]], length: int, *, jitter: bool, seed: int = 0
    ) -> None:
        self._store = store
        self._clips = clips
        self._length = length
        self._jitter = jitter
        self._seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Cuts the clips anew for this epoch. The number of runs never changes."""
        rng = np.random.default_rng((self._seed, epoch))
        self._starts = []
        for start, stop in self._clips:
            count = max((stop - start) // self._length, 1)
            slack = stop - start - count * self._length
            offset = int(rng.integers(0, slack + 1)) if self._jitter and slack > 0 else 0
            self._starts += [start + offset + i * self._length for i in range(count)]

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Tensor:
        start = self._starts[index]
        return torch.from_numpy(np.array(self._store.frames[start : start + self._length]))
