"""The cameras that are watched now. Each can begin, end, or begin anew without touching the others."""

import logging
import time
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.camera_watch import CameraWatch
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.encryption import read_keys
from latentwatch.monitor.enrol_watch import EnrolWatch
from latentwatch.monitor.event_files import EventFiles
from latentwatch.monitor.learner import Learner
from latentwatch.monitor.metrics import Metrics
from latentwatch.monitor.model import GONE
from latentwatch.monitor.model_files import ModelFiles
from latentwatch.monitor.notify import open_channels
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.prepare import Prepared, blurring_of, health_of, prepare, reservoir_of
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.removal import Removal, Told, removals, told_by
from latentwatch.monitor.settings import Settings
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.telling import Telling
from latentwatch.video.address import mask, parse_address

log = logging.getLogger(__name__)

KEY_FRAMES = 12.0
"""Seconds of packets kept beyond a clip's pre-roll, since a clip begins at a key frame."""

AGAIN_AFTER = 10.0
"""Seconds before a camera that could not begin is tried again."""

ENROL_AGAIN_AFTER = 3600.0
"""Seconds before an enrolment that ended without a model goes on: it may have to train once more."""

FIXED = ("folder", "store", "clips", "http")
"""Settings that take effect at a start alone."""


class Running:
    """All that goes on; used from one thread. scratch: an empty folder for unfinished files."""

    def __init__(
        self,
        settings: Settings,
        store: EventStore,
        clips: ClipStore,
        scratch: Path,
        engine: Choice,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        """What is watched by now."""
        self._store, self._clips, self._scratch = store, clips, scratch
        self._engine, self._metrics = engine, metrics
        self._telling = Telling(store, self._read)
        self._learner = Learner(engine)
        self._watches: dict[str, CameraWatch] = {}
        self._files: dict[str, ModelFiles] = {}
        self._enrolled: dict[str, EnrolWatch] = {}
        self._waiting: dict[str, tuple[float, Prepared | None]] = {}
        """Cameras that could not begin, since the store could not be used, and when they try again."""
        self._removals: list[Removal] = []
        self._unannounced: Told = {}
        self._record_at = 0.0
        """What is not recorded yet of who is told of which cameras, and when that is tried again."""

    @property
    def states(self) -> dict[str, str]:
        """What each camera does: see `CameraWatch.state`, or `enrolling`, or `not watched`."""
        return {name: self._state(name) for name in self.settings.cameras}

    def begin(self, prepared: dict[str, Prepared]) -> None:
        """Begins to watch all cameras of the settings. Raises as `open_channels`.

        Cameras that were told of before the program's last end, and are not watched any more, are removed.
        prepared: emptied, or the caller would hold the models for as long as others are watched with.
        """
        channels = open_channels(self.settings)
        self._told_otherwise(self._store.announced())
        self._telling.begin(self.settings, channels)
        for name in self.settings.cameras:
            self._begin(name, prepared.pop(name, None))

    def change(self, new: Settings) -> None:
        """Goes on with other settings; cameras for which nothing changes are not touched.

        Raises `LatentwatchError` for what cannot be watched; then all goes on as before.
        """
        old = self.settings
        for key in FIXED:
            if getattr(new, key) != getattr(old, key):
                log.warning("%s: a change of it takes effect at the next start", key)
        new = new.model_copy(update={key: getattr(old, key) for key in FIXED})
        changed = [name for name in new.cameras if _recipe(new, name) != _recipe(old, name)]
        prepared = prepare_all(new, self._engine, changed)
        channels = None if _told(new) == _told(old) else open_channels(new)
        for name in [*(set(old.cameras) - set(new.cameras)), *changed]:
            self._end(name)
        if channels is not None:
            self._telling.begin(new, channels)
        self.settings = new
        self._told_otherwise(told_by(old))
        for name in changed:
            self._try_to_begin(name, prepared.get(name))
        for name in set(old.cameras) - set(new.cameras):
            self._metrics.forget(name)
            log.info("%s: no longer watched", name)

    def look(self) -> bool:
        """What is done now and then; whether all is over."""
        self._learner.tick(self.settings, self._store)
        self._record_changes()
        for name, (due, made) in [*self._waiting.items()]:
            if time.monotonic() >= due:
                del self._waiting[name]
                self._try_to_begin(name, made)
        for name, enrolled in [*self._enrolled.items()]:
            if enrolled.is_over:
                del self._enrolled[name]
                self._metrics.enrolled(name)
                if enrolled.has_model:
                    self._take_up(name)
                elif enrolled.is_live:  # a disk may have been full, or the footage too short
                    log.error("%s: enrolment goes on in %.0f min", name, ENROL_AGAIN_AFTER / 60)
                    self._waiting[name] = time.monotonic() + ENROL_AGAIN_AFTER, None
        for name in [name for name, each in self._watches.items() if not each.is_over]:
            if self._files[name].are_new():
                self._take_up(name)
        return (
            not self._enrolled and not self._waiting and all(each.is_over for each in self._watches.values())
        )

    def close(self) -> None:
        """Ends all; alarms that go on end and are recorded."""
        for enrolled in self._enrolled.values():
            enrolled.close()
        self._learner.close()
        for watched in self._watches.values():
            watched.close()
        self._telling.close()

    def _state(self, name: str) -> str:
        watched, enrolled = self._watches.get(name), self._enrolled.get(name)
        if watched is not None:
            return watched.state
        return "enrolling" if enrolled is not None and not enrolled.is_over else "not watched"

    def _begin(self, name: str, made: Prepared | None) -> None:
        settings, camera = self.settings, self.settings.cameras[name]
        if made is None:
            enrolled = EnrolWatch(name, camera, settings, self._engine)
            self._metrics.enrolling(
                name,
                wanted=enrolled.wanted,
                seen=lambda: enrolled.seen,
                is_learning=lambda: enrolled.is_learning,
            )
            self._enrolled[name] = enrolled
            enrolled.start()
            return
        ring = PacketRing(camera.seconds_before + KEY_FRAMES)
        recorder = Recorder(
            name,
            camera,
            self._store,
            EventFiles(name, self._clips, self._scratch, blurring_of(name, made.detector, settings)),
            ring,
            channels=settings.channels_of(name),
            longest=made.budget.rules.longest,
            wake=self._telling.wake,
        )
        self._files[name] = made.files
        self._watches[name] = CameraWatch(
            name,
            parse_address(camera.url.get_secret_value()),
            made.detector,
            made.budget,
            made.threshold,
            transport=camera.transport,
            loop=camera.loop,
            schedule=camera.schedule,
            ring=ring,
            recorder=recorder,
            health=health_of(name, made.reference, settings, self._store),
            reservoir=reservoir_of(camera, made.budget, settings),
            metrics=self._metrics.of(name),
            is_gone=GONE in self._store.open_problems(name),
            on_state=self._telling.state,
        )
        self._watches[name].start()
        log.info("%s: watching", name)

    def _end(self, name: str) -> None:
        self._waiting.pop(name, None)
        if name in self._watches:
            self._watches.pop(name).close()
            del self._files[name]
        if name in self._enrolled:
            self._enrolled.pop(name).close()
            self._metrics.enrolled(name)

    def _told_otherwise(self, before: Told) -> None:
        """Others are told of other cameras than before, or in other topics."""
        self._removals += removals(before, self.settings)
        self._unannounced = told_by(self.settings)
        self._record_at = 0.0
        self._record_changes()

    def _record_changes(self) -> None:
        """Ends the problems of cameras that were removed, and has channels forget them; never raises."""
        if time.monotonic() < self._record_at:
            return
        try:
            while self._removals:
                removal = self._removals[0]
                if not (removal.is_gone and removal.camera in self.settings.cameras):  # it is not back
                    self._store.remove(removal, time.time())
                del self._removals[0]
                self._telling.wake()
            if self._unannounced:
                self._store.announce(self._unannounced)
                self._unannounced = {}
        except SQLAlchemyError as error:
            what = f"{self._removals[0].camera}: not removed" if self._removals else "channels: not recorded"
            reason = mask(str(error)).splitlines()[0]
            log.error("%s yet, again in %.0f s: %s", what, AGAIN_AFTER, reason)
            self._record_at = time.monotonic() + AGAIN_AFTER

    def _take_up(self, name: str) -> None:
        """Goes on with the model that is there now, or as before if it is not whole."""
        try:
            made = prepare(name, self.settings.cameras[name], self._engine)
        except LatentwatchError as error:
            log.error("%s; it goes on as before", error)
            return
        if name in self._watches:
            self._end(name)
            log.info("%s: goes on with the model that was put in place", name)
        self._try_to_begin(name, made)

    def _try_to_begin(self, name: str, made: Prepared | None) -> None:
        try:
            self._begin(name, made)
        except (LatentwatchError, SQLAlchemyError) as error:
            reason = mask(str(error)).splitlines()[0]
            log.error("%s: not watched, again in %.0f s: %s", name, AGAIN_AFTER, reason)
            self._waiting[name] = time.monotonic() + AGAIN_AFTER, made

    def _read(self, name: str) -> bytes | None:
        try:
            return self._clips.read(name)
        except OSError:
            return None


def prepare_all(settings: Settings, engine: Choice, names: list[str]) -> dict[str, Prepared]:
    """Those of the cameras that have a model; the others are to be enrolled. Raises as `prepare`."""
    cameras = {name: settings.cameras[name] for name in names}
    prepared = {
        name: prepare(name, camera, engine)
        for name, camera in cameras.items()
        if not camera.enrol or camera.model.is_file()
    }
    if settings.privacy is not None:
        read_keys(settings.privacy.keys)  # what is wrong with them is told before anything is opened
    return prepared


def _recipe(settings: Settings, name: str) -> Any:
    """All that a camera is watched by; it begins anew where that changes."""
    if name not in settings.cameras:
        return None
    keys = settings.privacy.keys if settings.privacy and settings.blurs(name) else None
    room = settings.keep.footage_gigabytes
    return settings.cameras[name], settings.channels_of(name), keys, room


def _told(settings: Settings) -> Any:
    """All that channels are opened by."""
    return settings.notify, {name: settings.channels_of(name) for name in settings.cameras}
