"""From a camera's model file and its footage to the model's int8 form, if that predicts as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration, load_bundle
from latentwatch.bundle.file import check_place, checksum_of
from latentwatch.bundle.int8 import Int8Info, int8_file, save_int8
from latentwatch.bundle.provenance import software
from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.derived import at_fps
from latentwatch.engines.engine import Engine
from latentwatch.engines.graphs import GraphName, graph_names
from latentwatch.engines.openvino_engine import Int8Engine, OpenvinoEngine
from latentwatch.engines.packages import require_nncf
from latentwatch.engines.quantise import quantise
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import ClipScores
from latentwatch.scoring.calibration import calibrate
from latentwatch.scoring.camera import stream_clip
from latentwatch.scoring.detector import Detector
from latentwatch.training.frames import FrameStore, build_store, frames_of

BOUND = 0.10
"""By what share of itself the relative prediction error may move."""

LEARNED_FROM = 300
"""About how many motion steps the ranges are learned from."""

RUN = 12
"""Steps in a row."""

CHECKED = 2000
"""At most how many held-out frames are scored in both formats."""


@dataclass(frozen=True)
class Int8Trial:
    """The int8 form of a model, and what it cost on `frames` scored held-out frames.

    graphs: see `engines.quantise`. calibration: of int8, fitted to those frames. relative_error: mean
    prediction error over the code's variance, in fp32 and in int8. score_shift: by what share the score of a
    frame changed, median and largest.
    """

    graphs: dict[GraphName, tuple[bytes, bytes]]
    calibration: Calibration
    frames: int
    relative_error: tuple[float, float]
    score_shift: tuple[float, float]

    @property
    def moved(self) -> float:
        """By what share of itself the relative prediction error moved."""
        before, after = self.relative_error
        return abs(after / before - 1)

    @property
    def passes(self) -> bool:
        """Whether that is within `BOUND`."""
        return self.moved <= BOUND


@dataclass(frozen=True)
class Quantised:
    """An int8 file that was written, and what it cost."""

    file: Path
    trial: Int8Trial


def quantise_camera(
    bundle: Path, clips: Sequence[Clip], out: Path | None = None, say: Callable[[str], None] = print
) -> Quantised:
    """Writes the int8 form of the model file `bundle` to `out` (default: `int8_file`).

    clips: the camera's normal footage, best that which it was trained on: held out from learning the ranges
    is then what was held out from training. Raises `LatentwatchError` where the footage is too short, nothing
    changes in it, or the relative prediction error moved by more than `BOUND`; nothing is then written.
    `StoppedError` on Ctrl-C, `UsageError` for a motion model that takes no steps and where `out` cannot be.
    """
    file = out or int8_file(bundle)
    check_place(file)
    model, info = load_bundle(bundle)
    clips = [at_fps(clip, info.fps, say) for clip in clips]
    try:
        trial = try_int8(model, info.calibration, clips, say, name=str(bundle))
    except KeyboardInterrupt as error:
        raise StoppedError("stopped; nothing was written") from error
    before, after = trial.relative_error
    if not trial.passes:
        raise LatentwatchError(
            f"{bundle}: its relative prediction error on held-out footage is {before:.4g} in fp32 and "
            f"{after:.4g} in int8; it moved by {trial.moved:.1%}, more than {BOUND:.0%}: nothing is written"
        )
    description = Int8Info(
        belongs_to=checksum_of(bundle),
        calibration=trial.calibration,
        relative_error=trial.relative_error,
        provenance={**software(), "frames": trial.frames},
    )
    save_int8(file, {str(name): pair for name, pair in trial.graphs.items()}, description)
    return Quantised(file, trial)


def try_int8(
    model: Decoupled,
    calibration: Calibration,
    clips: Sequence[Clip],
    say: Callable[[str], None] = print,
    *,
    name: str = "the model",
) -> Int8Trial:
    """Quantises a model and scores held-out footage in fp32 and in int8; judges nothing, writes nothing.

    calibration: of fp32. clips: as for `quantise_camera`. name: of the model, for errors. Raises as that
    does, but for the bound and Ctrl-C.
    """
    architecture = model.architecture
    if "step" not in graph_names(model):
        raise UsageError(f"{name}: motion model {architecture.motion} has no int8 form; only conv3d has")
    require_nncf()  # said before the footage is decoded
    with TemporaryDirectory() as folder:
        store = build_store(
            clips, architecture.size, Path(folder), lambda clip, n: say(f"decoded {clip}: {n} frames")
        )
        learned, held_out = store.split(architecture.span)
        runs = _spread(store, learned, architecture.k + RUN, LEARNED_FROM // RUN)
        if all((run == runs[0][0]).all() for run in runs):
            raise LatentwatchError(
                "nothing changes in the footage, so no ranges can be learned from it; "
                "give footage in which something moves"
            )
        say("learning the ranges of the numbers (two parts: the encoder, the motion model)")
        graphs = quantise(model, runs)
        say("scoring held-out footage in fp32 and in int8")
        judged = _first(held_out, CHECKED)
        engines: list[Engine] = [OpenvinoEngine(model, bf16=False), Int8Engine(model, graphs)]
        before, after = (
            [
                stream_clip(Detector(model, calibration, engine=engine), frames_of(store, *run))
                for run in judged
            ]
            for engine in engines
        )
        samples = np.concatenate(_spread(store, judged, 1, 200))
        variances = [float(engine.encode(samples).var(axis=0).mean()) for engine in engines]
    was, now = (_scores(clips) for clips in (before, after))
    if min(variances) <= 0 or was.min() <= 0:
        raise LatentwatchError(f"{name}: its code says nothing of this footage; is it of another camera?")
    shift = np.abs(now / was - 1)
    return Int8Trial(
        graphs=graphs,
        calibration=calibrate(after, calibration.pixel_threshold),
        frames=len(was),
        relative_error=(float(was.mean() / variances[0]), float(now.mean() / variances[1])),
        score_shift=(float(np.median(shift)), float(shift.max())),
    )


def _spread(
    store: FrameStore, runs: Sequence[tuple[int, int]], length: int, count: int
) -> list[NDArray[np.uint8]]:
    """At most `count` runs of `length` frames, or less where no run is as long, spread over `runs`."""
    length = min(length, max(stop - start for start, stop in runs))
    starts = [at for start, stop in runs for at in range(start, stop - length + 1)]
    chosen = np.unique(np.linspace(0, len(starts) - 1, count).round().astype(int))
    return [np.array(store.frames[starts[index] : starts[index] + length]) for index in chosen]


def _first(runs: Sequence[tuple[int, int]], limit: int) -> list[tuple[int, int]]:
    """Runs from the first on, of no more than `limit` frames together."""
    kept = []
    for start, stop in runs:
        if limit <= 0:
            break
        kept.append((start, min(stop, start + limit)))
        limit -= stop - start
    return kept


def _scores(clips: Sequence[ClipScores]) -> NDArray[np.float64]:
    scores = np.concatenate([clip.z_mse for clip in clips])
    return np.asarray(scores[~np.isnan(scores)])
