"""The clip of an event: the camera's own packets in a file that players take, never encoded anew."""

import logging
import math
import os
import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.encryption import EncryptingFile
from latentwatch.monitor.packet_ring import Kept, PacketRing, parameter_sets

log = logging.getLogger(__name__)

TIME_BASE = Fraction(1, 90_000)

LONGEST = 600.0
"""Seconds after which a clip ends, even if its event does not."""

SILENCE = 10.0
"""Seconds without a packet after which a clip whose end is known is finished: the camera is gone."""

WHOLE = {"movflags": "+faststart"}
IN_FRAGMENTS = {"movflags": "+frag_keyframe+delay_moov+default_base_moof"}
"""An mp4 that is written from start to end; the usual one goes back, which an encrypted file cannot."""


@dataclass(frozen=True)
class Clip:
    """A finished clip.

    paths: its file, and more where the camera changed its picture in between (`NAME-2.mp4` and so on).
    start, end: seconds, as `Frame.time`; it starts at a key frame, so up to a key frame's distance too early.
    """

    paths: tuple[Path, ...]
    start: float
    end: float


class ClipRecording:
    """Writes a clip while its event goes on; the packets come from the ring, so memory does not grow.

    path: of the mp4, which grows under another name (`.part.mp4` added) and takes its own when it is whole
    and on the disk. start: the first moment to show, pre-roll included, seconds as `Frame.time`. end: the
    last, where it is known already; `end_at` sets it later. longest: seconds after which it ends in any case.
    key: what to encrypt it with (see `EncryptingFile`); its name there is the path's without the suffix.
    It is written in a thread of its own. What the ring drops before the disk has taken it is left out, up to
    the next key frame.
    """

    def __init__(
        self,
        ring: PacketRing,
        path: Path,
        start: float,
        end: float = math.inf,
        *,
        longest: float = LONGEST,
        key: bytes | None = None,
    ) -> None:
        self._ring, self._path, self._key = ring, path, key
        self._number = ring.start(start)
        self._whole = False  # nothing is missing since the last key frame
        self._latest = start + longest
        self._end = end
        self._parts: list[_Part] = []
        self._clip: Clip | None = None
        self._error: LatentwatchError | None = None
        self._thread = threading.Thread(target=self._run, name=f"clip {path.name}", daemon=True)
        self._thread.start()

    def end_at(self, end: float) -> None:
        """The last moment to show, post-roll included; what was written after it already stays."""
        self._end = end

    def wait(self, timeout: float | None = None) -> Clip | None:
        """The finished clip, once its end has come; None where no packet came to put into it.

        Raises `LatentwatchError` where it could not be written, and where it takes longer than `timeout`.
        """
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise LatentwatchError(f"{self._path}: the clip is not finished after {timeout:g} s")
        if self._error:
            raise self._error
        return self._clip

    def _run(self) -> None:
        try:
            self._record()
            for part in self._parts:
                part.finish()
        except (OSError, FFmpegError) as error:
            self._discard()
            self._error = LatentwatchError(
                f"{self._path}: the clip cannot be written: {error.strerror or error}"
            )
            return
        if self._parts:
            paths = tuple(part.path for part in self._parts)
            self._clip = Clip(paths, self._parts[0].start, self._parts[-1].end)

    def _record(self) -> None:
        silent = 0.0
        while True:
            is_last = self._ring.closed
            packets = self._ring.since(self._number, timeout=0.5)
            silent = 0.0 if packets else silent + 0.5
            for kept in packets:
                if kept.time > min(self._end, self._latest):
                    return
                if kept.packet.is_key:
                    self._whole = True
                elif kept.number != self._number:
                    self._whole = False
                self._number = kept.number + 1
                if self._whole:
                    self._write(kept)
            past_end = bool(self._parts) and self._parts[-1].end >= self._end
            if is_last or past_end or (silent >= SILENCE and self._end < math.inf):
                return

    def _write(self, kept: Kept) -> None:
        part = self._parts[-1] if self._parts else None
        if part is None or part.headers != kept.headers:
            size = _size(kept)
            if size is None:
                self._whole = False
                return
            if part:
                part.close()
            count = len(self._parts) + 1
            path = self._path if count == 1 else self._path.with_stem(f"{self._path.stem}-{count}")
            part = _Part(path, kept, size, self._key)
            self._parts.append(part)
        part.write(kept)

    def _discard(self) -> None:
        for part in self._parts:
            part.discard()


class _Part:
    """One file of packets with the same parameter sets."""

    def __init__(self, path: Path, first: Kept, size: tuple[int, int], key: bytes | None) -> None:
        self.path, self.headers = path, first.headers
        self.start = self.end = first.time
        self._unfinished = path.with_name(path.name + ".part.mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._sealed = EncryptingFile(self._unfinished, key, path.stem) if key else None
        self._container = av.open(
            self._sealed or str(self._unfinished),
            "w",
            format="mp4",
            options=IN_FRAGMENTS if key else WHOLE,
        )
        self._stream = self._container.add_mux_stream(first.packet.codec, height=size[0], width=size[1])
        self._last_dts = -1
        self._open = True

    def write(self, kept: Kept) -> None:
        packet = kept.packet
        data = packet.data
        if packet.is_key and self.headers and not parameter_sets(packet.codec, data):
            data = self.headers + data  # without them no player could begin here
        encoded = av.Packet(data)
        encoded.stream, encoded.time_base, encoded.is_keyframe = self._stream, TIME_BASE, packet.is_key
        dts = max(round((kept.time - self.start) / TIME_BASE), self._last_dts + 1)
        ahead = 0.0 if packet.pts is None or packet.dts is None else max(packet.pts - packet.dts, 0.0)
        encoded.dts, encoded.pts = dts, dts + round(ahead / TIME_BASE)
        self._container.mux(encoded)
        self._last_dts, self.end = dts, kept.time

    def close(self) -> None:
        if self._open:
            self._open = False
            self._container.close()
            if self._sealed:
                self._sealed.close()

    def finish(self) -> None:
        """Gives the file its name once it is safe on the disk."""
        self.close()
        _sync(self._unfinished)
        self._unfinished.replace(self.path)
        _sync(self.path.parent)

    def discard(self) -> None:
        try:
            self.close()
        except (OSError, FFmpegError) as error:
            log.debug("%s: %s", self._unfinished, error)  # it is given up because of just that
        self._unfinished.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(kept: Kept) -> tuple[int, int] | None:
    """Height and width of a key frame's picture; None where it cannot be decoded."""
    context: Any = av.CodecContext.create(kept.packet.codec, "r")
    try:
        for packet in (av.Packet(kept.headers + kept.packet.data), None):
            for picture in context.decode(packet):
                return picture.height, picture.width
    except FFmpegError as error:
        log.debug("a key frame that cannot be decoded: %s", error)
    return None
