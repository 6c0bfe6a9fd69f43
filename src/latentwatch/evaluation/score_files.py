"""Scores a clip into files that people and programs read."""

import csv
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np

from latentwatch.baselines.scorer import Scorer
from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.evaluation.annotate import annotate
from latentwatch.evaluation.plots import plot_scores
from latentwatch.scoring.baseline import BaselineDetector
from latentwatch.scoring.detector import Detector, Result
from latentwatch.scoring.localise import Box
from latentwatch.video.frame import Frame
from latentwatch.video.writer import VideoWriter


@dataclass(frozen=True)
class Summary:
    """Frames of a clip, how many have a score, how many are unusual, and when it peaks (seconds)."""

    frames: int
    scored: int
    unusual: int
    peak_time: float


@dataclass(frozen=True, slots=True)
class _Row:
    """What is kept of a frame: its `Result` without the maps, which are 4 GB in eight hours at 25 fps.

    score and is_anomaly: None where the frame has no score.
    """

    index: int
    time: float
    score: float | None
    is_anomaly: bool | None
    boxes: list[Box]


def check_file_names(clips: Iterable[Clip]) -> None:
    """Raises `UsageError` where the files of two clips would have the same names."""
    names: dict[str, str] = {}
    for clip in clips:
        name = _file_name(clip)
        if name in names:
            raise UsageError(
                f"{names[name]} and {clip.name}: the results of both would be called {name}; rename one"
            )
        names[name] = clip.name


def check_footage_stays(clips: Iterable[Clip], folder: Path) -> None:
    """Raises `UsageError` where the annotated copy of a clip in `folder` would take the clip's own place."""
    for clip in clips:
        film = folder / f"{_file_name(clip)}.mp4"
        if isinstance(clip.source, Path) and film.resolve() == clip.source.resolve():
            raise UsageError(f"{film}: is the footage; give the results another folder with --output")


def score_to_files(detector: Detector, clip: Clip, folder: Path, *, video: bool = False) -> Summary:
    """Writes `CLIP.csv`, `CLIP.json`, `CLIP.png`, and with `video` `CLIP.mp4`, into `folder`.

    Raises as decoding does, and `LatentwatchError` where a file cannot be written.
    """
    detector.reset()
    names = ("z_mse", "Z-MSE") if detector.predicts else ("z_nll", "Z-NLL")
    if detector.fusion:
        names = ("fused", "Z-MSE and speed")
    return _score_to_files(detector.step, detector.threshold, names, clip, folder, video=video)


def score_baseline_to_files(scorer: Scorer, threshold: float, clip: Clip, folder: Path) -> Summary:
    """The same for a system that says when, not where: `CLIP.csv`, `CLIP.json` and `CLIP.png`.

    threshold: the score above which a frame is unusual. Raises as `score_to_files` does.
    """
    scorer.reset()
    detector = BaselineDetector(scorer, threshold)
    return _score_to_files(detector.step, threshold, ("score", scorer.name), clip, folder, video=False)


def _score_to_files(
    step: Callable[[Frame], Result | None],
    threshold: float,
    names: tuple[str, str],
    clip: Clip,
    folder: Path,
    *,
    video: bool,
) -> Summary:
    """names: of the score, in tables and in the plot."""
    stem = folder / _file_name(clip)
    rows: list[_Row] = []
    history: list[float] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with clip.open() as frames:
            writer = VideoWriter(stem.with_name(stem.name + ".mp4"), frames.fps) if video else None
            try:
                for frame in frames:
                    result = step(frame)
                    rows.append(_row(frame, result))
                    history.append(result.score if result else np.nan)
                    if writer:
                        writer.write(annotate(frame.rgb, result, history, threshold))
            except BaseException:
                if writer:
                    writer.discard()
                raise
            if writer:
                writer.close()
        _write_tables(stem, names[0], threshold, rows)
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot write the results: {error}") from error
    times, scores = np.array([row.time for row in rows]), np.array(history)
    plot_scores(times, scores, threshold, clip.name, stem.with_name(stem.name + ".png"), names[1])
    scored = [(row.score, row.time) for row in rows if row.score is not None]
    peak = max(scored, key=itemgetter(0))[1] if scored else float("nan")
    return Summary(len(rows), len(scored), sum(bool(row.is_anomaly) for row in rows), peak)


def _row(frame: Frame, result: Result | None) -> _Row:
    if result is None:
        return _Row(frame.index, frame.time, None, None, [])
    return _Row(frame.index, frame.time, result.score, result.is_anomaly, result.boxes)


def _file_name(clip: Clip) -> str:
    """What its files are called, without suffix."""
    return clip.name.replace("/", "_")


def _write_tables(stem: Path, name: str, threshold: float, rows: list[_Row]) -> None:
    with stem.with_name(stem.name + ".csv").open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["frame", "seconds", name, "unusual"])
        for row in rows:
            if row.score is None:
                table.writerow([row.index, f"{row.time:.3f}", "", ""])
            else:
                table.writerow([row.index, f"{row.time:.3f}", f"{row.score:.8g}", int(bool(row.is_anomaly))])
    frames = [
        {
            "frame": row.index,
            "seconds": round(row.time, 3),
            name: row.score,
            "unusual": row.is_anomaly,
            "boxes": [vars(box) for box in row.boxes],
        }
        for row in rows
    ]
    contents = {"threshold": threshold, "frames": frames}
    stem.with_name(stem.name + ".json").write_text(json.dumps(contents, indent=1) + "\n")
