"""Makes events of one camera's alarms: a row in the store, a snapshot, a clip, messages.

Its problems are recorded and told too, but are no events.
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.alarm import Span
from latentwatch.monitor.clip import ClipRecording
from latentwatch.monitor.event_files import EventFiles
from latentwatch.monitor.model import Event
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.record_writer import RecordWriter
from latentwatch.monitor.settings import Camera
from latentwatch.monitor.store import EventStore
from latentwatch.scoring.detector import Result
from latentwatch.video.address import mask
from latentwatch.video.frame import Frame

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ongoing:
    """The event that goes on."""

    id: str
    start: float
    snapshot: str | None
    recording: ClipRecording


class Recorder:
    """The events of one camera.

    channels: who is told. wake: called when there are new messages. Records are written in a thread of their
    own, in order; until an event is in the store, nobody is told of it.
    """

    def __init__(
        self,
        name: str,
        settings: Camera,
        store: EventStore,
        files: EventFiles,
        ring: PacketRing,
        *,
        channels: Sequence[str],
        longest: float,
        wake: Callable[[], None],
    ) -> None:
        self._name, self._settings, self._store, self._files, self._ring = name, settings, store, files, ring
        self._channels, self._longest = channels, longest
        self._writer = RecordWriter(name, wake)
        self._ongoing: _Ongoing | None = None
        self._best: tuple[Frame, Result] | None = None
        self._finishing: list[threading.Thread] = []

    @property
    def event_id(self) -> str | None:
        """The event that goes on; None between events."""
        return None if self._ongoing is None else self._ongoing.id

    def see(self, frame: Frame) -> None:
        """Looks at the newest frame, alarm or not."""
        self._files.see(frame.rgb, frame.time)

    def problem(self, problem: str, *, begins: bool) -> None:
        """The camera sees badly, or well again: that is recorded, then told. It is not an event."""
        change = self._store.begin_problem if begins else self._store.end_problem
        now = time.time()
        self._writer.add(
            f"{'the beginning' if begins else 'the end'} of the problem {problem}",
            lambda: change(self._name, problem, now, self._channels),
        )

    def finish_left(self) -> None:
        """Makes the blurred clips that the program's end has prevented, in a thread of its own."""
        thread = threading.Thread(target=self._finish_left, name=f"left of {self._name}", daemon=True)
        self._finishing.append(thread)
        thread.start()

    def begin(self, span: Span, frame: Frame, result: Result) -> None:
        """An alarm has begun: it is recorded, then told."""
        self._best = frame, result
        event = Event(
            camera=self._name,
            start=_wall(span.start, frame.time),
            peak=_wall(span.peak, frame.time),
            level=span.level,
            boxes=_boxes(frame, result),
            heat=_heat(result),
        )
        # Set here, since the files carry it before the row is written.
        event.id = uuid.uuid4().hex
        event.snapshot, event.bytes = self._snapshot(event.id)
        recording = self._files.record(
            event.id,
            self._ring,
            span.start - self._settings.seconds_before,
            self._settings.seconds_before + self._longest + self._settings.seconds_after,
        )
        self._ongoing = _Ongoing(event.id, event.start, event.snapshot, recording)

        def write() -> None:
            self._store.begin(event, self._channels)
            log.info("%s: event %s begins, level %.2f", self._name, event.id[:8], event.level)

        self._writer.add(f"the beginning of event {event.id[:8]}", write)

    def peak(self, frame: Frame, result: Result) -> None:
        """The alarm has never been so high: this frame is its picture."""
        self._best = frame, result

    def end(self, span: Span) -> None:
        """The alarm is over. Its clip is finished, and the end told, in a thread of its own."""
        if self._ongoing is None or self._best is None:
            return
        event, (frame, result) = self._ongoing, self._best
        self._ongoing = None
        event.recording.end_at(span.end + self._settings.seconds_after)
        changes = {
            # Counted from the start: the day's clock may have been set since.
            "peak": event.start + span.peak - span.start,
            "end": event.start + span.end - span.start,
            "level": span.level,
            "boxes": _boxes(frame, result),
            "heat": _heat(result),
            "snapshot": event.snapshot,
        }
        thread = threading.Thread(
            target=self._finish,
            args=(event.id, event.recording, changes),
            name=f"end of {event.id[:8]}",
            daemon=True,
        )
        self._finishing = [each for each in self._finishing if each.is_alive()] + [thread]
        snapshot, size = self._snapshot(event.id)  # the peak's takes the place of the beginning's
        if snapshot is not None:
            changes |= {"snapshot": snapshot, "bytes": size}
        thread.start()

    def close(self, seconds: float = 15.0) -> None:
        """Waits until what has ended is recorded."""
        end = time.monotonic() + seconds
        for thread in self._finishing:
            thread.join(max(end - time.monotonic(), 0.1))
        self._writer.close(max(end - time.monotonic(), 1.0))

    def _finish(self, event_id: str, recording: ClipRecording, changes: dict[str, Any]) -> None:
        try:
            clip, size = self._files.keep_clip(event_id, recording, self._longest + 120)
            changes |= {"clip": clip, "bytes": changes.get("bytes", 0) + size}
        except (LatentwatchError, OSError) as error:
            log.error("%s: event %s has no clip: %s", self._name, event_id[:8], mask(str(error)))

        def write() -> None:
            self._store.end(event_id, self._channels, state="done", **changes)
            log.info("%s: event %s is over", self._name, event_id[:8])

        self._writer.add(f"the end of event {event_id[:8]}", write)

    def _finish_left(self) -> None:
        try:
            left = self._store.without_clip(self._name)
        except SQLAlchemyError:
            return  # at the next start, then
        for event in left:
            try:
                clip, size = self._files.blur_clip(event.id)
                if clip is not None:
                    self._store.add_clip(event.id, clip, size)
                    log.info("%s: event %s has its clip now", self._name, event.id[:8])
            except (LatentwatchError, OSError, SQLAlchemyError) as error:
                log.error("%s: event %s has no clip: %s", self._name, event.id[:8], mask(str(error)))

    def _snapshot(self, event_id: str) -> tuple[str | None, int]:
        """Stores the best frame so far as a JPEG; its name and bytes, None where that cannot be done."""
        if self._best is None:
            return None, 0
        try:
            return self._files.keep_snapshot(event_id, self._best[0].rgb)
        except OSError as error:
            log.error("%s: event %s has no snapshot: %s", self._name, event_id[:8], mask(str(error)))
            return None, 0


def _boxes(frame: Frame, result: Result) -> list[list[float]]:
    height, width = frame.rgb.shape[:2]
    return [
        [
            round(box.left / width, 4),
            round(box.top / height, 4),
            round(box.right / width, 4),
            round(box.bottom / height, 4),
        ]
        for box in result.boxes
    ]


def _heat(result: Result) -> list[list[float]]:
    """How unusual each place is, as a share of the largest."""
    largest = max(float(result.place_map.max()), 1e-12)
    return [[round(float(place) / largest, 3) for place in row] for row in result.place_map]


def _wall(moment: float, now: float) -> float:
    """A time of frames as seconds since 1970; now: the newest frame's. Nobody can set the frames' clock."""
    return time.time() - (now - moment)
