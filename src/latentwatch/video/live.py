"""One camera, decoded in its own thread, of which only the newest frames are kept."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from latentwatch.video.frame import Frame
from latentwatch.video.rate import at_rate
from latentwatch.video.source import VideoSource

KEEP = 2
"""Frames that may wait if nothing else is said. More make each of them staler before it is looked at."""

PATIENCE = 1.0
"""Seconds by which a played file may fall behind before the frames that it owes are given up."""


@dataclass(frozen=True)
class Playback:
    """Plays a file as if it were a camera: each frame comes when its time has come, in seconds.

    fps: frames a second at which to play; None: its own. loop: start over at the end, without end; time and
    index go on. delay: seconds before the first frame.
    """

    fps: float | None = None
    loop: bool = False
    delay: float = 0.0


@dataclass(frozen=True)
class Arrival:
    """A frame and when it arrived, on the clock of `time.monotonic`: for a played file, when it was due.

    lost: frames dropped or missed between this one and the one taken before it.
    """

    frame: Frame
    at: float
    lost: int = 0


@dataclass
class Counts:
    """What became of the frames of a source so far.

    decoded: all of them, before they are brought down to the wanted rate. dropped: replaced by newer ones
    before anybody took them. missed: of a played file, those that were given up because it fell behind, at
    the wanted rate. delivered: taken.
    """

    decoded: int = 0
    dropped: int = 0
    missed: int = 0
    delivered: int = 0


class LiveReader:
    """Decodes a source in a thread of its own, and holds the newest frames until they are taken.

    open_source: gives the source; called in the thread, again at each start of a loop. fps: the rate to come
    down to, see `at_rate`; None: all frames. playback: for a file, which is else decoded as fast as can be,
    so that most of it is dropped. Other threads run while this one decodes. An error of the source ends the
    stream, and `take` raises it. keep: how many frames may wait.
    """

    def __init__(
        self,
        open_source: Callable[[], VideoSource],
        *,
        fps: float | None = None,
        playback: Playback | None = None,
        keep: int = KEEP,
    ) -> None:
        self._open_source = open_source
        self._fps = fps
        self._playback = playback
        self._keep = keep
        self._counts = Counts()
        self._waiting: deque[Arrival] = deque()
        self._error: Exception | None = None
        self._ended = False
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._notify: Callable[[], None] = lambda: None
        self._thread = threading.Thread(target=self._run, name="LiveReader", daemon=True)

    def start(self, notify: Callable[[], None] = lambda: None) -> None:
        """Begins to read. `notify` is called, in the reader's thread, at every new frame and at the end."""
        self._notify = notify
        self._thread.start()

    @property
    def ready(self) -> bool:
        """Whether `take` has something to give or to raise at once."""
        with self._changed:
            return bool(self._waiting or self._error)

    @property
    def oldest(self) -> float | None:
        """When the frame that waits longest arrived; None where none waits."""
        with self._changed:
            return self._waiting[0].at if self._waiting else None

    @property
    def ended(self) -> bool:
        """Whether no frame waits, none will come, and no error is left to raise."""
        with self._changed:
            return self._ended and not self._waiting and not self._error

    @property
    def counts(self) -> Counts:
        """What became of the frames so far."""
        with self._changed:
            return replace(self._counts)

    def take(self, timeout: float = 0.0) -> Arrival | None:
        """The frame that waits longest; None where none comes within `timeout` seconds, and after the end.

        Raises the source's error, once, when all frames before it were taken.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended, timeout)
            if self._waiting:
                self._counts.delivered += 1
                return self._waiting.popleft()
            error, self._error = self._error, None
        if error is not None:
            raise error
        return None

    def stop(self) -> None:
        """Lets no more frames come; returns at once, though the source may still be busy with one."""
        self._stop.set()

    def close(self, timeout: float = 5.0) -> None:
        """Stops, and waits at most `timeout` seconds for a source that hangs."""
        self.stop()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        error: Exception | None = None
        try:
            frames = self._decoded()
            for arrival in self._arrivals(at_rate(frames, self._fps) if self._fps else frames):
                if self._stop.is_set():
                    break
                self._put(arrival)
        except Exception as raised:  # whatever it is, it belongs to the thread that takes the frames
            error = raised
        with self._changed:
            self._error, self._ended = error, True
            self._changed.notify_all()
        self._notify()

    def _decoded(self) -> Iterator[Frame]:
        """All frames of the source; of a played one, with the index and time that a camera would give."""
        playback = self._playback or Playback()
        index, start = 0, 0.0
        while not self._stop.is_set():
            last = None
            with self._open_source() as source:
                stretch = source.fps / playback.fps if playback.fps else 1.0
                for frame in source:
                    last = frame
                    with self._changed:
                        self._counts.decoded += 1
                    yield Frame(index + frame.index, start + frame.time * stretch, frame.rgb)
            if last is None or not playback.loop:
                return
            index += last.index + 1
            start += (last.time + 1 / source.fps) * stretch

    def _arrivals(self, frames: Iterator[Frame]) -> Iterator[Arrival]:
        """The frames as they come, or of a played source, when each is due."""
        if self._playback is None:
            for frame in frames:
                yield Arrival(frame, time.monotonic())
            return
        began: float | None = None
        previous = 0.0
        for frame in frames:
            if began is None:  # opening takes time that says nothing of how fast the source can be played
                began = time.monotonic() + self._playback.delay - frame.time
            late = time.monotonic() - (began + frame.time)
            missed = 0
            if late > PATIENCE and frame.time > previous:
                # As with a camera whose frames nobody fetches in time: they are gone, and it goes on.
                missed = int(late / (frame.time - previous))
                began += missed * (frame.time - previous)
            elif self._stop.wait(max(-late, 0)):
                return
            previous = frame.time
            with self._changed:
                self._counts.missed += missed
            yield Arrival(frame, began + frame.time, missed)

    def _put(self, arrival: Arrival) -> None:
        with self._changed:
            self._waiting.append(arrival)
            if len(self._waiting) > self._keep:
                stale = self._waiting.popleft()
                self._counts.dropped += 1
                oldest = self._waiting[0]
                self._waiting[0] = replace(oldest, lost=oldest.lost + stale.lost + 1)
            self._changed.notify_all()
        self._notify()
