"""From a camera's footage to its model file."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.bundle.file import check_place
from latentwatch.bundle.provenance import training_run
from latentwatch.datasets.dataset import Clip
from latentwatch.engines.choose import open_engine
from latentwatch.engines.cpu import cpu_has_bf16
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture, Precision
from latentwatch.scoring.batch import ClipScores, score_clip
from latentwatch.scoring.calibration import calibrate, learn_fusion
from latentwatch.scoring.camera import stream_clip
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.flow import flow_maps
from latentwatch.training.checkpoints import forget_last, last_checkpoint, stopped
from latentwatch.training.frames import FrameStore, Run, frames_of
from latentwatch.training.lock import only_one_in
from latentwatch.training.run import train_model
from latentwatch.training.settings import TrainingSettings

MOST_PIXELS = 2**27
"""Errors of so many pixels at most tell what is usual, in 512 MB: those of 5,461 frames of 128x192."""


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
    start: Decoupled | None = None,
    say: Callable[[str], None] = print,
) -> BundleInfo:
    """Trains on `clips`, calibrates on the held-out part of them, and writes the bundle `out`.

    start: a model to go on from, see `train_model`. Without `resume`, an earlier run's checkpoint is removed.
    Checkpoints and logs go to `folder` (default: `out` with `.run` added). Raises `StoppedError` on
    Ctrl-C, else as `check_place`, `only_one_in`, `train_model` and `save_bundle` do.
    """
    check_place(out)
    folder = folder or out.with_name(out.name + ".run")
    last_checkpoint(folder, resume=resume)  # says where there is nothing to resume, before `folder` is made
    with only_one_in(folder):
        if not resume:
            forget_last(folder)
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
                start=start,
                say=say,
            )
            say("calibrating on held-out footage")
            held_out = score_held_out(trained.model, trained.store, trained.held_out)
            calibrations: dict[Precision, Calibration] = {"fp32": calibrate(held_out)}
            fusion = None
            if settings.fuse_speed and trained.model.motion.predicts:
                say("measuring how fast things move")
                seen, others = (
                    [flow_maps(frames_of(trained.store, *run), architecture.code_shape[1:]) for run in runs]
                    for runs in (trained.seen, trained.held_out)
                )
                fusion = learn_fusion(seen, others, held_out)
            if cpu_has_bf16() and trained.model.motion.predicts:
                # What `auto` may score in on such a machine; the decoder is in fp32 there too.
                engine = open_engine(trained.model, bf16=True)
                detector = Detector(trained.model, calibrations["fp32"], engine=engine)
                streamed = [stream_clip(detector, frames_of(trained.store, *run)) for run in trained.held_out]
                calibrations["bf16"] = calibrate(streamed, calibrations["fp32"].pixel_threshold)
        except KeyboardInterrupt as error:
            raise stopped(folder) from error
        info = BundleInfo(
            architecture=architecture,
            fps=trained.store.fps,
            calibrations=calibrations,
            fusion=fusion,
            provenance=training_run(trained.minutes, len(clips), len(trained.store.frames), settings),
        )
        save_bundle(out, trained.model, info)
        return info


def score_held_out(model: Decoupled, store: FrameStore, runs: Sequence[Run]) -> list[ClipScores]:
    """The scores of runs of the store's frames, for `calibrate` and `learn_fusion`.

    Where their pixel maps would hold more than `MOST_PIXELS` pixels together, every n-th frame's is kept.
    """
    pixels = math.prod(model.architecture.size) * sum(stop - start for start, stop in runs)
    every = math.ceil(pixels / MOST_PIXELS)
    scores = []
    for run in runs:
        found = score_clip(model, frames_of(store, *run), pixel_scores=True)
        if found.pixel_maps is not None and every > 1:
            found = replace(found, pixel_maps=found.pixel_maps[::every].copy())  # lets go of the others
        scores.append(found)
    return scores
