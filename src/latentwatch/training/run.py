"""One training run from clips to a trained model, resumable."""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from pytorch_lightning.loggers import CSVLogger, TensorBoardLogger

from latentwatch.datasets.dataset import Clip
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture
from latentwatch.training.checkpoints import SafeCheckpoints, last_checkpoint, no_room
from latentwatch.training.frames import FrameStore, Run, build_store
from latentwatch.training.interrupts import HeldInterrupt
from latentwatch.training.machine import bf16_is_faster, keep_freed_memory
from latentwatch.training.module import DecoupledModule
from latentwatch.training.progress import EpochLines
from latentwatch.training.run_data import RunData
from latentwatch.training.same_run import check_same_run
from latentwatch.training.settings import TrainingSettings
from latentwatch.training.stopping import PhaseTwoStopping
from latentwatch.training.warm_up import MotionWarmUp


@dataclass(frozen=True)
class Trained:
    """A trained model, its footage's frames, which it has seen, which were held out, and the time it took."""

    model: Decoupled
    store: FrameStore
    seen: Sequence[Run]
    held_out: Sequence[Run]
    minutes: float


def train_model(
    clips: Sequence[Clip],
    architecture: Architecture,
    settings: TrainingSettings,
    folder: Path,
    *,
    resume: bool = False,
    devices: int = 1,
    bf16: bool | None = None,
    compiled: bool = False,
    start: Decoupled | None = None,
    say: Callable[[str], None] = print,
) -> Trained:
    """Trains on `clips` (normal footage of one camera), keeping frames, logs and checkpoints in `folder`.

    start: a model to go on from (fine-tuning), whose background is taken anew from `clips`. resume goes on
    from the folder's last checkpoint. devices above 1 trains with DDP. bf16: bfloat16 or fp32; None takes
    what this machine is faster with. compiled fuses the networks with torch.compile, which needs a C++
    compiler. Raises `UsageError` where there is nothing to resume or it is of another run, `LatentwatchError`
    where the checkpoint is damaged, the footage too short or the disk full, `KeyboardInterrupt` on Ctrl-C.
    """
    warnings.filterwarnings("ignore", module="pytorch_lightning")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    checkpoint = last_checkpoint(folder, resume=resume)
    if resume:  # before the footage is decoded, which takes long
        check_same_run(checkpoint, architecture, settings)
    pl.seed_everything(settings.seed, workers=True, verbose=False)
    store = build_store(clips, architecture.size, folder, lambda name, n: say(f"decoded {name}: {n} frames"))
    model = Decoupled(architecture)
    data = RunData(store, architecture.span, settings, contrast=model.motion.predicts)
    if start is not None:
        model.load_state_dict(start.state_dict())
    model.background.copy_(torch.from_numpy(store.background(data.train_clips)))
    module = DecoupledModule(model, settings, compiled=compiled)
    if bf16 is None:
        bf16 = bf16_is_faster()
    keep_freed_memory()
    interrupt = HeldInterrupt()
    trainer = pl.Trainer(
        max_epochs=settings.epochs,
        accelerator="auto",
        devices=devices,
        # Phase one may leave the motion model's weights unused.
        strategy="ddp_find_unused_parameters_true" if devices > 1 else "auto",
        precision="bf16-mixed" if bf16 else "32-true",
        callbacks=[
            EpochLines(say, model.motion.error_name),
            MotionWarmUp(store, data.train_clips, folder, say, interrupt.check),
            # One file, written anew after every epoch: a run that is stopped loses at most the current one.
            ModelCheckpoint(
                checkpoint.parent, checkpoint.stem, enable_version_counter=False, save_on_train_epoch_end=True
            ),
            PhaseTwoStopping("held_out/prediction_error", patience=settings.epochs // 4 + 1),
            interrupt,
        ],
        logger=[CSVLogger(folder, "csv"), TensorBoardLogger(folder, "tensorboard")],
        plugins=[SafeCheckpoints()],
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1000000,
    )
    try:
        with interrupt:
            trainer.fit(module, data, ckpt_path=str(checkpoint) if resume else None, weights_only=True)
    except SystemExit as error:  # what Lightning makes of a `KeyboardInterrupt`
        raise KeyboardInterrupt from error
    except OSError as error:
        raise no_room(folder, error) from error
    if not trainer.is_global_zero:
        raise SystemExit(0)  # DDP starts the whole program once for each process; the first one goes on
    return Trained(model.eval(), store, data.train_clips, data.held_out_clips, module.seconds / 60)
