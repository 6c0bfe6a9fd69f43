"""What a person sees during a training run: one line an epoch, with the time that is left."""

import time
from collections.abc import Callable

import pytorch_lightning as pl


class EpochLines(pl.Callback):
    """Tells `say` one line after each epoch, with an estimate of the remaining time.

    error_name: what the held-out error of the motion model is called.
    """

    def __init__(self, say: Callable[[str], None], error_name: str) -> None:
        self._say, self._error_name = say, error_name
        self._began = 0.0
        self._first = 0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:  # noqa: ARG002
        """Starts the clock."""
        self._began, self._first = time.monotonic(), trainer.current_epoch

    def on_train_epoch_end(self, trainer: pl.Trainer, _pl_module: pl.LightningModule) -> None:
        """Says how it stands, once for all processes."""
        if not trainer.is_global_zero:
            return
        done = trainer.current_epoch + 1
        total = trainer.max_epochs or done
        left = (time.monotonic() - self._began) / (done - self._first) * (total - done) / 60
        metric = {name: float(value) for name, value in trainer.callback_metrics.items()}
        words = [f"epoch {done}/{total}", f"reconstruction {metric['train/reconstruction']:.1f}"]
        if "train/prediction" in metric:
            variance = f"the code's variance {metric['held_out/code_variance']:.3g}"
            relative = metric.get("held_out/relative_error")
            words.append(
                f"held-out {self._error_name} {metric['held_out/prediction_error']:.3g} "
                f"({variance if relative is None else f'{relative:.2f} of {variance}'})"
            )
        self._say("  ".join([*words, f"about {left:.0f} min left"]))
