"""Which cameras' frames are scored next, and together: dynamic batching with a bound on the wait."""

import logging
import threading
import time
from collections import deque
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np

from latentwatch.errors import LatentwatchError
from latentwatch.scoring.detector import Result
from latentwatch.scoring.group import DetectorGroup
from latentwatch.video.frame import Frame
from latentwatch.video.live import Arrival, Counts, LiveReader

log = logging.getLogger(__name__)

JUMP = 1.0
"""Seconds between two frames of a camera from which on its detector starts anew: the model never saw motion
over such a gap."""

REMEMBERED = 10_000
"""Latencies kept for each camera, so that memory stays flat."""


@dataclass(frozen=True)
class Scored:
    """One frame of one camera, and what its detector says: None while it warms up.

    latency: seconds from the frame's arrival to the result. lost: frames of this camera that were dropped
    before this one; what moves looks faster over such a gap.
    """

    camera: str
    frame: Frame
    result: Result | None
    latency: float
    lost: int


@dataclass(frozen=True)
class CameraStatistics:
    """How one camera fares. median, p99: latency in seconds over the last `REMEMBERED` frames, NaN before the
    first. counts: see there. error: what ended the camera, if anything did.
    """

    median: float
    p99: float
    counts: Counts
    error: str | None


class Scheduler:
    """Reads many cameras and scores their frames in batches.

    A batch holds at most one frame of each camera and at most `most` frames; cameras that were served longest
    ago come first, so that none starves. It begins when every camera has a frame (or `most` have), or when
    the oldest frame has waited `wait` seconds. While the networks are busy, frames gather by themselves; so a
    longer wait only pays where they are idle. A camera that fails gets a line in the log and in `statistics`,
    and the others go on.
    """

    def __init__(
        self,
        group: DetectorGroup,
        readers: Mapping[str, LiveReader],
        *,
        wait: float = 0.02,
        most: int = 16,
    ) -> None:
        self._group = group
        self._readers = dict(readers)
        self._wait, self._most = wait, most
        self._changed = threading.Condition()
        self._queue = list(readers)  # the camera that was served longest ago comes first
        self._last_time: dict[str, float] = {}
        self._latencies = {camera: deque[float](maxlen=REMEMBERED) for camera in readers}
        self._errors: dict[str, str] = {}

    def batches(self) -> Generator[list[Scored], None, None]:
        """Starts the readers and gives each batch as it is scored, until all cameras have ended.

        Closing the generator stops the readers. Raises what an engine raises.
        """
        for reader in self._readers.values():
            reader.start(self._notify)
        try:
            while self._wait_for_frames():
                arrivals = self._take()
                if not arrivals:
                    continue  # a camera failed
                results = self._group.step_many({camera: each.frame for camera, each in arrivals.items()})
                now = time.monotonic()
                for camera, arrival in arrivals.items():
                    self._latencies[camera].append(now - arrival.at)
                yield [
                    Scored(camera, each.frame, results[camera], now - each.at, each.lost)
                    for camera, each in arrivals.items()
                ]
        finally:
            for reader in self._readers.values():
                reader.close()

    def statistics(self) -> dict[str, CameraStatistics]:
        """How each camera fares; may be called from any thread."""
        statistics = {}
        for camera, reader in self._readers.items():
            median, p99 = median_p99(list(self._latencies[camera]))
            statistics[camera] = CameraStatistics(median, p99, reader.counts, self._errors.get(camera))
        return statistics

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _wait_for_frames(self) -> bool:
        """Waits for a batch; False where all cameras have ended."""
        readers = self._readers.values()

        def ready() -> int:
            return sum(reader.ready for reader in readers)

        def full() -> bool:
            return ready() >= min(self._most, sum(not reader.ended for reader in readers))

        with self._changed:
            self._changed.wait_for(lambda: ready() or all(reader.ended for reader in readers))
            oldest = min((each for reader in readers if (each := reader.oldest) is not None), default=0.0)
            self._changed.wait_for(full, max(oldest + self._wait - time.monotonic(), 0))
            return not all(reader.ended for reader in readers)

    def _take(self) -> dict[str, Arrival]:
        taken: dict[str, Arrival] = {}
        for camera in list(self._queue):
            if len(taken) == self._most:
                break
            try:
                arrival = self._readers[camera].take()
            except LatentwatchError as error:
                self._errors[camera] = str(error)
                log.warning("%s: %s", camera, error)
                continue
            if arrival is not None:
                taken[camera] = arrival
                self._queue.remove(camera)
                self._queue.append(camera)
                self._reset_after_jump(camera, arrival.frame.time)
        return taken

    def _reset_after_jump(self, camera: str, now: float) -> None:
        before = self._last_time.get(camera, now)
        if not before <= now <= before + JUMP:
            self._group.reset(camera)
        self._last_time[camera] = now


def median_p99(seconds: list[float]) -> tuple[float, float]:
    """The median and the 99% quantile; NaN where there is nothing."""
    if not seconds:
        return float("nan"), float("nan")
    median, p99 = np.quantile(seconds, (0.5, 0.99))
    return float(median), float(p99)
