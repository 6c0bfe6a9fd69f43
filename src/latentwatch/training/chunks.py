"""Runs of consecutive frames: the unit of training.

Every frame of a run is encoded once, and all (k, horizon) windows inside it share those codes. A batch holds
runs from several places of the footage, since BatchNorm and Adam do badly on one place at a time.
"""

from collections.abc import Sequence

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from latentwatch.training.frames import FrameStore
from latentwatch.training.settings import TrainingSettings

HELD_OUT_RUN = 48
"""Frames of a run of held-out footage."""


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


class RunData(pl.LightningDataModule):
    """Training and held-out footage of one camera. Batches are uint8 `(runs, length, H, W, 3)`.

    shortest: frames that a clip must have to be used (`Architecture.span`).
    """

    def __init__(self, store: FrameStore, shortest: int, settings: TrainingSettings) -> None:
        super().__init__()
        train, held_out = store.split(shortest)
        self.train_clips, self.held_out_clips = train, held_out
        longest = min(stop - start for start, stop in train + held_out)
        self._settings = settings
        length = min(max(settings.run, shortest), longest)
        appearance = min(settings.appearance_run, longest)
        self._train = RunDataset(store, train, length, jitter=True, seed=settings.seed)
        self._appearance = RunDataset(store, train, appearance, jitter=True, seed=settings.seed)
        self._held_out = RunDataset(store, held_out, min(max(HELD_OUT_RUN, shortest), longest), jitter=False)

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Runs in random order, cut anew each epoch (the trainer reloads this every epoch)."""
        alone = self.trainer is not None and getattr(self.trainer.lightning_module, "appearance_only", False)
        runs = self._appearance if alone else self._train
        together = self._settings.appearance_runs if alone else self._settings.runs
        runs.set_epoch(self.trainer.current_epoch if self.trainer else 0)
        return DataLoader(runs, together, shuffle=True, drop_last=len(runs) >= together)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Held-out normal footage, always the same."""
        return DataLoader(self._held_out, batch_size=1)
