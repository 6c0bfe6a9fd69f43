"""Watches all cameras of a settings file in one process, until it is told to stop."""

import logging
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.database import reason
from latentwatch.monitor.metrics import Metrics
from latentwatch.monitor.reload import Reload
from latentwatch.monitor.running import Running, prepare_all
from latentwatch.monitor.settings import Settings
from latentwatch.monitor.status_server import StatusServer, health
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.uploads import Uploads

log = logging.getLogger(__name__)

PURGE_EVERY = 600.0
"""Seconds between two looks at what is kept too long."""


def watch(
    settings: Settings, stop: threading.Event, *, engine: Choice = "auto", reload: Reload | None = None
) -> None:
    """Watches until `stop` is set, or until all sources have ended (files alone do).

    Everything that the settings name is opened before the first frame is asked for. reload: gives the
    settings anew when they change; None goes on with those that were given. Raises `UsageError` or
    `LatentwatchError` where some of it is missing or wrong, or another process watches with the same folder.
    """
    prepared = prepare_all(settings, engine, list(settings.cameras))
    with ExitStack() as stack:
        stack.callback(_alone(settings.folder).release)
        store = EventStore(settings.store_url)
        stack.callback(store.close)
        clips = ClipStore(settings.clips_url, store.owner, settings.unsent)
        scratch = _scratch(settings.folder)
        _recover(store, clips, settings)
        stack.callback(Uploads(clips).close)
        metrics = Metrics()
        running = Running(settings, store, clips, scratch, engine, metrics)
        stack.callback(running.close)

        def channels() -> list[str]:
            return list(running.settings.notify)

        server = None
        if settings.http is not None:
            metrics.watch_store(store, channels)
            server = StatusServer(settings.http, metrics, lambda: health(running.states, store, channels()))
            stack.callback(server.close)
        running.begin(prepared)
        if server is not None:
            server.ready()
        _wait(running, stop, store, clips, reload)


def _alone(folder: Path) -> FileLock:
    """Holds the folder: a second process would take events that go on for left behind."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(f"{folder}: another 'latentwatch watch' is at work there; stop it first") from error
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot be written to: {error.strerror}") from error
    return lock


def _scratch(folder: Path) -> Path:
    """An empty folder for unfinished files."""
    scratch = folder / "unfinished"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        for left in scratch.iterdir():
            left.unlink()
    except OSError as error:
        raise LatentwatchError(f"{scratch}: cannot be written to: {error.strerror}") from error
    return scratch


def _recover(store: EventStore, clips: ClipStore, settings: Settings) -> None:
    try:
        found = store.recover(clips, {name: settings.channels_of(name) for name in settings.cameras})
    except OSError as error:
        raise LatentwatchError(f"clips: {clips.shown}: {error}") from error
    except SQLAlchemyError as error:
        raise LatentwatchError(
            f"event store: cannot be written: {reason(error)}; make room on its disk, or see to its database"
        ) from error
    if found.events or found.files:
        log.warning(
            "after an unclean end: %d events ended, %d files of no event removed", found.events, found.files
        )


def _wait(
    running: Running, stop: threading.Event, store: EventStore, clips: ClipStore, reload: Reload | None
) -> None:
    due = 0.0
    while not stop.wait(0.5) and not running.look():
        changed = reload.take() if reload else None
        if changed is not None:
            _change(running, changed)
        if time.monotonic() < due:
            continue
        due = time.monotonic() + PURGE_EVERY
        try:
            gone = store.purge(clips, running.settings.keep)
            if gone:
                log.info("%d old events removed", gone)
        except (OSError, SQLAlchemyError) as error:
            log.warning("old events could not be removed now: %s", type(error).__name__)


def _change(running: Running, settings: Settings) -> None:
    try:
        running.change(settings)
    except LatentwatchError as error:
        log.error("%s; it goes on as before", error)
    else:
        log.info("the settings were read again")
