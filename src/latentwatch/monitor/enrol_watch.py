"""Enrols a new camera while others are watched: recorded in a thread, then learned in a process beside."""

import logging
import threading
from pathlib import Path

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.enrol import Enrolment, learn_enrolled, record, recorder_of
from latentwatch.monitor.enrolment import EnrolmentRecorder
from latentwatch.monitor.settings import Camera, Settings
from latentwatch.monitor.side_process import SideProcess
from latentwatch.training.lock import only_one_in
from latentwatch.video.address import mask, parse_address

log = logging.getLogger(__name__)


class EnrolWatch:
    """One camera that has no model yet. It is over when its model is there, or cannot be made."""

    def __init__(self, name: str, camera: Camera, settings: Settings, engine: Choice) -> None:
        self.name = name
        self._camera = camera
        self._enrolment = enrolment_of(camera, settings, engine)
        self._recorder: EnrolmentRecorder | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"enrol {name}", daemon=True)

    def start(self) -> None:
        """Begins to record, or goes on where it was."""
        log.info("%s: no model yet, the camera is enrolled first", self.name)
        self._thread.start()

    @property
    def wanted(self) -> float:
        """Seconds of usable footage to see."""
        return self._enrolment.seconds

    @property
    def seen(self) -> float:
        """Seconds of usable footage seen so far, in earlier runs of the program too."""
        return self._recorder.seconds if self._recorder else 0.0

    @property
    def is_learning(self) -> bool:
        """Whether all is recorded and the model is being made."""
        return self._recorder is not None and self._recorder.is_done and not self.is_over

    @property
    def is_over(self) -> bool:
        """Whether nothing more is being done."""
        return not self._thread.is_alive()

    @property
    def has_model(self) -> bool:
        """Whether the model is there, so that the camera can be watched."""
        return self.is_over and self._camera.model.is_file()

    @property
    def is_live(self) -> bool:
        """Whether there may be more to see: a film ends."""
        return parse_address(self._camera.url.get_secret_value()).is_live

    def close(self) -> None:
        """Stops; the next start goes on."""
        self._stop.set()
        self._thread.join(60)

    def _run(self) -> None:
        try:
            self._recorder = recorder = recorder_of(self._camera.model, self._enrolment)
            with only_one_in(recorder.footage.folder):
                address = parse_address(self._camera.url.get_secret_value())
                record(address, recorder, self._stop, self._say, self._enrolment)
                if not self._stop.is_set():
                    self._learn()
        except LatentwatchError as error:
            log.error("%s: %s", self.name, mask(str(error)))
        except Exception:  # one camera must not end the others
            log.exception("%s: enrolment stopped by a fault of the program", self.name)

    def _learn(self) -> None:
        work = SideProcess(
            f"{self.name}: enrolment", _learn_beside, self.name, self._camera.model, self._enrolment
        )
        while not work.is_over and not self._stop.wait(0.5):
            pass
        if not work.is_over:
            work.stop()

    def _say(self, line: str) -> None:
        log.info("%s: enrolment: %s", self.name, line)


def enrolment_of(camera: Camera, settings: Settings, engine: Choice) -> Enrolment:
    """How a camera of the settings is enrolled."""
    return Enrolment(
        seconds=camera.enrol or 0.0,
        gigabytes=settings.keep.footage_gigabytes / 2,
        per_day=camera.false_alarms_per_day,
        ignore=camera.ignore,
        engine=engine,
        transport=camera.transport,
        loop=camera.loop,
    )


def _learn_beside(name: str, model: Path, enrolment: Enrolment) -> None:
    learn_enrolled(model, enrolment, lambda line: log.info("%s: enrolment: %s", name, line))
