"""Ends training early when held-out normal footage is no longer predicted better."""

import pytorch_lightning as pl
from pytorch_lightning.callbacks import EarlyStopping

from latentwatch.training.module import DecoupledModule


class PhaseTwoStopping(EarlyStopping):
    """Early stopping that watches phase two alone.

    In phase one the code is still growing, and the error of predicting it rises with it.
    """

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Looks at the held-out error."""
        if isinstance(pl_module, DecoupledModule) and pl_module.phase == 2:
            super().on_validation_end(trainer, pl_module)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Nothing: validation has just ended."""
