"""Normal footage that a camera's model can go on learning from, collected while the camera is watched.

Every so often one run is kept whose level stayed well below the threshold. When there is no more room a run
drawn at random goes, so that the reservoir holds much of the last weeks and ever less of what is older. The
frames of an event wait apart until somebody says what it was: "normal" moves them into the reservoir.
"""

import logging
import random
import time
import zlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.enrolment import enrolled_footage
from latentwatch.monitor.footage import (
    HELD_OUT_EVERY,
    PARTS,
    RUN_SECONDS,
    Footage,
    Part,
    RunWriter,
    cannot_write,
    footage_folder,
    open_run,
    written,
)
from latentwatch.video.frame import Frame
from latentwatch.video.writer import VideoWriter

if TYPE_CHECKING:  # learning from footage needs no database
    from latentwatch.monitor.model import Label

log = logging.getLogger(__name__)

QUIET = 0.8
"""The level, 1 being the threshold, above which footage is not taken for normal by itself."""

SETTLED = 2.0
"""Seconds for which the level must stay so after a run: it is a median, and late."""

BEFORE = 5.0
"""Seconds of frames before an event that wait with it."""

SHARES: dict[Part, float] = {"train": 1 - 1 / HELD_OUT_EVERY, "held-out": 1 / HELD_OUT_EVERY}
"""How the room is shared out."""

WAITING = 50
"""Events at most whose frames wait for a label; the oldest go first."""

TRY_AGAIN = 600.0
"""Seconds without collecting after the disk could not be written."""


class Reservoir:
    """Collects for one camera.

    fps: of the model. every: seconds between two runs, of `seconds` each. gigabytes: what they may take.
    """

    def __init__(
        self, model: Path, fps: float, *, every: float, gigabytes: float, seconds: float = RUN_SECONDS
    ) -> None:
        self._model, self._fps, self._every, self._limit = model, fps, every, gigabytes * 1e9
        self._footage = watched_footage(model)
        self._writer = RunWriter(self._footage, fps, seconds)
        self._recent: deque[NDArray[np.uint8]] = deque(maxlen=max(round(BEFORE * fps), 1))
        self._due = self._blocked_until = float("-inf")
        self._part: Part = "train"
        self._unsure: tuple[Path, float] | None = None
        self._event: VideoWriter | None = None

    def look(self, frame: Frame, level: float | None, event: str | None) -> None:
        """Takes the next scored frame, already small, with its level and the event that goes on."""
        if frame.time < self._blocked_until:
            return
        try:
            self._collect(frame, level)
            self._follow(frame, event)
        except LatentwatchError as error:
            log.error("%s", error)
            self.pause()
            self._blocked_until = frame.time + TRY_AGAIN

    def pause(self) -> None:
        """The stream stops or jumps: what has no end yet is given up, but for an event's frames."""
        self._writer.discard()
        self._drop_unsure()
        self._end_event()
        self._recent.clear()

    def _collect(self, frame: Frame, level: float | None) -> None:
        if level is None or level > QUIET:
            self._writer.discard()
            self._drop_unsure()
            return
        if self._unsure is not None and frame.time > self._unsure[1]:
            self._unsure = None
        if self._writer.is_open or frame.time >= self._due:
            if not self._writer.is_open:
                held_out, train = len(self._footage.runs("held-out")), len(self._footage.runs("train"))
                self._part = "held-out" if (HELD_OUT_EVERY - 1) * held_out < train else "train"
            if self._writer.add(frame, self._part) and self._writer.path is not None:
                self._due = frame.time + self._every
                self._unsure = self._writer.path, frame.time + SETTLED
                make_room(self._footage, self._limit, self._writer.path)

    def _drop_unsure(self) -> None:
        if self._unsure is not None:
            self._unsure[0].unlink(missing_ok=True)
        self._unsure = None

    def _follow(self, frame: Frame, event: str | None) -> None:
        """Keeps the frames of an event, from a little before it."""
        if event is None:
            self._end_event()
            self._recent.append(frame.rgb)
            return
        try:
            if self._event is None:
                self._event = open_run(event_run(self._model, event), self._fps)
                for rgb in self._recent:
                    self._event.write(rgb)
                self._recent.clear()
            self._event.write(frame.rgb)
        except (OSError, FFmpegError) as error:
            raise cannot_write(self._footage.folder, error) from error

    def _end_event(self) -> None:
        if self._event is None:
            return
        event, self._event = self._event, None
        try:
            event.close()
        except (OSError, FFmpegError) as error:
            event.discard()
            log.error("%s", cannot_write(self._footage.folder, error))
        waiting = sorted(events_folder(self._model).glob("*.mkv"), key=written)
        for old in waiting[:-WAITING]:
            old.unlink(missing_ok=True)


def watched_footage(model: Path) -> Footage:
    """The reservoir of a camera."""
    return Footage(footage_folder(model) / "watched")


def events_folder(model: Path) -> Path:
    """Where the frames of events wait for a label."""
    return footage_folder(model) / "events"


def event_run(model: Path, event: str) -> Path:
    """The frames of one event."""
    return events_folder(model) / f"{event}.mkv"


def part_of(name: str) -> Part:
    """Where a run of this name belongs."""
    return "held-out" if zlib.crc32(name.encode()) % HELD_OUT_EVERY == 0 else "train"


def take_label(model: Path, event: str, label: "Label | None") -> bool:
    """Moves the frames of an event where its label says; returns whether they were moved.

    normal: into the reservoir. anomaly: away, so that nothing ever learns from them. None: back to wait.
    Raises `LatentwatchError` where the disk cannot be written.
    """
    waiting, name = event_run(model, event), f"event-{event}"
    learned = [watched_footage(model).path(name, part) for part in PARTS]
    try:
        if label == "normal":
            if not waiting.is_file():
                return False
            target = watched_footage(model).path(name, part_of(event))
            target.parent.mkdir(parents=True, exist_ok=True)
            waiting.replace(target)
            return True
        found = [path for path in learned if path.is_file()]
        for path in found:
            path.replace(waiting)
        if label == "anomaly":
            found += [waiting] * waiting.is_file()
            waiting.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(footage_folder(model), error) from error
    return bool(found)


def forget_old(model: Path, days: float) -> int:
    """Removes a camera's footage that is older than so many days; returns how many runs."""
    gone = enrolled_footage(model).forget(days) + watched_footage(model).forget(days)
    for path in events_folder(model).glob("*.mkv"):
        if written(path) < time.time() - days * 86400:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def make_room(footage: Footage, limit: float, newest: Path) -> None:
    """Removes runs at random, but never the newest, until each part keeps to its share of `limit` bytes."""
    for part, share in SHARES.items():
        while footage.bytes(part) > share * limit:
            others = [path for path in footage.runs(part) if path != newest]
            if not others:
                break
            random.choice(others).unlink(missing_ok=True)
