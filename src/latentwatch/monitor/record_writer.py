"""Writes one camera's records to the event store, in order, each until it is written.

It has a thread of its own: while the store is locked, full or away, the camera is watched on.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError, NoResultFound, SQLAlchemyError

from latentwatch.monitor.database import reason

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0
"""Seconds between tries: twice as long each time."""

MOST = 1000
"""Records that may wait, so that memory stays flat; days of a camera's events."""


@dataclass(frozen=True)
class _Record:
    what: str
    write: Callable[[], None]


class RecordWriter:
    """camera: its name, for the log. wake: called when a record, and so its messages, are in the store."""

    def __init__(self, camera: str, wake: Callable[[], None]) -> None:
        self._camera, self._wake = camera, wake
        self._waiting: deque[_Record] = deque()
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name=f"records of {camera}", daemon=True)
        self._thread.start()

    def add(self, what: str, write: Callable[[], None]) -> None:
        """Queues a record. what: for the log, such as "the end of event 0123abcd".

        After `close` it is written at once: a clip may be finished long after its camera has begun anew.
        """
        record = _Record(what, write)
        with self._changed:
            is_over, is_full = self._is_over, len(self._waiting) >= MOST
            if not is_over and not is_full:
                self._waiting.append(record)
                self._changed.notify()
        if is_over:
            self._write_late(record)
        elif is_full:
            log.error("%s: %s is LOST: %d records wait for the event store already", self._camera, what, MOST)

    def close(self, seconds: float) -> None:
        """Tries what waits for at most so long, and says what is lost."""
        end = time.monotonic() + seconds
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(max(end - time.monotonic(), 0.1))
        with self._changed:
            self._is_over = True
            lost = [record.what for record in self._waiting]
            self._waiting.clear()
        for what in lost:
            log.error("%s: %s is LOST: the event store cannot be written", self._camera, what)

    def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
                if not self._waiting:
                    self._is_over = True
                    return
                record = self._waiting[0]
            if not self._is_done(record, wait):
                self._pause(wait)
                wait = min(2 * wait, LONGEST_WAIT)
                continue
            wait = FIRST_WAIT
            with self._changed:
                if self._waiting:  # else it was given up meanwhile
                    self._waiting.popleft()
            self._wake()

    def _is_done(self, record: _Record, wait: float) -> bool:
        """Whether the record need not be tried again. wait: seconds until it is, for the log."""
        try:
            record.write()
        except (NoResultFound, IntegrityError) as error:
            # Removed meanwhile; or written already, by a try whose answer did not come.
            log.warning("%s: %s changes nothing: %s", self._camera, record.what, reason(error))
        except SQLAlchemyError as error:
            log.warning(
                "%s: %s is not recorded yet, the event store cannot be written (%s); again in %.0f s; "
                "make room on its disk, or see to its database",
                *(self._camera, record.what, reason(error), wait),
            )
            return False
        except Exception:  # one record must not hold up all that follow
            log.exception("%s: %s is LOST by a fault of the program", self._camera, record.what)
        return True

    def _write_late(self, record: _Record) -> None:
        wait = FIRST_WAIT
        while not self._is_done(record, wait):
            if wait > LONGEST_WAIT:
                log.error("%s: %s is LOST: the event store cannot be written", self._camera, record.what)
                return
            time.sleep(wait)
            wait *= 2
        self._wake()

    def _pause(self, seconds: float) -> None:
        """Waits, but not for long once it is closing: there is little time left."""
        if self._closing.wait(seconds):
            time.sleep(min(seconds, 0.5))
