"""Chunks of consecutive frames: the unit of training.

Every frame of a chunk is encoded once, and all (k, horizon) windows inside it share those codes.
"""

from collections.abc import Sequence

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from latentwatch.training.frames import FrameStore


class ChunkDataset(Dataset[Tensor]):
    """Items are uint8 `(length, H, W, 3)`, consecutive frames of one clip.

    With `jitter`, each epoch cuts a clip at other places (`set_epoch`), so that windows differ while every
    frame is still seen about once.
    """

    def __init__(
        self, store: FrameStore, runs: Sequence[tuple[int, int]], length: int, *, jitter: bool, seed: int = 0
    ) -> None:
        self._store = store
        self._runs = runs
        self._length = length
        self._jitter = jitter
        self._seed = seed
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Cuts the clips anew for this epoch. The number of chunks never changes."""
        rng = np.random.default_rng((self._seed, epoch))
        self._starts = []
        for start, stop in self._runs:
            count = max((stop - start) // self._length, 1)
            slack = stop - start - count * self._length
            offset = int(rng.integers(0, slack + 1)) if self._jitter and slack > 0 else 0
            self._starts += [start + offset + i * self._length for i in range(count)]

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Tensor:
        start = self._starts[index]
        return torch.from_numpy(np.array(self._store.frames[start : start + self._length]))


class ChunkData(pl.LightningDataModule):
    """Training and held-out chunks of one camera's normal footage.

    length: frames of a chunk. appearance: frames of a chunk while the autoencoder alone is trained.
    """

    def __init__(self, store: FrameStore, shortest: int, length: int, appearance: int, seed: int) -> None:
        super().__init__()
        train, held_out = store.split(shortest)
        self.train_runs, self.held_out_runs = train, held_out
        length = min(length, min(stop - start for start, stop in train + held_out))
        self._train = ChunkDataset(store, train, length, jitter=True, seed=seed)
        self._appearance = ChunkDataset(store, train, min(appearance, length), jitter=True, seed=seed)
        self._held_out = ChunkDataset(store, held_out, length, jitter=False)

    def train_dataloader(self) -> DataLoader[Tensor]:
        """Chunks in random order, cut anew each epoch (the trainer reloads this every epoch)."""
        alone = self.trainer is not None and getattr(self.trainer.lightning_module, "appearance_only", False)
        chunks = self._appearance if alone else self._train
        chunks.set_epoch(self.trainer.current_epoch if self.trainer else 0)
        return DataLoader(chunks, batch_size=1, shuffle=True)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Held-out normal chunks, always the same."""
        return DataLoader(self._held_out, batch_size=1)
