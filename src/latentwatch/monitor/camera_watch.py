"""Watches one camera in a thread of its own: frames to scores to alarms to events."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.alarm import Alarm
from latentwatch.monitor.budget import Budget
from latentwatch.monitor.camera_source import CameraSource, Listeners, State
from latentwatch.monitor.health import HealthMonitor
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.schedule import Hours
from latentwatch.monitor.zones import kept_places, score_of
from latentwatch.scoring.detector import Detector
from latentwatch.video.address import Address, mask
from latentwatch.video.frame import Frame
from latentwatch.video.live import Arrival, LiveReader
from latentwatch.video.stream import Transport

log = logging.getLogger(__name__)

KEEP = 5
"""Frames that may wait: half a second. A late alarm is better than a frame that is missing, after which all
that moves seems to have moved faster."""

PAUSE = 1.0
"""Seconds between two frames after which they do not follow each other, and the detector begins anew."""


class CameraWatch:
    """One camera. threshold: the level that its budget of false alarms allows.

    health: pauses the scoring while the picture is unusable; None does without.
    on_state: told whether frames come. A file is played once, in real time, and ends the watch.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        detector: Detector,
        budget: Budget,
        threshold: float,
        *,
        transport: Transport,
        schedule: list[Hours],
        ring: PacketRing,
        recorder: Recorder,
        health: HealthMonitor | None,
        on_state: Callable[[str, bool], None],
    ) -> None:
        self.name = name
        self.frames = 0
        self._address, self._transport = address, transport
        self._detector, self._schedule = detector, schedule
        self._health = health
        self._ring, self._recorder, self._on_state = ring, recorder, on_state
        self._alarm = Alarm(budget.rules, budget.tail.typical, threshold, budget.fps)
        self._kept = kept_places(budget.ignore, detector.architecture.code_shape[1:])
        self._last: float | None = None
        self._was_due = True
        self._stop = threading.Event()
        self._arrived = threading.Event()
        self._source: CameraSource | None = None
        self._reader = LiveReader(self._open, fps=budget.fps, keep=KEEP)
        self._thread = threading.Thread(target=self._run, name=f"watch {name}", daemon=True)

    def start(self) -> None:
        """Begins to watch."""
        self._reader.start(self._arrived.set)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether the source has ended, which a camera's never does."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Stops; an alarm that goes on ends with it and is recorded."""
        self._stop.set()
        self._arrived.set()
        self._thread.join(30)

    def _open(self) -> CameraSource:
        listeners = Listeners(on_state=self._state, on_packet=self._ring.add)
        self._source = CameraSource(self._address, transport=self._transport, listeners=listeners)
        return self._source

    def _state(self, state: State, _reason: str) -> None:
        self._on_state(self.name, state == "live")

    def _run(self) -> None:
        try:
            while not self._stop.is_set() and not self._reader.ended:
                self._arrived.clear()
                while not self._stop.is_set() and (arrival := self._next()) is not None:
                    self._look(arrival.frame)
                if not self._reader.ended:
                    self._arrived.wait(0.5)
        except LatentwatchError as error:
            log.error("%s: %s", self.name, mask(str(error)))
        except Exception:  # one camera must not end the others, and its last event must be recorded
            log.exception("%s: stopped by a fault of the program", self.name)
        self._break_off()
        if self._source is not None:
            self._source.close()  # ends it at once where it waits for the next try
        self._reader.close()
        self._ring.close()
        counts = self._reader.counts
        log.info("%s: %d frames taken, %d dropped", self.name, counts.delivered, counts.dropped)
        self._recorder.close()
        self._on_state(self.name, False)

    def _next(self) -> Arrival | None:
        return self._reader.take() if self._reader.ready else None

    def _look(self, frame: Frame) -> None:
        if self._last is not None and frame.time - self._last > PAUSE:
            self._break_off()
            self._detector.reset()
        self._last = frame.time
        if not self._is_due() or not self._sees(frame):
            return
        self.frames += 1
        self._recorder.see(frame)
        result = self._detector.step(frame)
        if result is None or (self._health is not None and self._health.suspect):
            return  # what may be found to be the camera's trouble must not become an alarm before that
        score = result.score if self._kept.all() else score_of(result.error_map, self._kept)
        change = self._alarm.step(frame.time, score)
        span = self._alarm.span
        if change is None or span is None:
            return
        if change == "start":
            self._recorder.begin(span, frame, result)
        elif change == "peak":
            self._recorder.peak(frame, result)
        else:
            self._recorder.end(span)

    def _sees(self, frame: Frame) -> bool:
        """Whether the picture can be judged: scoring pauses while it is black, covered, moved and so on."""
        if self._health is None:
            return True
        was_usable = self._health.usable
        for event in self._health.update(frame):
            log.warning(
                "%s: the picture is %s%s", self.name, "" if event.begins else "no longer ", event.problem
            )
            self._recorder.problem(event)
        if was_usable and not self._health.usable:
            self._break_off()
            self._detector.reset()
        return self._health.usable

    def _is_due(self) -> bool:
        """Whether the schedule says to watch now; outside it nothing is scored."""
        now = datetime.now()  # a schedule is in local time
        due = not self._schedule or any(hours.hold(now) for hours in self._schedule)
        if self._was_due and not due:
            self._break_off()
            self._detector.reset()
        self._was_due = due
        return due

    def _break_off(self) -> None:
        if self._alarm.break_off() and self._alarm.span is not None:
            self._recorder.end(self._alarm.span)
