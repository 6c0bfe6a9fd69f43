"""Sends the messages that wait in the store, in order, each until it is delivered.

A message is marked delivered after the receiver has confirmed it. Where the program dies in between, it is
sent again: at least once, with the same key each time, so that a receiver can drop doubles.
"""

import logging
import random
import threading
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.channel import Channel, RefusedError
from latentwatch.monitor.model import Message
from latentwatch.monitor.store import EventStore
from latentwatch.video.address import mask

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 1.0, 300.0
"""Seconds between tries: twice as long each time."""

POLL = 1.0
"""Seconds after which the store is looked at without being told of a message."""


class Outbox:
    """One thread a channel, so that a slow one does not hold up the others.

    snapshot: gives the JPEG of that name, None where it cannot be had.
    """

    def __init__(
        self,
        store: EventStore,
        channels: dict[str, Channel],
        snapshot: Callable[[str], bytes | None],
        *,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        self._store, self._snapshot, self._first_wait = store, snapshot, first_wait
        self._stop = threading.Event()
        self._channels = channels
        self._wakes = {name: threading.Event() for name in channels}
        self._threads = [
            threading.Thread(target=self._run, args=(name, channel), name=f"to {name}", daemon=True)
            for name, channel in channels.items()
        ]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """There are new messages."""
        for wake in self._wakes.values():
            wake.set()

    def close(self, seconds: float = 5.0) -> None:
        """Sends what is due, for at most so long; what is left is sent after the next start."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and any(self._is_due(*each) for each in self._channels.items()):
            time.sleep(0.05)
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(max(end - time.monotonic(), 1.0))

    def _is_due(self, name: str, channel: Channel) -> bool:
        try:
            return self._next_due(name, channel) is not None
        except SQLAlchemyError:
            return False

    def _next_due(self, name: str, channel: Channel) -> Message | None:
        """The message to send now, if any."""
        now = time.time()
        # One that seems to wait longer than any does is due: the clock was set back.
        waiting = (now, now + LONGEST_WAIT)
        if not channel.in_order:
            return self._store.next_message(name, but_for=waiting)
        message = self._store.next_message(name)
        if message is not None and waiting[0] < message.next_try <= waiting[1]:
            return None
        return message

    def _run(self, name: str, channel: Channel) -> None:
        wake = self._wakes[name]
        while not self._stop.is_set():
            wake.clear()
            try:
                message = self._next_due(name, channel)
                if message is not None:
                    self._send(name, channel, message)
                    continue
            except SQLAlchemyError as error:  # locked, full or away: the message waits where it is
                log.warning("%s: the event store cannot be used now: %s", name, type(error).__name__)
            wake.wait(POLL)

    def _send(self, name: str, channel: Channel, message: Message) -> None:
        picture = message.body.get("snapshot")
        try:
            channel.send(message, self._snapshot(picture) if picture else None)
        except RefusedError as error:
            log.error("%s: refuses %s: %s", name, message.key, error)
            self._store.mark(message.id, failed=True, error=mask(str(error)))
        except LatentwatchError as error:
            self._try_later(name, message, str(error))
        except Exception as error:  # a channel's fault is no reason to send nothing ever again
            log.exception("%s: a fault of the program", name)
            self._try_later(name, message, f"{type(error).__name__}: {error}")
        else:
            self._store.mark(message.id, delivered=time.time(), attempts=message.attempts + 1, error=None)

    def _try_later(self, name: str, message: Message, reason: str) -> None:
        attempts = message.attempts + 1
        wait = min(self._first_wait * 2.0 ** min(attempts - 1, 20), LONGEST_WAIT)
        wait *= random.uniform(0.5, 1)
        log.warning("%s: %s not delivered, again in %.0f s: %s", name, message.key, wait, reason)
        self._store.mark(message.id, attempts=attempts, next_try=time.time() + wait, error=mask(reason))
