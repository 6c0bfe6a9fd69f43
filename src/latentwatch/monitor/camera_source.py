"""A camera that is always there: when its stream breaks off, it is fetched again."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.stream_clock import StreamClock
from latentwatch.video.address import Address, Transport
from latentwatch.video.frame import Frame
from latentwatch.video.source import DEFAULT_FPS, VideoSource
from latentwatch.video.stream import (
    EncodedPacket,
    LoginRefusedError,
    SourceSilentError,
    Stream,
    rgb_of,
)

log = logging.getLogger(__name__)

State = Literal["connecting", "live", "stalled", "lost"]
"""connecting: never seen yet. live: frames come. stalled: the connection stood, but no frame came for
`stall_after` seconds. lost: no connection; it is tried again and again."""

STEADY = 10.0
"""Seconds that a stream must live before its next loss is tried again soon."""


@dataclass(frozen=True)
class BackOff:
    """Seconds between tries: `first`, then twice as long each time, up to `longest`.

    A random share of up to a half is left out, so that many cameras behind one switch do not all come back at
    once.
    """

    first: float = 1.0
    longest: float = 60.0

    def seconds(self, failures: int) -> float:
        """How long to wait after so many failures in a row (1 or more)."""
        return min(self.first * 2.0 ** min(failures - 1, 30), self.longest) * random.uniform(0.5, 1)


@dataclass
class Counts:
    """What has happened so far.

    connections: those that were made. losses: those that ended. stalls: how many of them by silence. frames:
    given. damaged: packets or pictures that could not be decoded, left out. size_changes: of the picture.
    time_jumps: of the camera's time stamps.
    """

    connections: int = 0
    losses: int = 0
    stalls: int = 0
    frames: int = 0
    damaged: int = 0
    size_changes: int = 0
    time_jumps: int = 0


@dataclass(frozen=True)
class Listeners:
    """Who is told what, in the thread that reads the frames.

    on_state: the new state, with the reason in words. on_packet: every packet as the camera encoded it, with
    its time on the scale of `Frame.time`, before the frames that are decoded from it.
    """

    on_state: Callable[[State, str], None] = lambda _state, _reason: None
    on_packet: Callable[[EncodedPacket, float], None] = lambda _packet, _time: None


@dataclass(frozen=True)
class Patience:
    """Seconds: open_timeout to wait for a connection, stall_after without a frame to take it for stalled."""

    open_timeout: float = 10.0
    stall_after: float = 10.0
    back_off: BackOff = field(default_factory=BackOff)


class CameraSource(VideoSource):
    """The frames of a camera for as long as one wants them, through all its failures.

    `Frame.time` is in seconds since the first frame was asked for, by the machine's monotonic clock (see
    `StreamClock`); it always rises. After an interruption it goes on where the clock then is: frames that are
    further apart than usual do not follow each other, so a detector must be reset between them.

    A file is played in real time, with `loop` over and over; without, it ends. One that cannot be opened
    raises `LatentwatchError`. A camera that cannot be reached never raises: it is `lost`, and tried again.
    `close`, which any thread may call, ends it within the time-outs of `patience`. label: what the log calls
    it; None means its address.
    """

    frame_count = None

    def __init__(
        self,
        address: Address,
        *,
        transport: Transport = "tcp",
        loop: bool = False,
        label: str | None = None,
        patience: Patience | None = None,
        listeners: Listeners | None = None,
        size: tuple[int, int] | None = None,
        grey: bool = False,
    ) -> None:
        super().__init__(size, grey)
        self.name = address.shown
        self._label = label or address.shown
        self.fps = DEFAULT_FPS
        self.state: State = "connecting"
        self.counts = Counts()
        self._address, self._transport, self._loop = address, transport, loop
        self._patience = patience or Patience()
        self._listeners = listeners or Listeners()
        self._clock = StreamClock()
        self._closed = threading.Event()
        self._reader: int | None = None
        self._picture_size: tuple[int, int] | None = None

    def close(self) -> None:
        """Ends the iteration, at once where it waits for the next try."""
        self._closed.set()
        if self._reader == threading.get_ident():
            self._frames = iter(())  # which ends the generator, and with it the connection

    def _decode(self) -> Iterator[Frame]:
        self._reader = threading.get_ident()
        started = time.monotonic()
        failures = 0
        while not self._closed.is_set():
            connected: float | None = None
            try:
                with self._connect() as stream:
                    connected = time.monotonic()
                    self.counts.connections += 1
                    self.fps = stream.fps
                    self._clock.restart()
                    before = self.counts.frames
                    yield from self._frames_of(stream, started)
                if self._closed.is_set() or not self._loop:
                    return
                if self.counts.frames == before:
                    raise LatentwatchError(f"{self._address}: no frame of it can be decoded")
                continue
            except LatentwatchError as error:
                if not self._address.is_live:
                    raise
                problem = error
            except Exception as error:  # what a camera sends must not end watching it
                if not self._address.is_live:
                    raise
                log.exception("%s: what came could not be read", self._label)
                problem = LatentwatchError(f"{self._address}: {type(error).__name__}")
            if connected is not None:
                self.counts.losses += 1
                if time.monotonic() - connected > STEADY:
                    failures = 0
            failures += 1
            stalled = isinstance(problem, SourceSilentError)
            self.counts.stalls += stalled
            self._enter("stalled" if stalled else "lost", str(problem))
            refused = isinstance(problem, LoginRefusedError)
            self._closed.wait(self._patience.back_off.seconds(30 if refused else failures))

    def _connect(self) -> Stream:
        return Stream(
            self._address,
            transport=self._transport,
            open_timeout=self._patience.open_timeout,
            read_timeout=self._patience.stall_after,
            real_time=not self._address.is_live,
        )

    def _frames_of(self, stream: Stream, started: float) -> Iterator[Frame]:
        """The frames of one connection. Raises as `Stream.decoded` does."""
        last = time.monotonic()
        for decoded in stream.decoded():
            if self._closed.is_set():
                return
            packet, now = decoded.packet, time.monotonic()
            at = self._clock.packet(packet.pts if packet.dts is None else packet.dts, now)
            self.counts.time_jumps = self._clock.jumps
            self._listeners.on_packet(packet, at - started)
            self.counts.damaged += decoded.damaged
            self.skipped = self.counts.damaged
            for picture in decoded.pictures:
                self._enter("live", "frames come")
                self._note_size((picture.height, picture.width))
                shown = self._clock.picture(picture.time, at)
                yield Frame(self.counts.frames + self.skipped, shown - started, rgb_of(picture))
                self.counts.frames += 1
                last = time.monotonic()  # not `now`: whoever took the frame may have kept it for long
            if now - last > self._patience.stall_after:
                raise SourceSilentError(
                    f"{self._address}: packets come, but for {self._patience.stall_after:g} s no picture of "
                    "them could be decoded"
                )

    def _note_size(self, size: tuple[int, int]) -> None:
        if self._picture_size not in (None, size):
            self.counts.size_changes += 1
            log.warning("%s: its pictures are now %dx%d", self._label, size[1], size[0])
        self._picture_size = size

    def _enter(self, state: State, reason: str) -> None:
        if state == self.state:
            return
        self.state = state
        if state == "live":
            log.info("%s: %s (%s)", self._label, state, reason)
        else:
            log.warning("%s: %s, tried again until it is back (%s)", self._label, state, reason)
        self._listeners.on_state(state, reason)
