"""Makes the budget of one camera from normal footage that its model did not learn from."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.bundle import load_bundle
from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.derived import at_fps
from latentwatch.engines.choose import open_engine
from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import Budget, Promise, Tail, budget_file, fit_tail, promise
from latentwatch.monitor.health_reference import learn_health, save_health
from latentwatch.monitor.zones import Polygons, kept_places
from latentwatch.scoring.camera import detector_of
from latentwatch.scoring.detector import Detector
from latentwatch.video.frame import Frame
from latentwatch.video.source import VideoSource
from latentwatch.whole_file import whole_file


def calibrate_camera(
    model: Path,
    clips: Sequence[Clip],
    per_day: float,
    *,
    ignore: Polygons = (),
    engine: Choice = "auto",
    rules: AlarmRules | None = None,
    say: Callable[[str], None] = print,
) -> Promise:
    """Scores the clips, fits the tail of their levels, and writes the budget beside the model.

    clips: normal footage that the model did not learn from. per_day: false alarms a day that are allowed.
    ignore: polygons whose errors do not count. rules: when alarms begin and end. Raises as `load_bundle`,
    decoding and `fit_tail` do.
    """
    network, info = load_bundle(model)
    opened = open_engine(network, engine)
    try:
        kept = kept_places(ignore, network.architecture.code_shape[1:])
    except ValueError as error:
        raise UsageError(f"--ignore: {error}") from error
    detector = detector_of(network, info, opened, kept=kept)
    clips = [at_fps(clip, info.fps, say) for clip in clips]
    scores = []
    for number, clip in enumerate(clips, start=1):
        detector.reset()
        with clip.open() as frames:
            scores.append(_scores(detector, frames))
        if number % max(len(clips) // 20, 1) == 0 or number == len(clips):
            scored = int((~np.isnan(np.concatenate(scores))).sum())
            say(f"{number}/{len(clips)} {clip.name}: {scored} frames scored")
    learn_health_of(model, clips, say)
    rules = rules or AlarmRules()
    return save_budget(
        model,
        fit_tail(scores, rules, info.fps),
        per_day,
        engine=str(opened),
        fps=info.fps,
        rules=rules,
        ignore=ignore,
        footage=[clip.name for clip in clips],
    )


def save_budget(
    model: Path,
    tail: Tail,
    per_day: float,
    *,
    engine: str,
    fps: float,
    rules: AlarmRules,
    ignore: Polygons,
    footage: list[str],
) -> Promise:
    """Writes the budget that a tail gives beside the model, whole or not at all; see `Budget`."""
    promised = promise(tail, per_day)
    budget = Budget(
        model_sha256=file_sha256(model),
        engine=engine,
        fps=fps,
        rules=rules,
        ignore=[list(polygon) for polygon in ignore],
        tail=tail,
        per_day=per_day,
        threshold=promised.threshold,
        footage=footage,
    )
    with whole_file(budget_file(model)) as part:
        part.write_text(budget.model_dump_json(indent=1) + "\n")
    return promised


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def health_file(model: Path) -> Path:
    """Where the reference of a camera's health lies: beside its model."""
    return model.with_name(model.name + ".health")


def learn_health_of(model: Path, clips: Sequence[Clip], say: Callable[[str], None]) -> None:
    """Writes the health reference of the clips beside the model; says so where they are too short."""

    def frames() -> Iterator[Frame]:
        for clip in clips:
            with clip.open() as opened:
                yield from opened

    try:
        save_health(learn_health(frames()), health_file(model))
    except LatentwatchError as error:
        say(f"the camera's health will not be watched: {error}")


def _scores(detector: Detector, frames: VideoSource) -> NDArray[np.float64]:
    found = (detector.step(frame) for frame in frames)
    return np.array([np.nan if each is None else each.score for each in found])
