"""Eq. 1 in its two phases (Section 3.3), as a Lightning module around the pure torch model."""

import time
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.models.losses import l2_term, prediction_loss, reconstruction_loss

LatentGradient = Literal["full", "stop", "late"]


class TrainingSettings(BaseModel):
    """How a model is trained. The defaults are the paper's where it speaks, but for the learning rate.

    A step takes a whole chunk of frames here, so there are fewer steps, and the paper's 1e-4 is slow to
    reconstruct anything.

    latent_gradient: "full" lets the prediction loss reach the encoder, as Eq. 1 reads, which at this learning
    rate collapses the code; "stop" keeps it within the motion model; "late" stops it in phase one alone, so
    that phase two fits a finished code to what can be predicted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(50, ge=2)
    learning_rate: float = Field(1e-3, gt=0)
    decay_every: float = Field(0.4, gt=0, le=1)
    """The learning rate falls tenfold after each such share of the epochs (20 of 50 in the paper)."""
    gamma: float = Field(0.001, ge=0)
    chunk: int = Field(32, ge=8)
    patience: int = Field(3, ge=1)
    """Phase one ends when the held-out reconstruction loss has not fallen by 1% for so many epochs."""
    phase_one_at_most: float = Field(0.4, gt=0, lt=1)
    """Share of the epochs after which phase two begins anyway: by default, when the learning rate falls."""
    latent_gradient: LatentGradient = "late"
    seed: int = 0


class DecoupledModule(pl.LightningModule):
    """Trains a `Decoupled` model. Batches are uint8 `(1, T, H, W, 3)`: one chunk of T frames."""

    def __init__(self, model: Decoupled, settings: TrainingSettings, *, compiled: bool = False) -> None:
        super().__init__()
        self.model = model
        self._encode = torch.compile(model.encode) if compiled else model.encode
        self._decode = torch.compile(model.decode) if compiled else model.decode
        self.settings = settings
        self.phase = 1
        self._best = float("inf")
        self._stale = 0
        self.seconds = 0.0
        self._epoch_began = 0.0

    def on_train_epoch_start(self) -> None:
        """Starts the epoch's clock."""
        self._epoch_began = time.monotonic()

    def training_step(self, batch: Tensor, _index: int) -> Tensor:
        """Eq. 1 on one chunk."""
        reconstruction, prediction, _ = self._losses(batch[0])
        weight_r, weight_p = (1.0, 0.001) if self.phase == 1 else (0.001, 1.0)
        if self._stops_gradient:
            # lambda_p only keeps the prediction loss off the encoder, which it does not reach here.
            weight_p = 1.0
        regulariser = self.settings.gamma * l2_term(self.model.parameters())
        self.log_dict(
            {"train/reconstruction": reconstruction, "train/prediction": prediction, "train/l2": regulariser},
            on_step=False, on_epoch=True, batch_size=1,
        )  # fmt: skip
        return weight_r * reconstruction + weight_p * prediction + regulariser

    def validation_step(self, batch: Tensor, _index: int) -> None:
        """Held-out losses, the code's variance over frames, and the prediction error in units of it."""
        reconstruction, prediction, codes = self._losses(batch[0])
        variance = codes.var(dim=0).mean()
        error = prediction / codes[0].numel()
        self.log_dict(
            {
                "held_out/reconstruction": reconstruction,
                "held_out/prediction_mse": error,
                "held_out/code_variance": variance,
                "held_out/relative_error": error / variance.clamp_min(1e-12),
            },
            batch_size=1,
        )

    @property
    def _stops_gradient(self) -> bool:
        form = self.settings.latent_gradient
        return form == "stop" or (form == "late" and self.phase == 1)

    def _losses(self, rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        k, horizon = self.model.architecture.k, self.model.architecture.horizon
        frames = self.model.foreground(rgb)
        codes, skips = self._encode(frames)
        rebuilt = self._decode(codes[1:], [skip[:-1] for skip in skips])
        shared = codes.detach() if self._stops_gradient else codes
        predicted = self.model.predict(windows(shared, k, horizon))
        return (
            reconstruction_loss(rebuilt, frames[1:]),
            prediction_loss(predicted, shared[k + horizon - 1 :]),
            codes,
        )

    def on_validation_epoch_end(self) -> None:
        """Stops the epoch's clock, and ends phase one when reconstruction no longer improves."""
        self.seconds += time.monotonic() - self._epoch_began
        if self.trainer.sanity_checking or self.phase == 2:
            return
        loss = float(self.trainer.callback_metrics["held_out/reconstruction"])
        self._stale = 0 if loss < 0.99 * self._best else self._stale + 1
        self._best = min(self._best, loss)
        last = self.current_epoch + 1 >= self.settings.phase_one_at_most * self.settings.epochs
        # "late" waits for the lower learning rate: at the first one, its phase two collapses the code.
        converged = self._stale >= self.settings.patience and self.settings.latent_gradient != "late"
        if last or converged:
            self.phase = 2

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the phase and the time spent, so that a resumed run goes on with them."""
        checkpoint["latentwatch"] = [self.phase, self._best, self._stale, self.seconds]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes them up again."""
        self.phase, self._best, self._stale, self.seconds = checkpoint["latentwatch"]

    def configure_optimizers(self) -> Any:
        """Adam, the rate falling tenfold every 20 epochs of 50 (Section 4.1)."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)
        step = max(round(self.settings.decay_every * self.settings.epochs), 1)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, step, 0.1)]
