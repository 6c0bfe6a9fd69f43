"""Sends clips and snapshots to a clip store on another machine, again and again until they are there."""

import logging
import threading

from latentwatch.monitor.clips import ClipStore
from latentwatch.video.address import mask

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Seconds between tries: twice as long each time."""


class Uploads:
    """A thread that sends what waits in `clips`, also what an earlier run has left. See `ClipStore.put`."""

    def __init__(self, clips: ClipStore, *, first_wait: float = FIRST_WAIT) -> None:
        self._clips, self._first_wait = clips, first_wait
        self._stop = threading.Event()
        self._wake = threading.Event()
        clips.on_wait = self._wake.set
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)
        self._thread.start()

    def close(self, seconds: float = 10.0) -> None:
        """Ends; what is not sent within `seconds` is sent after the next start."""
        self._stop.set()
        self._wake.set()
        self._thread.join(seconds)

    def _run(self) -> None:
        failures = 0
        while True:
            self._wake.clear()
            is_last = self._stop.is_set()
            try:
                self._clips.send_waiting()
                failures = 0
            except OSError as error:
                wait = min(self._first_wait * 2.0 ** min(failures, 20), LONGEST_WAIT)
                failures += 1
                log.warning(
                    "clips: %s: not reached, again in %.0f s: %s", self._clips.shown, wait, mask(str(error))
                )
                self._stop.wait(wait)
            if is_last:
                return
            if not failures:
                self._wake.wait()
