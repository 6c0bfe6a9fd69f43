"""Who is told now: the channels of the settings, and the outbox that serves them. Both can be replaced."""

import logging
import threading
from collections.abc import Callable, Collection, Sequence

from sqlalchemy.exc import SQLAlchemyError

from latentwatch.monitor.channel import Channel
from latentwatch.monitor.outbox import Outbox
from latentwatch.monitor.settings import Settings
from latentwatch.monitor.store import EventStore

log = logging.getLogger(__name__)


class Telling:
    """The open channels. snapshot: see `Outbox`.

    Messages are in the store, so those that are written while channels are replaced wait for the new ones.
    """

    def __init__(self, store: EventStore, snapshot: Callable[[str], bytes | None]) -> None:
        self._store, self._snapshot = store, snapshot
        self._lock = threading.Lock()  # cameras' states come from their threads
        self._live: dict[str, bool] = {}
        self._told: dict[str, list[str]] = {}
        self._channels: dict[str, Channel] = {}
        self._outbox: Outbox | None = None

    def begin(self, settings: Settings, channels: dict[str, Channel]) -> None:
        """Begins to tell by `channels`, which are those of the settings, in the place of the ones before.

        What waits for channels that are no longer there is given up: else its events would wait for ever.
        """
        self.close()
        self._forget_others(channels)
        with self._lock:
            self._channels = channels
            self._told = {name: settings.channels_of(name) for name in settings.cameras}
            self._live = {name: state for name, state in self._live.items() if name in self._told}
            for camera, names in self._told.items():
                problems = self._problems(camera)
                for name in names:
                    if problems is not None:
                        channels[name].camera_problems(camera, problems)
                    if camera in self._live:
                        channels[name].camera_state(camera, self._live[camera])
            for channel in channels.values():
                channel.start()
            self._outbox = Outbox(self._store, channels, self._snapshot)

    def _forget_others(self, channels: Collection[str]) -> None:
        try:
            for name, count in self._store.forget_channels(channels).items():
                log.warning("%s: no longer in the settings: %d messages to it are given up", name, count)
        except SQLAlchemyError as error:
            log.warning("messages to channels that are gone still wait: %s", type(error).__name__)

    def _problems(self, camera: str) -> Sequence[str] | None:
        try:
            return self._store.open_problems(camera)
        except SQLAlchemyError as error:
            log.warning("%s: its problems are not known: %s", camera, type(error).__name__)
            return None

    def state(self, camera: str, is_live: bool) -> None:
        """A camera comes or goes."""
        with self._lock:
            self._live[camera] = is_live
            for name in self._told.get(camera, []):
                self._channels[name].camera_state(camera, is_live)

    def wake(self) -> None:
        """There are new messages."""
        outbox = self._outbox  # read once: settings that change let go of it meanwhile
        if outbox is not None:
            outbox.wake()

    def close(self) -> None:
        """Sends what is due, and lets go of the channels."""
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None
        with self._lock:
            for channel in self._channels.values():
                channel.close()
            self._channels, self._told = {}, {}
