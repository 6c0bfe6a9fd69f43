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
    rate collapses the code; "stop" keeps it within the motion model. "late", the default, lets it through in
    phase two alone: phase one trains the autoencoder, the motion model then learns its finished codes
    (`training.warm_up`), and phase two trains all of it.
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
    phase_one_at_most: float = Field(0.5, gt=0, lt=1)
    """Share of the epochs after which phase two begins anyway; "late" always waits for it, so that the
    autoencoder has had some epochs at the lower learning rate."""
    appearance_chunk: int = Field(16, ge=2)
    """Frames of a chunk in phase one of "late", which needs no windows: short ones make more steps."""
    warm_up_passes: int = Field(10, ge=1)
    """Passes of the motion model over the finished codes, in "late"."""
    latent_gradient: LatentGradient = "late"
    seed: int = 0


class DecoupledModule(pl.LightningModule):
    """Trains a `Decoupled` model. Batches are uint8 `(1, T, H, W, 3)`: one chunk of T frames."""

    def __init__(self, model: Decoupled, settings: TrainingSettings, *, compiled: bool = False) -> None:
        super().__init__()
        self.model = model
        # The few chunk lengths that occur are each worth a graph of their own.
        self._encode = torch.compile(model.encode, dynamic=False) if compiled else model.encode
        self._decode = torch.compile(model.decode, dynamic=False) if compiled else model.decode
        self.settings = settings
        self.phase = 1
        self.warmed_up = False
        self._best = float("inf")
        self._stale = 0
        self.seconds = 0.0
        self._epoch_began = 0.0

    def on_train_epoch_start(self) -> None:
        """Starts the epoch's clock."""
        self._epoch_began = time.monotonic()

    def training_step(self, batch: Tensor, _index: int) -> Tensor:
        """Eq. 1 on one chunk."""
        reconstruction, codes = self._reconstruct(batch[0])
        if self.appearance_only:
            regulariser = self.settings.gamma * l2_term(self.model.appearance_parameters())
            self._log_training(reconstruction=reconstruction, l2=regulariser)
            return reconstruction + regulariser
        prediction = self._predict(codes)
        weight_r, weight_p = (1.0, 0.001) if self.phase == 1 else (0.001, 1.0)
        if self.settings.latent_gradient == "stop":
            # lambda_p only keeps the prediction loss off the encoder, which it does not reach here.
            weight_p = 1.0
        regulariser = self.settings.gamma * l2_term(self.model.parameters())
        self._log_training(reconstruction=reconstruction, prediction=prediction, l2=regulariser)
        return weight_r * reconstruction + weight_p * prediction + regulariser

    def _log_training(self, **losses: Tensor) -> None:
        named = {f"train/{name}": loss for name, loss in losses.items()}
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=1)

    def validation_step(self, batch: Tensor, _index: int) -> None:
        """Held-out losses, the code's variance over frames, and the prediction error in units of it."""
        reconstruction, codes = self._reconstruct(batch[0])
        variance = codes.var(dim=0).mean()
        error = self._predict(codes) / codes[0].numel()
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
    def appearance_only(self) -> bool:
        """Whether the autoencoder alone is being trained."""
        return self.settings.latent_gradient == "late" and self.phase == 1

    def _reconstruct(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.model.foreground(rgb)
        codes, skips = self._encode(frames)
        rebuilt = self._decode(codes[1:], [skip[:-1] for skip in skips])
        return reconstruction_loss(rebuilt, frames[1:]), codes

    def _predict(self, codes: Tensor) -> Tensor:
        k, horizon = self.model.architecture.k, self.model.architecture.horizon
        shared = codes.detach() if self.settings.latent_gradient == "stop" else codes
        return prediction_loss(self.model.predict(windows(shared, k, horizon)), shared[k + horizon - 1 :])

    def on_validation_epoch_end(self) -> None:
        """Stops the epoch's clock, and ends phase one when reconstruction no longer improves."""
        self.seconds += time.monotonic() - self._epoch_began
        if self.trainer.sanity_checking or self.phase == 2:
            return
        loss = float(self.trainer.callback_metrics["held_out/reconstruction"])
        self._stale = 0 if loss < 0.99 * self._best else self._stale + 1
        self._best = min(self._best, loss)
        last = self.current_epoch + 1 >= self.settings.phase_one_at_most * self.settings.epochs
        converged = self._stale >= self.settings.patience and self.settings.latent_gradient != "late"
        if last or converged:
            self.phase = 2

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps the phase and the time spent, so that a resumed run goes on with them."""
        checkpoint["latentwatch"] = [
            self.phase,
            self._best,
            self._stale,
            self.seconds,
            self.warmed_up,
        ]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes them up again."""
        self.phase, self._best, self._stale, self.seconds, self.warmed_up = checkpoint["latentwatch"]

    def configure_optimizers(self) -> Any:
        """Adam, the rate falling tenfold every 20 epochs of 50 (Section 4.1)."""
        optimizer = torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)
        step = max(round(self.settings.decay_every * self.settings.epochs), 1)
        return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, step, 0.1)]
