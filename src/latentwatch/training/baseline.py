"""Trains a baseline on a camera's footage and writes its model file: plain PyTorch, on the CPU."""

import math
import pickle
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.utils.data import DataLoader

from latentwatch.baselines.registry import build
from latentwatch.baselines.scorer import Baseline, BaselineSettings
from latentwatch.bundle.file import check_place
from latentwatch.bundle.provenance import training_run
from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.scoring.baseline import BaselineInfo, calibrate_baseline, save_baseline
from latentwatch.training.checkpoints import (
    SafeCheckpoints,
    forget_last,
    last_checkpoint,
    no_room,
    stopped,
)
from latentwatch.training.chunks import RunDataset
from latentwatch.training.frames import FrameStore, build_store
from latentwatch.training.lock import only_one_in
from latentwatch.training.machine import bf16_is_faster, keep_freed_memory


class BaselineTraining(BaseModel):
    """How a baseline is trained: Adam at the system's own rate, falling along a cosine to nothing.

    epochs: passes over the footage, which is cut into clips anew in each. learning_rate: None for the
    system's own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(20, ge=1)
    learning_rate: float | None = Field(None, gt=0)
    seed: int = 0


def learn_baseline(
    clips: Sequence[Clip],
    out: Path,
    settings: BaselineSettings,
    training: BaselineTraining,
    *,
    folder: Path | None = None,
    resume: bool = False,
    bf16: bool | None = None,
    say: Callable[[str], None] = print,
) -> BaselineInfo:
    """Trains on `clips` (normal footage of one camera), calibrates on the held-out part, and writes `out`.

    Decoded frames and checkpoints go to `folder` (default: `out` with `.run` added). bf16: bfloat16 or fp32;
    None takes what this machine is faster with. Without `resume`, an earlier run's checkpoint is removed.
    Raises `StoppedError` on Ctrl-C, `UsageError` for settings that make no system, where `out` cannot be,
    where there is nothing to resume and where another training runs in the folder, `LatentwatchError` where
    the footage is too short or the disk is full.
    """
    check_place(out)
    folder = folder or out.with_name(out.name + ".run")
    checkpoint = last_checkpoint(folder, resume=resume)
    torch.manual_seed(training.seed)
    run = _Run(build(settings), training, bf16_is_faster() if bf16 is None else bf16)
    keep_freed_memory()
    try:
        with only_one_in(folder):
            if resume:
                run.take_up(checkpoint)
            else:
                forget_last(folder)
            store = build_store(
                clips, settings.size, folder, lambda name, n: say(f"decoded {name}: {n} frames")
            )
            train, held_out = store.split(run.model.clip_length)
            run.train(store, train, held_out, checkpoint, say)
            say("calibrating on held-out footage")
            threshold, frames = calibrate_baseline(run.model, [store.frames[a:b] for a, b in held_out])
    except KeyboardInterrupt as error:
        raise stopped(folder) from error
    info = BaselineInfo(
        settings=settings,
        fps=store.fps,
        threshold=threshold,
        frames=frames,
        provenance=training_run(run.seconds / 60, len(clips), len(store.frames), training),
    )
    save_baseline(out, run.model, info)
    return info


class _Run:
    """A model in training: its optimizers and how far it is."""

    def __init__(self, model: Baseline, training: BaselineTraining, bf16: bool) -> None:
        self.model, self.training, self.seconds = model, training, 0.0
        self._bf16 = bf16
        self._epoch = 0
        critic = list(model.critic.parameters()) if model.critic else []
        known = {id(weight) for weight in critic}
        own = [weight for weight in model.parameters() if id(weight) not in known]
        self._optimizer = torch.optim.Adam(own, training.learning_rate or model.learning_rate)
        self._critic = torch.optim.Adam(critic, model.critic_learning_rate) if critic else None
        self._start_rates = [
            group["lr"] for optimizer in self._optimizers() for group in optimizer.param_groups
        ]

    def _optimizers(self) -> list[torch.optim.Adam]:
        return [self._optimizer, *([self._critic] if self._critic else [])]

    def train(
        self,
        store: FrameStore,
        train: Sequence[tuple[int, int]],
        held_out: Sequence[tuple[int, int]],
        checkpoint: Path,
        say: Callable[[str], None],
    ) -> None:
        """The epochs that are left, each with a line and a checkpoint."""
        length, batch = self.model.clip_length, self.model.batch
        runs = RunDataset(store, train, length, jitter=True, seed=self.training.seed)
        judged = DataLoader(RunDataset(store, held_out, length, jitter=False), batch)
        began, first = time.monotonic(), self._epoch
        spent = self.seconds
        total = self.training.epochs
        while self._epoch < total:
            # From seed and epoch alone, so that a resumed run is the same as one that never stopped.
            torch.manual_seed(hash((self.training.seed, self._epoch)) % 2**31)
            runs.set_epoch(self._epoch)
            loss = self._pass(DataLoader(runs, batch, shuffle=True, drop_last=len(runs) >= batch))
            held_out_loss = self._judge(judged)
            if not np.isfinite(loss + held_out_loss):
                raise LatentwatchError(
                    f"epoch {self._epoch + 1}: the loss is no longer a number; start anew with --fp32"
                )
            self._epoch += 1
            taken = time.monotonic() - began
            self.seconds = spent + taken
            self._save(checkpoint)
            left = taken / (self._epoch - first) * (total - self._epoch) / 60
            say(
                f"epoch {self._epoch}/{total}  loss {loss:.4g}  held-out loss {held_out_loss:.4g}  "
                f"about {left:.0f} min left"
            )

    def _pass(self, batches: DataLoader[Tensor]) -> float:
        self.model.train()
        losses = []
        for index, rgb in enumerate(batches):
            self._set_rates((self._epoch + index / len(batches)) / self.training.epochs)
            clips = self.model.pictures(rgb)
            losses.append(self._step(self._optimizer, self.model.loss, clips))
            if self._critic:
                self._step(self._critic, self.model.critic_loss, clips)
        return float(np.mean(losses))

    def _step(self, optimizer: torch.optim.Adam, loss_of: Callable[[Tensor], Tensor], clips: Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            loss = loss_of(clips)
        # All of them: the generator's loss leaves gradients in the critic too.
        for each in self._optimizers():
            each.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        return loss.item()

    def _set_rates(self, done: float) -> None:
        groups = [group for optimizer in self._optimizers() for group in optimizer.param_groups]
        for group, rate in zip(groups, self._start_rates, strict=True):
            group["lr"] = rate * 0.5 * (1 + math.cos(math.pi * done))

    @torch.no_grad()
    def _judge(self, batches: DataLoader[Tensor]) -> float:
        self.model.eval()
        return float(np.mean([self.model.loss(self.model.pictures(rgb)).item() for rgb in batches]))

    def _save(self, path: Path) -> None:
        state = {
            "settings": self.model.settings.model_dump(),
            "training": self.training.model_dump(),
            "epoch": self._epoch,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers()],
        }
        try:
            SafeCheckpoints().save_checkpoint(state, path)
        except OSError as error:
            raise no_room(path.parent.parent, error) from error

    def take_up(self, path: Path) -> None:
        """Goes on from a checkpoint.

        Raises `UsageError` where it is of another system or size, `LatentwatchError` where it is damaged.
        """
        try:
            state: dict[str, Any] = torch.load(path, weights_only=True)
            same = state["settings"] == self.model.settings.model_dump()
        except (RuntimeError, pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError) as error:
            raise LatentwatchError(
                f"{path}: no checkpoint of a baseline, or damaged; start without --resume"
            ) from error
        if not same or state["training"] != self.training.model_dump():
            raise UsageError(
                f"{path}: of a run with other settings; give the command as before, or leave --resume away"
            )
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers(), state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self._epoch, self.seconds = state["epoch"], state["seconds"]
