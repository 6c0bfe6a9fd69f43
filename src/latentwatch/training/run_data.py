"""The footage of one camera as Lightning wants it: what is trained on and what is held out."""

from typing import Any

import pytorch_lightning as pl
from torch import Tensor
from torch.utils.data import DataLoader

from latentwatch.training.chunks import RunDataset
from latentwatch.training.frames import FrameStore
from latentwatch.training.settings import TrainingSettings
from latentwatch.training.sped_up import WithSpedUp, long_enough

HELD_OUT_RUN = 48
"""Frames of a run of held-out footage."""


class RunData(pl.LightningDataModule):
    """Training and held-out footage of one camera. Batches are uint8 `(runs, length, H, W, 3)`.

    Training batches have runs of sped-up footage beside them, see `training.sped_up`, where the settings give
    that a weight, unless not `contrast` (the motion model predicts nothing) or all clips are too short.
    shortest: frames that a clip must have to be used (`Architecture.span`).
    """

    def __init__(
        self, store: FrameStore, shortest: int, settings: TrainingSettings, *, contrast: bool = True
    ) -> None:
        super().__init__()
        train, held_out = store.split(shortest)
        self.train_clips, self.held_out_clips = train, held_out
        longest = min(stop - start for start, stop in train + held_out)
        self._settings = settings
        length = min(max(settings.run, shortest), longest)
        appearance = min(settings.appearance_run, longest)
        runs = RunDataset(store, train, length, jitter=True, seed=settings.seed)
        contrast = contrast and settings.speed_contrast > 0 and bool(long_enough(train, shortest))
        self._train = WithSpedUp(runs, store, train, shortest, settings.seed) if contrast else runs
        self._appearance = RunDataset(store, train, appearance, jitter=True, seed=settings.seed)
        self._held_out = RunDataset(store, held_out, min(max(HELD_OUT_RUN, shortest), longest), jitter=False)

    def train_dataloader(self) -> DataLoader[Any]:
        """Runs in random order, cut anew each epoch (the trainer reloads this every epoch)."""
        alone = self.trainer is not None and getattr(self.trainer.lightning_module, "appearance_only", False)
        runs = self._appearance if alone else self._train
        together = self._settings.appearance_runs if alone else self._settings.runs
        runs.set_epoch(self.trainer.current_epoch if self.trainer else 0)
        return DataLoader(runs, together, shuffle=True, drop_last=len(runs) >= together)

    def val_dataloader(self) -> DataLoader[Tensor]:
        """Held-out normal footage, always the same."""
        return DataLoader(self._held_out, batch_size=1)
