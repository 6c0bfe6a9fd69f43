"""Watches all cameras of a settings file in one process, until it is told to stop."""

import logging
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from latentwatch.bundle.bundle import load_bundle
from latentwatch.engines.choose import open_engine
from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.background import Background
from latentwatch.monitor.budget import Budget, load_budget
from latentwatch.monitor.calibrate import file_sha256, health_file
from latentwatch.monitor.camera_watch import CameraWatch
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.encryption import read_keys
from latentwatch.monitor.event_files import Blurring, EventFiles
from latentwatch.monitor.health import HealthMonitor
from latentwatch.monitor.health_reference import load_health
from latentwatch.monitor.notify import open_channels
from latentwatch.monitor.outbox import Outbox
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.settings import Camera, Settings
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.uploads import Uploads
from latentwatch.scoring.detector import Detector
from latentwatch.video.address import parse_address

log = logging.getLogger(__name__)

PURGE_EVERY = 600.0
"""Seconds between two looks at what is kept too long."""

KEY_FRAMES = 12.0
"""Seconds of packets kept beyond a clip's pre-roll, since a clip begins at a key frame."""


def watch(settings: Settings, stop: threading.Event, *, engine: Choice = "auto") -> None:
    """Watches until `stop` is set, or until all sources have ended (files alone do).

    Everything that the settings name is opened before the first frame is asked for. Raises `UsageError` or
    `LatentwatchError` where some of it is missing or wrong, or another process watches with the same folder.
    """
    cameras = {name: _prepare(name, camera, engine) for name, camera in settings.cameras.items()}
    with ExitStack() as stack:
        stack.callback(_alone(settings.folder).release)
        store = EventStore(settings.store_url)
        stack.callback(store.close)
        clips = ClipStore(settings.clips_url, store.owner, settings.unsent)
        scratch = _scratch(settings.folder)
        _recover(store, clips, settings)
        stack.callback(Uploads(clips).close)
        channels = open_channels(settings)
        for channel in channels.values():
            stack.callback(channel.close)
        outbox = Outbox(store, channels, lambda name: _read(clips, name))
        stack.callback(outbox.close)

        def tell(camera: str, is_live: bool) -> None:
            for name in settings.channels_of(camera):
                channels[name].camera_state(camera, is_live)

        for name in settings.cameras:
            for channel_name in settings.channels_of(name):
                channels[channel_name].camera_problems(name, store.open_problems(name))

        watches = []
        for name, (detector, budget, threshold) in cameras.items():
            camera = settings.cameras[name]
            ring = PacketRing(camera.seconds_before + KEY_FRAMES)
            recorder = Recorder(
                name,
                camera,
                store,
                EventFiles(name, clips, scratch, _blurring(name, detector, settings)),
                ring,
                channels=settings.channels_of(name),
                longest=budget.rules.longest,
                wake=outbox.wake,
            )
            watches.append(
                CameraWatch(
                    name,
                    parse_address(camera.url.get_secret_value()),
                    detector,
                    budget,
                    threshold,
                    transport=camera.transport,
                    schedule=camera.schedule,
                    ring=ring,
                    recorder=recorder,
                    health=_health(name, settings, store),
                    on_state=tell,
                )
            )
        for each in watches:
            stack.callback(each.close)
            each.start()
        log.info("watching %s", ", ".join(cameras))
        _wait(watches, stop, store, clips, settings)


def _prepare(name: str, camera: Camera, engine: Choice) -> tuple[Detector, Budget, float]:
    try:
        model, info = load_bundle(camera.model)
        budget = load_budget(camera.model, file_sha256(camera.model))
        opened = open_engine(model, engine)
    except LatentwatchError as error:
        raise type(error)(f"camera {name}: {error}") from error
    if budget.ignore != [[tuple(corner) for corner in polygon] for polygon in camera.ignore]:
        raise UsageError(
            f"camera {name}: the budget of {camera.model.name} was made with other zones to ignore; "
            "run 'latentwatch calibrate' with the same ones (--ignore)"
        )
    if budget.engine != str(opened):
        log.warning(
            "%s: calibrated on %s, watched on %s; scores may differ a little", name, budget.engine, opened
        )
    threshold = budget.tail.threshold(camera.false_alarms_per_day)
    log.info("%s: threshold %.4g for %g false alarms a day", name, threshold, camera.false_alarms_per_day)
    return Detector(model, info.calibration, engine=opened), budget, threshold


def _blurring(name: str, detector: Detector, settings: Settings) -> Blurring | None:
    if settings.privacy is None or not settings.blurs(name):
        return None
    return Blurring(read_keys(settings.privacy.keys)[0], Background(detector.background))


def _health(name: str, settings: Settings, store: EventStore) -> HealthMonitor | None:
    path = health_file(settings.cameras[name].model)
    problems = store.open_problems(name)
    if path.is_file():
        return HealthMonitor(load_health(path), active=problems)
    log.info("%s: no %s, so the camera's health is not watched", name, path.name)
    for problem in problems:  # nobody would ever see that it is over
        store.end_problem(name, problem, time.time(), settings.channels_of(name))
    return None


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
    if found.events or found.files:
        log.warning(
            "after an unclean end: %d events ended, %d files of no event removed", found.events, found.files
        )


def _read(clips: ClipStore, name: str) -> bytes | None:
    try:
        return clips.read(name)
    except OSError:
        return None


def _wait(
    watches: list[CameraWatch], stop: threading.Event, store: EventStore, clips: ClipStore, settings: Settings
) -> None:
    due = 0.0
    while not stop.wait(0.5) and not all(each.is_over for each in watches):
        if time.monotonic() < due:
            continue
        due = time.monotonic() + PURGE_EVERY
        try:
            gone = store.purge(clips, settings.keep)
            if gone:
                log.info("%d old events removed", gone)
        except (OSError, SQLAlchemyError) as error:
            log.warning("old events could not be removed now: %s", type(error).__name__)
