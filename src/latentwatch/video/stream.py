"""One connection to a live source, or to a file played as one: packets as they were encoded, and pictures."""

import errno
import logging
import math
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import numpy as np
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from latentwatch.errors import LatentwatchError
from latentwatch.video.address import Address, Transport
from latentwatch.video.frame import Frame
from latentwatch.video.source import DEFAULT_FPS, Closable, VideoSource

log = logging.getLogger(__name__)

ANNEX_B_FILTERS = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}

REFUSALS = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)

LONGEST_PAUSE = 5.0
"""Seconds between two pictures of a file above which its time stamps jump, and are not waited for."""


class SourceEndedError(LatentwatchError):
    """The source was there and has ended or broken off."""


class SourceSilentError(SourceEndedError):
    """The connection stands, but nothing comes."""


class LoginRefusedError(LatentwatchError):
    """The source wants another user name or password. Many cameras shut out who tries this often."""


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """A packet as the camera encoded it.

    data: H.264 and H.265 with start codes (Annex B). pts, dts: presentation and decoding time in seconds of
    the camera's own clock, None where it gives none. headers: parameter sets of the stream, for a key frame
    that does not carry its own.
    """

    data: bytes
    pts: float | None
    dts: float | None
    is_key: bool
    codec: str
    headers: bytes


@dataclass(frozen=True, slots=True)
class Decoded:
    """A packet and the pictures that it completed (none where it is damaged)."""

    packet: EncodedPacket
    pictures: list[av.VideoFrame]
    damaged: int


class Stream(Closable):
    """The first video stream of a live source or a file; use it in a `with` block.

    transport: how RTSP brings the pictures; over UDP a lost packet costs a picture, over TCP it costs time.
    open_timeout, read_timeout: seconds to wait for the connection, and for each packet. real_time: give a
    file's packets at the pace of its time stamps.
    Raises `LatentwatchError`, with one line that says what is wrong, where it cannot be opened.
    """

    def __init__(
        self,
        address: Address,
        *,
        transport: Transport = "tcp",
        open_timeout: float = 10.0,
        read_timeout: float = 10.0,
        real_time: bool = False,
    ) -> None:
        self.address = address
        self._read_timeout = read_timeout
        self._real_time = real_time
        self._container = _open(address, transport, (open_timeout, read_timeout))
        if not self._container.streams.video:
            self._container.close()
            raise LatentwatchError(f"{address}: has no video stream (sound only?); check the path")
        self._stream = self._container.streams.video[0]
        # One thread: frames come out as soon as they are in, and many cameras share the cores better.
        self._stream.thread_count = 1
        self._time_base = self._stream.time_base or Fraction(1, 90_000)
        context: Any = self._stream.codec_context
        if context is None:
            self._container.close()
            raise LatentwatchError(f"{address}: FFmpeg cannot decode its video; choose another codec there")
        self.codec: str = context.codec.canonical_name
        self.fps = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_FPS)
        self._headers = bytes(context.extradata or b"")
        self._to_annex_b = None
        if self.codec in ANNEX_B_FILTERS and self._headers[:1] == b"\1":  # length-prefixed, as in mp4
            self._to_annex_b = BitStreamFilterContext(ANNEX_B_FILTERS[self.codec], self._stream)
            self._headers = b""  # the filter puts them before every key frame

    def decoded(self) -> Iterator[Decoded]:
        """Packets with their pictures until the source ends.

        Raises `SourceEndedError` where a live source ends or breaks off, `SourceSilentError` where nothing
        came for `read_timeout`.
        """
        start: float | None = None
        previous = 0.0
        for packet in self._packets():
            if self._real_time and packet.dts is not None:
                at = float(packet.dts * self._time_base)
                if start is None or not 0 <= at - previous < LONGEST_PAUSE:
                    start = time.monotonic() - at
                previous = at
                time.sleep(max(start + at - time.monotonic(), 0))
            damaged = int(packet.is_corrupt)
            pictures: list[av.VideoFrame] = []
            try:
                pictures = packet.decode()
            except FFmpegError:
                damaged = 1
            whole = [picture for picture in pictures if not picture.is_corrupt]
            yield Decoded(self._encoded(packet), whole, damaged or len(pictures) - len(whole))

    def _packets(self) -> "Iterator[av.Packet[VideoStream]]":
        packets = self._container.demux(self._stream)
        failed: Exception | None = None
        asked = time.monotonic()
        while failed is None:
            asked = time.monotonic()
            try:
                packet = next(packets)
            except StopIteration:
                break
            except (FFmpegError, OSError) as error:
                failed = error
            else:
                if packet.size:  # the last one is empty: it tells the decoder to give what it holds back
                    yield packet
        if failed is None or isinstance(failed, av.error.EOFError):
            if self.address.is_live:
                raise SourceEndedError(f"{self.address}: the stream ended")
            return
        silent = _timed_out(failed, asked, self._read_timeout)
        reason = _no_answer(self._read_timeout) if silent else _reason(failed, self.address)
        raise (SourceSilentError if silent else SourceEndedError)(f"{self.address}: {reason}")

    def _encoded(self, packet: "av.Packet[VideoStream]") -> EncodedPacket:
        pts, dts = (
            None if stamp is None else float(stamp * self._time_base) for stamp in (packet.pts, packet.dts)
        )
        is_key = packet.is_keyframe
        # The filter takes the packet for itself, so it comes after the decoder.
        try:
            parts = self._to_annex_b.filter(packet) if self._to_annex_b else [packet]
            data = b"".join(bytes(part) for part in parts)
        except FFmpegError:
            data = b""  # so damaged that no clip can have it
        return EncodedPacket(data, pts, dts, is_key, self.codec, self._headers)

    def close(self) -> None:
        """Lets go of the source."""
        self._container.close()


class LiveSource(VideoSource):
    """A camera or a stream, until it breaks off or for `seconds`; see `open_video`.

    `Frame.time` is by the camera's time stamps. `CameraSource` is the one that reconnects.
    """

    frame_count = None

    def __init__(
        self,
        address: Address,
        *,
        size: tuple[int, int] | None = None,
        grey: bool = False,
        seconds: float = math.inf,
    ) -> None:
        super().__init__(size, grey)
        self._seconds = seconds
        self.name = address.shown
        self._stream = Stream(address)
        self.fps = self._stream.fps

    def _decode(self) -> Iterator[Frame]:
        index = 0
        start: float | None = None
        end = time.monotonic() + self._seconds
        try:
            for decoded in self._stream.decoded():
                if time.monotonic() > end:
                    return
                self.skipped += decoded.damaged
                index += decoded.damaged
                for picture in decoded.pictures:
                    at = picture.time if picture.time is not None else index / self.fps
                    start = at if start is None else start
                    yield Frame(index, at - start, rgb_of(picture))
                    index += 1
        except SourceEndedError as error:
            if index == self.skipped:
                raise
            log.warning("%s", error)

    def close(self) -> None:
        self._frames = iter(())
        self._stream.close()


def rgb_of(picture: av.VideoFrame) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A decoded picture as uint8 `(H, W, 3)`, RGB.

    In one thread: FFmpeg would else start one a core for each picture, which live as long as it does.
    """
    return picture.to_ndarray(format="rgb24", threads=1).astype(np.uint8, copy=False)


def _open(address: Address, transport: Transport, timeout: tuple[float, float]) -> InputContainer:
    options: dict[str, str] = {}
    container_format = None
    if address.kind == "rtsp":
        options = {"rtsp_transport": transport, "allowed_media_types": "video", "fpsprobesize": "2"}
    elif address.kind == "usb":
        container_format = "v4l2"
        if not Path(address.url).exists():
            raise LatentwatchError(f"{address}: no such camera; 'ls /dev/video*' shows what is plugged in")
    asked = time.monotonic()
    try:
        return av.open(
            address.url,
            format=container_format,
            options=options,
            timeout=timeout,
            metadata_errors="replace",  # a camera's name need not be UTF-8
        )
    except (FFmpegError, OSError) as error:
        failed = error
    # Raised here and not above: FFmpeg's own error, which would go with it, holds the address's password.
    late = _timed_out(failed, asked, timeout[0])
    reason = _no_answer(timeout[0]) if late else _reason(failed, address)
    raise (LoginRefusedError if isinstance(failed, REFUSALS) else LatentwatchError)(f"{address}: {reason}")


def _timed_out(error: Exception, asked: float, timeout: float) -> bool:
    """Whether that is why it failed: FFmpeg gives all sorts of errors when it is interrupted."""
    return isinstance(error, TimeoutError) or time.monotonic() - asked >= timeout


def _no_answer(timeout: float) -> str:
    return f"no answer within {timeout:g} s; check the network, and that the camera is on"


def _reason(error: Exception, address: Address) -> str:
    """What went wrong and what to do, in a line with no secret."""
    if isinstance(error, REFUSALS):
        return "refused (401 or 403): the user name or the password is wrong or missing"
    if isinstance(error, av.error.HTTPNotFoundError):
        return "no such stream there (404); check the path after the host"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused); check host and port, and that the camera is on"
    if isinstance(error, PermissionError):
        return "not allowed to open it; a USB camera needs a user of the group 'video'"
    if isinstance(error, av.error.EOFError | BrokenPipeError | ConnectionResetError):
        return "the connection was closed"
    if isinstance(error, av.error.InvalidDataError):
        return "answers, but not with video that FFmpeg understands; check the path"
    number = getattr(error, "errno", None)
    if number == errno.EIO and address.kind in ("rtsp", "http") and not _has_host(address):
        return "no host of that name; check the address"
    if number in (errno.EHOSTUNREACH, errno.ENETUNREACH):
        return "no way to that host; check the network"
    return f"cannot be read: {address.scrub(getattr(error, 'strerror', None) or str(error))}"


def _has_host(address: Address) -> bool:
    """Whether the name server knows the host; FFmpeg says only 'input/output error' where it does not."""
    try:
        socket.getaddrinfo(urlsplit(address.url).hostname, None)
    except OSError:
        return False
    return True
