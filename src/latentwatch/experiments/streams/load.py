"""What happens when so many cameras send so many frames a second: one cell of the load test."""

import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latentwatch.experiments.streams.film import SIZE
from latentwatch.experiments.streams.machine import Usage, resident_mib, usage
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.group import DetectorGroup
from latentwatch.scoring.scheduler import Scheduler, Scored, median_p99
from latentwatch.video.frame import Frame
from latentwatch.video.live import LiveReader, Playback
from latentwatch.video.source import open_video

SETTLE = 1.0
"""Seconds after the start that do not count."""

TOLERATED = 0.1
"""Percent of the frames that may be lost where cameras are called kept up with."""


@dataclass(frozen=True)
class Load:
    """What was measured of `streams` cameras at `fps` frames a second each, over `seconds`.

    scored: frames scored; lost: dropped or missed. p50_ms, p99_ms: from a frame's arrival to its result;
    worst_p99_ms: of the camera that fares worst. batch: frames in a batch, mean. cpu_ms: processor time of
    the whole program for each scored frame, decoding counted in. cores: processors that it keeps busy;
    other_cores: that other programs do. memory_mib: resident memory at the end.
    """

    streams: int
    fps: float
    seconds: float
    scored: int
    lost: int
    p50_ms: float
    p99_ms: float
    worst_p99_ms: float
    batch: float
    cpu_ms: float
    cores: float
    other_cores: float
    memory_mib: float

    @property
    def scored_fps(self) -> float:
        """Frames scored a second, of all cameras together."""
        return self.scored / self.seconds

    @property
    def lost_percent(self) -> float:
        """Share of the frames that were lost."""
        return 100 * self.lost / max(self.scored + self.lost, 1)

    @property
    def kept_up(self) -> bool:
        """Whether no more than `TOLERATED` of the frames were lost."""
        return self.lost_percent <= TOLERATED


def measure_load(
    detector: Detector, film: Path, *, streams: int, fps: float, seconds: float, wait: float
) -> Load:
    """Plays `film` as `streams` cameras whose frames do not come at the same moments, and scores every frame.

    detector: its twins watch the cameras, so they share its engine. wait: seconds, see `Scheduler`. Raises
    what the film or the engine raises.
    """
    cameras = [f"camera {number}" for number in range(streams)]
    group = DetectorGroup({camera: detector.twin() for camera in cameras})
    _warm_up(group, cameras, detector.frames_needed)
    readers = {
        camera: LiveReader(
            lambda: open_video(film),
            playback=Playback(fps=fps, loop=True, delay=number / (streams * fps)),
        )
        for number, camera in enumerate(cameras)
    }
    batches = Scheduler(group, readers, wait=wait).batches()
    try:
        measured = _measured(batches, seconds)
    finally:
        batches.close()
    latencies = {
        camera: [each.latency for each in measured.scored if each.camera == camera] for camera in cameras
    }
    p50, p99 = median_p99([each.latency for each in measured.scored])
    own = measured.end.own - measured.begin.own
    duration = measured.end.clock - measured.begin.clock
    return Load(
        streams=streams,
        fps=fps,
        seconds=duration,
        scored=len(measured.scored),
        lost=sum(each.lost for each in measured.scored),
        p50_ms=1000 * p50,
        p99_ms=1000 * p99,
        worst_p99_ms=1000 * max(median_p99(each)[1] for each in latencies.values()),
        batch=len(measured.scored) / measured.batches,
        cpu_ms=1000 * own / len(measured.scored),
        cores=own / duration,
        other_cores=max((measured.end.all - measured.begin.all - own) / duration, 0.0),
        memory_mib=resident_mib(),
    )


class _Taken(NamedTuple):
    """Of a scored frame, what the figures need. Its picture would be most of the memory that is measured."""

    camera: str
    latency: float
    lost: int


@dataclass(frozen=True)
class _Measured:
    begin: Usage
    end: Usage
    batches: int
    scored: list[_Taken]


def _measured(batches: Generator[list[Scored], None, None], seconds: float) -> _Measured:
    """What comes in `seconds` after the start has settled, whole batches."""
    next(batches)
    settled = time.monotonic() + SETTLE
    while time.monotonic() < settled:
        next(batches)
    begin = now = usage()
    count, scored = 0, list[_Taken]()
    while now.clock - begin.clock < seconds:
        scored += [_Taken(each.camera, each.latency, each.lost) for each in next(batches)]
        count += 1
        now = usage()
    return _Measured(begin, now, count, scored)


def _warm_up(group: DetectorGroup, cameras: list[str], frames_needed: int) -> None:
    """Lets the engine see every size of batch once: the first of each takes it longer.

    frames_needed: how many frames a camera must have shown before all parts of the model have work to do.
    """
    black = Frame(0, 0.0, np.zeros((*SIZE, 3), dtype=np.uint8))
    for _ in range(frames_needed):
        group.step_many(dict.fromkeys(cameras, black))
    for count in range(1, len(cameras)):
        group.step_many(dict.fromkeys(cameras[:count], black))
    for camera in cameras:
        group.reset(camera)
