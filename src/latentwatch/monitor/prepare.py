"""What a camera needs before it can be watched: its model on an engine, its budget, how it looks."""

import logging
import time
from dataclasses import dataclass

from latentwatch.bundle.bundle import load_bundle
from latentwatch.engines.choose import open_engine
from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.background import Background
from latentwatch.monitor.budget import Budget, load_budget
from latentwatch.monitor.calibrate import file_sha256, health_file
from latentwatch.monitor.digits import alarms_a_day
from latentwatch.monitor.encryption import read_keys
from latentwatch.monitor.event_files import Blurring
from latentwatch.monitor.health import HealthMonitor
from latentwatch.monitor.health_reference import HealthReference, load_health
from latentwatch.monitor.learner import seconds_between_runs
from latentwatch.monitor.model import GONE
from latentwatch.monitor.model_files import ModelFiles
from latentwatch.monitor.reservoir import Reservoir
from latentwatch.monitor.settings import Camera, Settings
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.versions import settle
from latentwatch.monitor.zones import kept_places
from latentwatch.scoring.camera import detector_of
from latentwatch.scoring.detector import Detector

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """A camera that can be watched. threshold: the level that its budget allows. files: as they were read."""

    detector: Detector
    budget: Budget
    threshold: float
    reference: HealthReference | None
    files: ModelFiles


def prepare(name: str, camera: Camera, engine: Choice) -> Prepared:
    """Reads and checks a camera's files. Raises `LatentwatchError`, naming the camera, for what is wrong."""
    try:
        settle(camera.model)
        files = ModelFiles(camera.model)  # before they are read: a change meanwhile is noticed later
        model, info = load_bundle(camera.model)
        budget = load_budget(camera.model, file_sha256(camera.model))
        health = health_file(camera.model)
        reference = load_health(health) if health.is_file() else None
        opened = open_engine(model, engine)
    except LatentwatchError as error:
        raise type(error)(f"camera {name}: {error}") from error
    except OSError as error:
        raise LatentwatchError(f"camera {name}: {camera.model}: {error.strerror}") from error
    if budget.ignore != [[tuple(corner) for corner in polygon] for polygon in camera.ignore]:
        raise UsageError(
            f"camera {name}: the budget of {camera.model.name} was made with other zones to ignore; "
            "run 'latentwatch calibrate' with the same ones (--ignore)"
        )
    threshold = budget.tail.threshold(camera.false_alarms_per_day)
    if not threshold > budget.tail.typical:
        raise LatentwatchError(
            f"camera {name}: {alarms_a_day(camera.false_alarms_per_day)} is more than normal footage can "
            "give; ask for fewer"
        )
    chosen = str(opened)  # a log that keeps its records would keep the engine itself
    if budget.engine != chosen:
        log.warning(
            "%s: calibrated on %s, watched on %s; scores may differ a little", name, budget.engine, chosen
        )
    log.info("%s: threshold %.4g for %s", name, threshold, alarms_a_day(camera.false_alarms_per_day))
    kept = kept_places(camera.ignore, model.architecture.code_shape[1:])
    detector = detector_of(model, info, opened, kept=kept)
    return Prepared(detector, budget, threshold, reference, files)


def reservoir_of(camera: Camera, budget: Budget, settings: Settings) -> Reservoir | None:
    """Where footage to learn from is collected; None where the camera does not learn."""
    if camera.learn is None:
        return None
    every = seconds_between_runs(camera)
    return Reservoir(camera.model, budget.fps, every=every, gigabytes=settings.keep.footage_gigabytes / 2)


def blurring_of(name: str, detector: Detector, settings: Settings) -> Blurring | None:
    """How a camera's pictures are blurred; None where they are not. Raises as `read_keys`."""
    if settings.privacy is None or not settings.blurs(name):
        return None
    return Blurring(read_keys(settings.privacy.keys), Background(detector.background))


def health_of(
    name: str, reference: HealthReference | None, settings: Settings, store: EventStore
) -> HealthMonitor | None:
    """Watches a camera's health, from the problems on that are recorded as going on."""
    problems = store.open_problems(name)
    if reference is not None:
        return HealthMonitor(reference, active=problems)
    path = health_file(settings.cameras[name].model)
    log.info("%s: no %s, so the camera's health is not watched", name, path.name)
    for problem in set(problems) - {GONE}:  # nobody would ever see that it is over
        store.end_problem(name, problem, time.time(), settings.channels_of(name))
    return None
