"""The last seconds of a camera, as it encoded them, for clips that begin before their event."""

import threading
from collections import deque
from dataclasses import dataclass

from latentwatch.video.stream import EncodedPacket

CLIP_CODECS = frozenset({"h264", "hevc", "mjpeg"})
"""What goes into a clip. A camera that sends anything else, raw pictures of a USB camera say, has none."""

_HEADER_KINDS = {"h264": frozenset({7, 8}), "hevc": frozenset({32, 33, 34})}
"""NAL unit types of parameter sets: SPS, PPS (H.264, 7.4.1); VPS, SPS, PPS (H.265, 7.4.2.2)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A packet in the ring.

    number: counts up from 0. time: seconds, as `Frame.time`. headers: the parameter sets that it is decoded
    with; packets of different ones do not go into one file.
    """

    number: int
    time: float
    packet: EncodedPacket
    headers: bytes


class PacketRing:
    """The newest packets of one camera: at most `seconds` of them, and at most `max_bytes` of data.

    Give its `add` to a `CameraSource` as `on_packet`. For a pre-roll of N seconds let `seconds` be N and what
    is between two of the camera's key frames (mostly 1 to 10 s). Any thread may read.
    """

    def __init__(self, seconds: float, max_bytes: int = 64_000_000) -> None:
        self._seconds, self._max_bytes = seconds, max_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0
        self._next = 0
        self._headers = self._stream_headers = b""
        self._closed = False
        self._changed = threading.Condition()

    @property
    def held_bytes(self) -> int:
        """Bytes of packets held now, never more than `max_bytes`."""
        with self._changed:
            return self._bytes

    def add(self, packet: EncodedPacket, time: float) -> None:
        """Takes the next packet; drops the oldest where there are too many. Those of no clip are ignored."""
        if packet.codec not in CLIP_CODECS or not packet.data:
            return
        if packet.is_key:
            own = parameter_sets(packet.codec, packet.data)
            # Damaged pictures pass for key frames now and then: they have no sets, and change none.
            if own or not self._headers or packet.headers != self._stream_headers:
                self._headers = own or parameter_sets(packet.codec, packet.headers)
            self._stream_headers = packet.headers
        with self._changed:
            self._kept.append(Kept(self._next, time, packet, self._headers))
            self._next += 1
            self._bytes += len(packet.data)
            while self._kept and (self._bytes > self._max_bytes or self._kept[0].time < time - self._seconds):
                self._bytes -= len(self._kept.popleft().packet.data)
            self._changed.notify_all()

    def close(self) -> None:
        """No packet will come any more: whoever waits for one goes on at once."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether no packet will come any more."""
        with self._changed:
            return self._closed

    def start(self, time: float) -> int:
        """The number of the packet from which a clip that shows `time` must start.

        That is the last key frame up to then, else the first one after it, else the next packet to come.
        """
        with self._changed:
            keys = [kept for kept in self._kept if kept.packet.is_key]
            before = [kept.number for kept in keys if kept.time <= time]
            if before:
                return before[-1]
            return keys[0].number if keys else self._next

    def since(self, number: int, timeout: float) -> list[Kept]:
        """The packets from `number` on; waits up to `timeout` seconds for one. Dropped ones are missing."""
        with self._changed:
            self._changed.wait_for(lambda: self._next > number or self._closed, timeout)
            if not self._kept:
                return []
            skip = max(number - self._kept[0].number, 0)
            return [self._kept[index] for index in range(skip, len(self._kept))]


def parameter_sets(codec: str, data: bytes) -> bytes:
    """The parameter sets among the NAL units of `data`, with start codes; empty where it has none.

    Each once: cameras send them twice in some key frames and not in others.
    """
    kinds = _HEADER_KINDS.get(codec, frozenset())
    found = []
    # Every unit follows 00 00 01; a zero that comes before that belongs to neither.
    for unit in data.split(b"\0\0\1")[1:] if kinds else ():
        if unit and (unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63) in kinds:
            found.append(b"\0\0\0\1" + unit.rstrip(b"\0"))
    return b"".join(dict.fromkeys(found))
