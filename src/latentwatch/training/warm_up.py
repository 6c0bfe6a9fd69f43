"""Between the phases: the motion model learns the codes of the finished autoencoder.

These do not change, so every frame is encoded once for all passes, and a batch mixes windows from all over
the footage, which suits BatchNorm. Phase two needs it: the loss of a motion model that predicts badly drives
the encoder to codes without content.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray

from latentwatch.models.decoupled import Decoupled
from latentwatch.models.losses import l2_term, prediction_loss
from latentwatch.training.frames import FrameStore
from latentwatch.training.module import DecoupledModule

BATCH = 32
LEARNING_RATE = 1e-3


class MotionWarmUp(pl.Callback):
    """Runs `fit_motion` before the first epoch of phase two of the latent gradient "late"."""

    def __init__(
        self,
        store: FrameStore,
        runs: Sequence[tuple[int, int]],
        folder: Path,
        say: Callable[[str], None],
        check: Callable[[], None],
    ) -> None:
        self._store, self._runs, self._folder, self._say, self._check = store, runs, folder, say, check

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Warms up, once; with several processes the first does it for all."""
        if not isinstance(module, DecoupledModule) or module.warmed_up or module.phase == 1:
            return
        module.warmed_up = True
        settings = module.settings
        if settings.latent_gradient != "late":
            return
        if trainer.is_global_zero:
            file = self._folder / "codes.bin"
            fit_motion(
                module.model,
                self._store,
                self._runs,
                file,
                passes=settings.warm_up_passes,
                gamma=settings.gamma,
                seed=settings.seed,
                autocast=trainer.precision == "bf16-mixed",
                say=self._say,
                check=self._check,
            )
            file.unlink()
        motion = module.model.motion
        motion.load_state_dict(trainer.strategy.broadcast(motion.state_dict()))


def fit_motion(
    model: Decoupled,
    store: FrameStore,
    runs: Sequence[tuple[int, int]],
    file: Path,
    *,
    passes: int,
    gamma: float,
    seed: int,
    autocast: bool = False,
    say: Callable[[str], None],
    check: Callable[[], None] = lambda: None,
) -> None:
    """Trains the motion model alone on the codes of `runs`, which are kept in `file` meanwhile.

    All is computed on the device that `model` is on. The loss is Eq. 1's second and third term. autocast: in
    bfloat16 where that is accurate enough. check: is called between two batches, and may raise to stop.
    Raises `OSError` where `file` cannot be written.
    """
    device = model.background.device  # Lightning has moved the model to a GPU where there is one
    codes = _encode_all(model, store, runs, file, check)
    k, span = model.architecture.k, model.architecture.span
    lengths = [stop - start for start, stop in runs]
    offsets = np.cumsum([0, *lengths[:-1]])
    firsts = np.concatenate(
        [offset + np.arange(length - span + 1) for offset, length in zip(offsets, lengths, strict=True)]
    )
    batches = -(-len(firsts) // BATCH)
    rng = np.random.default_rng((seed, 1))
    model.motion.train()
    optimizer = torch.optim.Adam(model.motion.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, passes * batches)
    for number in range(passes):
        total = 0.0
        for part in np.array_split(rng.permutation(firsts), batches):
            past = torch.from_numpy(codes[part[:, None] + np.arange(k)]).to(device)
            target = torch.from_numpy(codes[part + span - 1]).to(device)
            with torch.autocast(device.type, torch.bfloat16, enabled=autocast):
                loss = prediction_loss(model.motion.errors(model.predict(past), target))
            optimizer.zero_grad()
            torch.autograd.backward(loss + gamma * l2_term(model.motion.parameters()))
            optimizer.step()
            schedule.step()
            total += loss.item() / target[0].numel()
            check()
        say(f"motion model, pass {number + 1}/{passes}  {model.motion.error_name} {total / batches:.3g}")


def _encode_all(
    model: Decoupled,
    store: FrameStore,
    runs: Sequence[tuple[int, int]],
    file: Path,
    check: Callable[[], None],
) -> NDArray[np.float32]:
    device = model.background.device
    model.eval()
    with file.open("wb") as out, torch.no_grad():
        for start, stop in runs:
            for first in range(start, stop, 16):
                rgb = torch.from_numpy(np.array(store.frames[first : min(first + 16, stop)])).to(device)
                out.write(model.encode(model.foreground(rgb))[0].contiguous().cpu().numpy().tobytes())
                check()
    model.train()
    count = sum(stop - start for start, stop in runs)
    return np.memmap(file, dtype=np.float32, mode="r", shape=(count, *model.architecture.code_shape))
