"""Watches one camera in a thread of its own: frames to scores to alarms to events."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.alarm import Alarm, Change
from latentwatch.monitor.budget import Budget
from latentwatch.monitor.camera_source import CameraSource, Listeners, State
from latentwatch.monitor.health import HealthMonitor
from latentwatch.monitor.metrics import CameraMetrics
from latentwatch.monitor.model import GONE
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.reservoir import Reservoir
from latentwatch.monitor.schedule import Hours
from latentwatch.scoring.detector import Detector, Result
from latentwatch.video.address import Address, Transport, mask
from latentwatch.video.frame import Frame
from latentwatch.video.live import Arrival, LiveReader

log = logging.getLogger(__name__)

KEEP = 5
"""Frames that may wait: half a second. A late alarm is better than a frame that is missing, after which all
that moves seems to have moved faster."""

PAUSE = 1.0
"""Seconds between two frames after which they do not follow each other, and the detector begins anew."""


AWAY_AFTER = 5.0
"""Seconds without a picture after which an alarm that goes on is over."""

GONE_AFTER = 60.0
"""Seconds without frames after which that is a problem of the camera."""


class CameraWatch:
    """One camera. threshold: the level that its budget of false alarms allows.

    health: pauses the scoring while the picture is unusable; None does without. reservoir: collects footage
    to learn from; None collects none. is_gone: whether it was told before that there is no picture.
    on_state: told whether frames come. A file is played in real time, and ends the watch unless it loops.
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
        loop: bool,
        schedule: list[Hours],
        ring: PacketRing,
        recorder: Recorder,
        health: HealthMonitor | None,
        reservoir: Reservoir | None,
        metrics: CameraMetrics,
        is_gone: bool,
        on_state: Callable[[str, bool], None],
    ) -> None:
        self.name = name
        self.frames = 0
        self._address, self._transport, self._loop = address, transport, loop
        self._detector, self._schedule = detector, schedule
        self._health, self._reservoir, self._metrics = health, reservoir, metrics
        self._ring, self._recorder, self._on_state = ring, recorder, on_state
        self._alarm = Alarm(budget.rules, budget.tail.typical, threshold, budget.fps)
        self._last: float | None = None
        self._was_due = True
        self._failed = False
        self._is_live, self._is_gone, self._seen = False, is_gone, 0.0
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

    @property
    def state(self) -> str:
        """That of `CameraSource`; or `over` after the end of a file, `stopped` by a fault of the program."""
        if self.is_over:
            return "stopped" if self._failed or self._address.is_live else "over"
        source = self._source
        return "connecting" if source is None else source.state

    def close(self) -> None:
        """Stops; an alarm that goes on ends with it and is recorded."""
        self._stop.set()
        self._arrived.set()
        self._thread.join(30)

    def _open(self) -> CameraSource:
        listeners = Listeners(on_state=self._state, on_packet=self._ring.add)
        self._source = CameraSource(
            self._address,
            transport=self._transport,
            loop=self._loop,
            label=self.name,
            listeners=listeners,
        )
        return self._source

    def _state(self, state: State, _reason: str) -> None:
        self._is_live = state == "live"
        self._metrics.live.set(self._is_live)
        if state in ("lost", "stalled"):
            self._metrics.losses.inc()
        self._on_state(self.name, self._is_live)

    def _check_picture(self) -> None:
        """A camera that is away for long is a problem to tell of: somebody may have cut it off."""
        now = time.monotonic()
        if self._is_live:
            self._seen = now
        if self._is_live and self._is_gone:
            self._is_gone = False
            log.warning("%s: the picture is back", self.name)
            self._recorder.problem(GONE, begins=False)
        if now - self._seen > AWAY_AFTER:
            self._break_off()  # an alarm must not wait for the frame that ends it
        if now - self._seen > GONE_AFTER and not self._is_gone:
            self._is_gone = True
            log.warning("%s: no picture for %.0f s", self.name, GONE_AFTER)
            self._recorder.problem(GONE, begins=True)

    def _run(self) -> None:
        try:
            self._seen = time.monotonic()
            self._recorder.finish_left()
            while not self._stop.is_set() and not self._reader.ended:
                self._check_picture()
                self._arrived.clear()
                while not self._stop.is_set() and (arrival := self._next()) is not None:
                    self._metrics.dropped.inc(arrival.lost)
                    self._metrics.last_frame = time.monotonic()
                    self._look(arrival.frame)
                if not self._reader.ended:
                    self._arrived.wait(0.5)
        except LatentwatchError as error:
            self._failed = True
            log.error("%s: %s", self.name, mask(str(error)))
        except Exception:  # one camera must not end the others, and its last event must be recorded
            self._failed = True
            log.exception("%s: stopped by a fault of the program", self.name)
        self._break_off()
        if self._source is not None:
            self._source.close()  # ends it at once where it waits for the next try
        self._reader.close()
        self._ring.close()
        counts = self._reader.counts
        log.info("%s: %d frames taken, %d dropped", self.name, counts.delivered, counts.dropped)
        self._recorder.close()
        self._metrics.live.set(0)
        self._on_state(self.name, False)
        # Reader and source call this object, which holds them: a cycle that Python would find late. What is
        # in it is large and goes now: decoder, frames, the model, whose threads OpenVINO gives to the next.
        del self._detector, self._reader
        self._source = None

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
        self._metrics.frames.inc()
        self._recorder.see(frame)
        rgb = self._detector.prepare(frame)
        with self._metrics.latency.time():
            result = self._detector.step(frame, rgb)
        if result is None or (self._health is not None and self._health.suspect):
            return  # what may be found to be the camera's trouble must not become an alarm before that
        self._record(self._alarm.step(frame.time, result.score), frame, result)
        if self._alarm.level is not None:
            self._metrics.level.set(self._alarm.level)
        if self._reservoir is not None:
            small = Frame(frame.index, frame.time, rgb)
            self._reservoir.look(small, self._alarm.level, self._recorder.event_id)

    def _record(self, change: Change | None, frame: Frame, result: Result) -> None:
        span = self._alarm.span
        if change is None or span is None:
            return
        if change == "start":
            self._metrics.events.inc()
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
            self._recorder.problem(event.problem, begins=event.begins)
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
        if self._reservoir is not None:
            self._reservoir.pause()
