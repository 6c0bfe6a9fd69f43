"""From a camera's footage to its model file."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from latentwatch.bundle.bundle import BundleInfo, save_bundle
from latentwatch.bundle.provenance import training_run
from latentwatch.datasets.dataset import Clip
from latentwatch.errors import StoppedError
from latentwatch.models.presets import Architecture
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.calibration import calibrate
from latentwatch.training.frames import FrameStore
from latentwatch.training.lock import only_one_in
from latentwatch.training.run import train_model
from latentwatch.training.settings import TrainingSettings
from latentwatch.video.frame import Frame


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
    Ctrl-C, else as `only_one_in`, `train_model` and `save_bundle` do.
    """
    folder = folder or out.with_name(out.name + ".run")
    with only_one_in(folder):
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
            say("calibrating on held-out footage")
            held_out = [
                score_clip(trained.model, frames_of(trained.store, *run), pixel_scores=True)
                for run in trained.held_out
            ]
        except KeyboardInterrupt as error:
            raise StoppedError(f"stopped; go on with --resume (checkpoints are in {folder})") from error
        info = BundleInfo(
            architecture=architecture,
            fps=trained.store.fps,
            calibration=calibrate(held_out),
            provenance=training_run(trained.minutes, len(clips), len(trained.store.frames), settings),
        )
        save_bundle(out, trained.model, info)
        return info


def frames_of(store: FrameStore, start: int, stop: int) -> Iterator[Frame]:
    """Frames `start` to `stop - 1` of a store, as one clip."""
    for index in range(start, stop):
        yield Frame(index - start, (index - start) / store.fps, store.frames[index])
