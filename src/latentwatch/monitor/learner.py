"""What `watch` learns by itself: cameras that are due learn from newer footage, one at a time."""

import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.feedback import take_labels
from latentwatch.monitor.learn import Learning, Verdict, last_verdict, learn_more
from latentwatch.monitor.reservoir import forget_old
from latentwatch.monitor.settings import Camera, Settings
from latentwatch.monitor.side_process import SideProcess
from latentwatch.monitor.store import EventStore
from latentwatch.video.address import mask

log = logging.getLogger(__name__)

LOOK_EVERY = 30.0
"""Seconds between two looks at whether something is due."""

AGAIN_AFTER = 3600.0
"""Seconds before learning is tried again after it failed."""

RUNS_A_TIME = 300
"""Runs that a reservoir is given between two times of learning, about."""


class Learner:
    """Starts learning for the cameras with `learn` in their settings, when they are due."""

    def __init__(self, engine: Choice) -> None:
        self._engine = engine
        self._work: tuple[str, SideProcess] | None = None
        self._not_before: dict[str, float] = {}
        self._due = 0.0

    def tick(self, settings: Settings, store: EventStore) -> None:
        """Call it often; raises nothing. What was adopted is on the disk when it is over."""
        try:
            self._look(settings, store)
        except (LatentwatchError, OSError, SQLAlchemyError) as error:
            log.warning("learning: not now: %s", mask(str(error)).splitlines()[0])

    def close(self) -> None:
        """Stops what goes on; it is taken up another time."""
        if self._work is not None:
            self._work[1].stop()

    def _look(self, settings: Settings, store: EventStore) -> None:
        if self._work is not None and self._work[1].is_over:
            (name, work), self._work = self._work, None
            if not work.is_done:
                self._not_before[name] = time.time() + AGAIN_AFTER
        if time.monotonic() < self._due or self._work is not None:
            return
        self._due = time.monotonic() + LOOK_EVERY
        for name, camera in settings.cameras.items():
            if not camera.model.is_file():
                continue  # it may be enrolling
            forget_old(camera.model, settings.keep.footage_days)
            if camera.learn is None:
                continue
            if time.time() >= max(due_at(camera), self._not_before.get(name, 0.0)):
                take_labels(store, settings)
                log.info("%s: begins to learn from newer footage", name)
                self._work = (
                    name,
                    SideProcess(f"{name}: learning", learn_camera_more, name, camera, self._engine),
                )
                return


def due_at(camera: Camera) -> float:
    """When a camera is to learn next, in seconds since 1970: by the last time, or the age of its model."""
    last = last_verdict(camera.model)
    return (last.when if last else camera.model.stat().st_mtime) + (camera.learn or 0.0)


def seconds_between_runs(camera: Camera) -> float:
    """How far apart the runs are that a camera's reservoir is given."""
    return (camera.learn or 0.0) / RUNS_A_TIME


def learn_camera_more(
    name: str, camera: Camera, engine: Choice, say: Callable[[str], None] | None = None
) -> Verdict:
    """Lets one camera of the settings learn, and says what became of it. Raises as `learn_more` does."""
    tell = say or (lambda line: log.info("%s: %s", name, line))
    learning = Learning(camera.false_alarms_per_day, camera.ignore, engine=engine)
    verdict = learn_more(camera.model, learning, tell)
    tell(str(verdict))
    return verdict
