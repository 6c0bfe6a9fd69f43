"""Eq. 1 in its two phases (Section 3.3), as a Lightning module around the pure torch model."""

import time
from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.models.losses import (
    l2_term,
    prediction_loss,
    reconstruction_loss,
    speed_contrast,
    variance_term,
)
from latentwatch.training.same_run import KEPT, run_of
from latentwatch.training.settings import TrainingSettings


class DecoupledModule(pl.LightningModule):
    """Trains a `Decoupled` model. Batches are uint8 `(R, T, H, W, 3)`: R runs of T consecutive frames.

    With a second tensor beside it, R runs of k + horizon frames of sped-up footage.
    """

    def __init__(self, model: Decoupled, settings: TrainingSettings, *, compiled: bool = False) -> None:
        super().__init__()
        self.model = model
        # The few batch shapes that occur are each worth a graph of their own.
        self._encode = torch.compile(model.encode, dynamic=False) if compiled else model.encode
        self._decode = torch.compile(model.decode, dynamic=False) if compiled else model.decode
        self.settings = settings
        self.phase = 1
        self.warmed_up = False
        self._best = float("inf")
        self._stale = 0
        self.seconds = 0.0
        self._epoch_began = 0.0

    @property
    def appearance_only(self) -> bool:
        """Whether the autoencoder alone is being trained."""
        return self.settings.latent_gradient == "late" and self.phase == 1

    def on_train_epoch_start(self) -> None:
        """Starts the epoch's clock. In phase two of "late", BatchNorm keeps what phase one measured."""
        self._epoch_began = time.monotonic()
        if self.settings.latent_gradient == "late" and self.phase == 2:
            # A batch of phase two is a few places of the footage; its statistics would shift the code that
            # the motion model has just learned.
            for part in (self.model.encoder, self.model.decoder):
                for layer in part.modules():
                    if isinstance(layer, nn.BatchNorm2d):
                        layer.eval()

    def on_train_batch_start(self, _batch: Tensor, batch_idx: int) -> None:
        """Sets the learning rate of this step."""
        done = self.current_epoch + batch_idx / max(int(self.trainer.num_training_batches), 1)
        optimizer = self.optimizers()
        assert not isinstance(optimizer, list)
        for group in optimizer.param_groups:
            group["lr"] = self.settings.rate(self.phase, done)

    def training_step(self, batch: Tensor | Sequence[Tensor], _index: int) -> Tensor:
        """Eq. 1 on one batch, and the terms beside it that the settings give a weight."""
        rgb, sped_up = (batch, None) if isinstance(batch, Tensor) else batch
        reconstruction, codes = self._reconstruct(rgb, shift=self.settings.shift)
        if self.appearance_only:
            regulariser = self.settings.gamma * l2_term(self.model.appearance_parameters())
            self._log_training(reconstruction=reconstruction, l2=regulariser)
            return reconstruction + regulariser
        prediction, contrast = self._predict(codes, sped_up)
        weight_r, weight_p = (1.0, self.settings.lambda_p) if self.phase == 1 else (0.001, 1.0)
        if self.settings.latent_gradient == "stop":
            # lambda_p only keeps the prediction loss off the encoder, which it does not reach here.
            weight_p = 1.0
        regulariser = self.settings.gamma * l2_term(self.model.parameters())
        self._log_training(reconstruction=reconstruction, prediction=prediction, l2=regulariser)
        loss = weight_r * reconstruction + weight_p * prediction + regulariser
        if self.settings.variance > 0:
            loss = loss + weight_p * self.settings.variance * variance_term(codes)
        if contrast is not None:
            self._log_training(speed_contrast=contrast)
            loss = loss + weight_p * self.settings.speed_contrast * contrast
        return loss

    def _log_training(self, **losses: Tensor) -> None:
        named = {f"train/{name}": loss for name, loss in losses.items()}
        self.log_dict(named, on_step=False, on_epoch=True, batch_size=1)

    def validation_step(self, batch: Tensor, _index: int) -> None:
        """Held-out losses, the code's variance over frames, and the prediction error in units of it."""
        reconstruction, codes = self._reconstruct(batch)
        variance = codes.float().var(dim=1).mean()
        error = self._predict(codes)[0] / codes[0, 0].numel()
        losses = {
            "held_out/reconstruction": reconstruction,
            "held_out/prediction_error": error,
            "held_out/code_variance": variance,
        }
        if self.model.motion.predicts:
            losses["held_out/relative_error"] = error / variance.clamp_min(1e-12)
        # All processes must agree on when a phase ends.
        self.log_dict(losses, batch_size=1, sync_dist=True)

    def _reconstruct(self, rgb: Tensor, shift: float = 0) -> tuple[Tensor, Tensor]:
        """The reconstruction loss of runs `(R, T, H, W, 3)`, and their codes `(R, T, C, h, w)`.

        shift: see `TrainingSettings`.
        """
        runs, length = rgb.shape[:2]
        frames = self.model.foreground(rgb.flatten(0, 1))
        if shift > 0:
            furthest = int(shift * frames.shape[2])
            moves = torch.randint(-furthest, furthest + 1, (runs, 2)).tolist()
            frames = torch.cat(
                [moved(frames[i * length : (i + 1) * length], *move) for i, move in enumerate(moves)]
            )
        codes, skips = self._encode(frames)
        place = torch.arange(runs * length).view(runs, length)
        later, earlier = place[:, 1:].flatten(), place[:, :-1].flatten()
        rebuilt = self._decode(codes[later], [skip[earlier] for skip in skips])
        loss = reconstruction_loss(rebuilt, frames[later], self.settings.reconstruction)
        return loss, codes.view(runs, length, *codes.shape[1:])

    def _predict(self, codes: Tensor, sped_up: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """The prediction loss of all windows inside runs of codes `(R, T, C, h, w)`.

        Beside it, of frames `(R, k + horizon, H, W, 3)` of sped-up footage, `speed_contrast`.
        """
        k, horizon = self.model.architecture.k, self.model.architecture.horizon
        stopped = self.settings.latent_gradient == "stop"
        shared = codes.detach() if stopped else codes
        past = torch.cat([windows(run, k, horizon) for run in shared])
        observed = shared[:, k + horizon - 1 :].flatten(0, 1)
        if sped_up is None:
            return prediction_loss(self.model.motion.errors(self.model.predict(past), observed)), None
        made, _ = self._encode(self.model.foreground(sped_up.flatten(0, 1)))
        fast = (made.detach() if stopped else made).view(*sped_up.shape[:2], *made.shape[1:])
        # In one batch, so that the statistics of BatchNorm do not give away which footage is which.
        predicted = self.model.predict(torch.cat([past, fast[:, :k]]))
        errors = self.model.motion.errors(predicted, torch.cat([observed, fast[:, -1]]))
        return prediction_loss(errors[: len(past)]), speed_contrast(errors[len(past) :], fast)

    def on_validation_epoch_end(self) -> None:
        """Stops the epoch's clock, and ends phase one when it is over."""
        self.seconds += time.monotonic() - self._epoch_began
        if self.trainer.sanity_checking or self.phase == 2:
            return
        loss = float(self.trainer.callback_metrics["held_out/reconstruction"])
        self._stale = 0 if loss < 0.99 * self._best else self._stale + 1
        self._best = min(self._best, loss)
        converged = self.settings.schedule == "steps" and self._stale >= self.settings.patience
        if self.current_epoch + 1 >= self.settings.epochs_one() or converged:
            self.phase = 2
            # What Adam remembers of phase one's gradients is of another scale, and makes the first steps of
            # phase two far too long.
            for optimizer in self.trainer.optimizers:
                optimizer.state.clear()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keeps phase and time spent, so that a resumed run goes on with them, and which run it is."""
        progress = [self.phase, self._best, self._stale, self.seconds, self.warmed_up]
        checkpoint[KEPT] = {**run_of(self.model.architecture, self.settings), "progress": progress}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes phase and time up again; `check_same_run` has seen that it is the same run."""
        progress = checkpoint[KEPT]["progress"]
        self.phase, self._best, self._stale, self.seconds, self.warmed_up = progress

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam (Section 4.1); `on_train_batch_start` sets its learning rate."""
        return torch.optim.Adam(self.parameters(), lr=self.settings.learning_rate)


def moved(frames: Tensor, down: int, right: int) -> Tensor:
    """Pictures `(N, C, H, W)` moved by so many pixels; what comes into view is 0, the background."""
    rolled = torch.roll(frames, (down, right), dims=(2, 3))
    height, width = frames.shape[2:]
    rows = slice(0, down) if down >= 0 else slice(height + down, height)
    columns = slice(0, right) if right >= 0 else slice(width + right, width)
    rolled[:, :, rows] = 0
    rolled[:, :, :, columns] = 0
    return rolled
