"""From a camera's footage to its model file."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latentwatch.bundle.bundle import BundleInfo, save_bundle
from latentwatch.bundle.provenance import software
from latentwatch.datasets.dataset import Clip
from latentwatch.errors import StoppedError
from latentwatch.models.decoupled import windows
from latentwatch.models.presets import Architecture
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.calibration import calibrate
from latentwatch.scoring.distance import fit_usual
from latentwatch.training.frames import FrameStore
from latentwatch.training.run import Trained, train_model
from latentwatch.training.settings import TrainingSettings
from latentwatch.video.frame import Frame

MEASURED_WINDOWS = 24
"""Windows of each training clip whose errors say what is usual."""


def learn_camera(
    clips: Sequence[Clip],
    out: Path,
    architecture: Architecture,
    settings: TrainingSettings,
    *,
    folder: Path | None = None,
    resume: bool = False,
    devices: int = 1,
    bf16: bool | None = None,
    compiled: bool = False,
    say: Callable[[str], None] = print,
) -> BundleInfo:
    """Trains on `clips`, calibrates on the held-out part of them, and writes the bundle `out`.

    Checkpoints and logs go to `folder` (default: `out` with `.run` added). Raises `StoppedError` on
    Ctrl-C, else as `train_model` and `save_bundle` do.
    """
    folder = folder or out.with_name(out.name + ".run")
    try:
        trained = train_model(
            clips,
            architecture,
            settings,
            folder,
            resume=resume,
            devices=devices,
            bf16=bf16,
            compiled=compiled,
            say=say,
        )
        say("measuring the usual latent error on training footage")
        whitening, usual = fit_usual(_training_errors(trained))
        trained.model.error_whitening.copy_(whitening)
        trained.model.usual_distance.copy_(usual)
        say("calibrating on held-out footage")
        held_out = [
            score_clip(trained.model, _frames(trained.store, *run), pixel_scores=True)
            for run in trained.held_out
        ]
    except KeyboardInterrupt as error:
        raise StoppedError(f"stopped; go on with --resume (checkpoints are in {folder})") from error
    info = BundleInfo(
        architecture=architecture,
        fps=trained.store.fps,
        calibration=calibrate(held_out),
        provenance={
            **software(),
            "trained": datetime.now(UTC).isoformat(timespec="seconds"),
            "minutes": round(trained.minutes, 1),
            "clips": len(clips),
            "frames": len(trained.store.frames),
            "settings": settings.model_dump(),
        },
    )
    save_bundle(out, trained.model, info)
    return info


def _training_errors(trained: Trained) -> Iterator[Tensor]:
    """Latent errors `(N, C, h, w)` from the middle of each training clip."""
    model, store = trained.model, trained.store
    architecture = model.architecture
    for start, stop in trained.train:
        length = min(architecture.span - 1 + MEASURED_WINDOWS, stop - start)
        first = start + (stop - start - length) // 2
        with torch.inference_mode():
            rgb = torch.from_numpy(np.array(store.frames[first : first + length]))
            codes, _ = model.encode(model.foreground(rgb))
            past = windows(codes, architecture.k, architecture.horizon)
            yield model.predict(past) - codes[architecture.warm_up :]


def _frames(store: FrameStore, start: int, stop: int) -> Iterator[Frame]:
    for index in range(start, stop):
        yield Frame(index - start, (index - start) / store.fps, store.frames[index])
