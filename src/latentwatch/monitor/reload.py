"""Notices that the settings file has changed, or that somebody asks to read it again."""

import logging
import threading
import time
from pathlib import Path

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.settings import Settings
from latentwatch.monitor.settings_file import load_settings

log = logging.getLogger(__name__)

LOOK_EVERY = 2.0
"""Seconds between two looks at the file; it is read when it is the same in two."""


class Reload:
    """A settings file that is watched. asked: set, by a signal, to read it at once."""

    def __init__(self, path: Path, asked: threading.Event) -> None:
        self._path, self._asked = path, asked
        self._used = self._last = self._contents()
        self._due = time.monotonic() + LOOK_EVERY

    def take(self) -> Settings | None:
        """The settings anew, once after each change; None where there is none or it has a mistake."""
        asked = self._asked.is_set()
        if not asked and time.monotonic() < self._due:
            return None
        self._asked.clear()
        self._due = time.monotonic() + LOOK_EVERY
        now = self._contents()
        settled, self._last = now == self._last, now
        if not asked and (not settled or now == self._used):
            return None
        self._used = now
        try:
            return load_settings(self._path)
        except LatentwatchError as error:
            log.error("%s; it goes on as before", error)
            return None

    def _contents(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except OSError:
            return None
