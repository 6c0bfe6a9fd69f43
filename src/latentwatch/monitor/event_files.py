"""Snapshot and clip of an event, on their way into the clip store; blurred where the owner wants it."""

import io
import logging
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latentwatch.monitor.background import Background
from latentwatch.monitor.blur import blur_clip, blur_picture
from latentwatch.monitor.clip import ClipRecording
from latentwatch.monitor.clips import ORIGINAL, ClipStore
from latentwatch.monitor.encryption import DecryptingFile, EncryptingFile
from latentwatch.monitor.packet_ring import PacketRing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Blurring:
    """That a camera's clips and snapshots are blurred. keys: the first encrypts the originals."""

    keys: Sequence[bytes]
    background: Background


class EventFiles:
    """Makes the files of one camera's events.

    scratch: a folder for unfinished files. blurring: None keeps pictures as they are. Else the original goes
    straight from memory into an encrypted file, and the blurred form is made from that: clear pictures are
    never on the disk.
    """

    def __init__(self, camera: str, clips: ClipStore, scratch: Path, blurring: Blurring | None) -> None:
        self._camera, self._clips, self._scratch, self._blurring = camera, clips, scratch, blurring

    def see(self, rgb: NDArray[np.uint8], time: float) -> None:
        """Looks at the newest frame, so that what is no background is known when there is an event."""
        if self._blurring:
            self._blurring.background.learn(rgb, time)

    def keep_snapshot(self, event_id: str, rgb: NDArray[np.uint8]) -> tuple[str, int]:
        """Stores a picture, uint8 `(H, W, 3)`, as a JPEG; its name and bytes. Raises `OSError`."""
        size = 0
        if self._blurring:
            name = f"{event_id}.jpg"
            sealed = EncryptingFile(self._scratch / (name + ORIGINAL), self._blurring.keys[0], name)
            sealed.write(_jpeg(rgb))
            sealed.close()
            size = self._put(name + ORIGINAL)
            rgb = blur_picture(rgb, self._blurring.background.area(rgb))
        unfinished = self._scratch / f"{event_id}.jpg"
        try:
            unfinished.write_bytes(_jpeg(rgb))
            size += self._put(unfinished.name)
        except OSError:
            unfinished.unlink(missing_ok=True)  # a full disk takes a file's name, but not the file
            raise
        return f"{self._camera}/{unfinished.name}", size

    def record(self, event_id: str, ring: PacketRing, start: float, longest: float) -> ClipRecording:
        """Begins the clip of an event; see `ClipRecording`."""
        key = self._blurring.keys[0] if self._blurring else None
        name = f"{event_id}.mp4{ORIGINAL if key else ''}"
        return ClipRecording(ring, self._scratch / name, start, longest=longest, key=key)

    def keep_clip(self, event_id: str, recording: ClipRecording, timeout: float) -> tuple[str | None, int]:
        """Stores the clip once it is finished; its name (None where no packet came) and bytes.

        See `blur_clip`. Raises `LatentwatchError` where it could not be made in time, and `OSError` where it
        cannot be stored.
        """
        made = recording.wait(timeout)
        if made is None:
            return None, 0
        for rest in made.paths[1:]:
            log.warning("%s: event %s: the picture changed, its clip ends there", self._camera, event_id[:8])
            rest.unlink()
        size = self._put(made.paths[0].name)
        if not self._blurring:
            return f"{self._camera}/{event_id}.mp4", size
        name, more = self.blur_clip(event_id)
        return name, size + more

    def blur_clip(self, event_id: str) -> tuple[str | None, int]:
        """Makes the blurred clip of the stored original; its name (None where that is missing) and bytes.

        Call it in a thread of its own: it makes that give way to others. Raises `LatentwatchError` where it
        cannot be made, and `OSError` where it cannot be stored.
        """
        name = f"{event_id}.mp4"
        original = f"{self._camera}/{name}{ORIGINAL}"
        if self._blurring is None or not self._clips.exists(original):
            return None, 0
        _give_way()
        with self._clips.open(original) as sealed:
            clear = DecryptingFile(sealed, self._blurring.keys, name)
            blur_clip(clear, self._scratch / name, self._blurring.background)
        return f"{self._camera}/{name}", self._put(name)

    def _put(self, name: str) -> int:
        return self._clips.put(self._scratch / name, f"{self._camera}/{name}")


def _give_way() -> None:
    """Lets other threads go first from now on: blurring is no hurry, watching is."""
    if hasattr(os, "setpriority"):  # on Linux this is of a thread
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    made = io.BytesIO()
    Image.fromarray(rgb).save(made, "JPEG", quality=85)
    return made.getvalue()
