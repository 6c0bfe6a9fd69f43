"""A new camera: recorded for some time, then learned, calibrated, and ready to be watched."""

import shutil
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from latentwatch.engines.names import Choice
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.models.presets import Architecture, preset
from latentwatch.monitor.calibrate import calibrate_camera
from latentwatch.monitor.camera_source import CameraSource
from latentwatch.monitor.duration import shown
from latentwatch.monitor.enrolment import EnrolmentRecorder, enrolled_footage
from latentwatch.monitor.footage import PARTS, footage_folder
from latentwatch.monitor.versions import adopt, keep_version, settle
from latentwatch.monitor.zones import Polygons
from latentwatch.training.camera import learn_camera
from latentwatch.training.lock import only_one_in
from latentwatch.training.same_run import can_go_on
from latentwatch.training.settings import FORMS, TrainingSettings
from latentwatch.video.address import Address, Transport
from latentwatch.video.live import LiveReader

LITTLE = 1800.0
"""Seconds of footage below which a budget is mostly refused."""

SAY_EVERY, SAY_SHARE = 10.0, 0.01
"""Progress is told after so many seconds at the earliest, and each time so much of the whole was seen."""


@dataclass(frozen=True)
class Enrolment:
    """How a camera is enrolled.

    seconds: usable footage to see. fps: frames a second. gigabytes: the most that footage may take on the
    disk. per_day: false alarms a day that are allowed; ignore: polygons whose errors do not count. engine:
    what scores for the calibration. transport: how RTSP brings the pictures. loop: whether a file is watched
    over and over; it is enrolled once all the same, see `record`.
    """

    seconds: float
    architecture: Architecture = field(default_factory=lambda: preset("ped2"))
    training: TrainingSettings = FORMS["joint"]
    fps: float = 10.0
    gigabytes: float = 2.0
    per_day: float = 1.0
    ignore: Polygons = ()
    engine: Choice = "auto"
    transport: Transport = "tcp"
    loop: bool = False


def enrol_camera(
    address: Address, model: Path, enrolment: Enrolment, say: Callable[[str], None] = print
) -> None:
    """Records the camera, learns it and writes `model` with its budget and health; goes on where it stopped.

    Raises `StoppedError` on Ctrl-C, `UsageError` where the model is there already or another process enrols
    it, else as `record` and `learn_enrolled` do.
    """
    if model.is_file():
        raise UsageError(
            f"{model}: is there already; give another --output, or remove it and {footage_folder(model).name}"
        )
    try:
        recorder = recorder_of(model, enrolment)
        with only_one_in(recorder.footage.folder):
            record(address, recorder, threading.Event(), say, enrolment)
            learn_enrolled(model, enrolment, say)
    except (KeyboardInterrupt, StoppedError) as error:
        raise StoppedError("stopped; the same command goes on where it was") from error


def recorder_of(model: Path, enrolment: Enrolment) -> EnrolmentRecorder:
    """What records this enrolment. Raises as `EnrolmentRecorder` does."""
    return EnrolmentRecorder(
        model,
        enrolment.architecture.size,
        seconds=enrolment.seconds,
        fps=enrolment.fps,
        gigabytes=enrolment.gigabytes,
    )


def record(
    address: Address,
    recorder: EnrolmentRecorder,
    stop: threading.Event,
    say: Callable[[str], None],
    enrolment: Enrolment,
) -> None:
    """Records until enough was seen, or until `stop` is set.

    A camera that is lost is waited for. A file is played once, from its beginning each time that it is tried:
    over and over, what is held out would be what was learned from, and the budget would promise what it
    promises of footage learned by heart.
    Raises `LatentwatchError` where a file ends too soon, or the disk is full.
    """
    if recorder.is_done:
        return
    if not address.is_live and recorder.seconds:
        say(f"{address}: is recorded from its beginning again")
        recorder.start_over()
    if recorder.wanted < LITTLE:
        say(
            f"{shown(recorder.wanted)} are little: a quarter of it is held out to fit the budget, which "
            f"mostly takes {shown(LITTLE)} or more in all"
        )
    loops = enrolment.loop and not address.is_live
    if loops:
        say(f"{address} is played once: 'loop' holds when it is watched, not while it is enrolled")
    shutil.rmtree(_run_folder(recorder.model), ignore_errors=True)  # what was learned from less footage
    opened: list[CameraSource] = []

    def source() -> CameraSource:
        opened.append(CameraSource(address, transport=enrolment.transport))
        return opened[-1]

    reader = LiveReader(source, fps=recorder.wanted_fps)
    reader.start()
    told = _Told(recorder, say)
    try:
        while not recorder.is_done and not stop.is_set():
            arrival = reader.take(0.5)
            if arrival is not None:
                recorder.look(arrival.frame)
            elif reader.ended:
                why = "; more rounds of it show nothing new" if loops else ""
                raise LatentwatchError(
                    f"{address}: ended after {shown(recorder.seconds)} of {shown(recorder.wanted)}; "
                    f"give more footage, or a shorter time{why}"
                )
            told.now()
    finally:
        reader.stop()
        for each in opened:
            each.close()
        reader.close()
        recorder.close()
    if recorder.is_done:
        say(f"recorded {shown(recorder.seconds)}")


def learn_enrolled(model: Path, enrolment: Enrolment, say: Callable[[str], None] = print) -> None:
    """Trains on what was recorded, calibrates on what was held out, and puts the model in its place.

    Goes on where it was stopped. The training's own files are removed at the end, the footage is kept. Raises
    as `learn_camera` and `calibrate_camera` do.
    """
    settle(model)
    footage = enrolled_footage(model)
    folder = _run_folder(model)
    made = folder / model.name
    for part in PARTS:
        if not footage.runs(part):
            raise LatentwatchError(f"{footage.folder / part}: nothing was recorded yet; enrol for longer")
    if not made.is_file():
        learn_camera(
            footage.clips("train"),
            made,
            enrolment.architecture,
            enrolment.training,
            folder=folder,
            resume=can_go_on(folder, enrolment.architecture, enrolment.training),
            say=say,
        )
    try:
        promise = calibrate_camera(
            made,
            footage.clips("held-out"),
            enrolment.per_day,
            ignore=enrolment.ignore,
            engine=enrolment.engine,
            say=say,
        )
    except LatentwatchError as error:
        raise LatentwatchError(
            f"{model}: {error}; of an enrolment a quarter calibrates: enrol for longer, which goes on with "
            "what is recorded"
        ) from error
    say(str(promise))
    number = keep_version(model, made, f"enrolled: {shown(enrolment.seconds)}")
    adopt(model, number)
    shutil.rmtree(folder)


def _run_folder(model: Path) -> Path:
    return model.with_name(model.name + ".run")


class _Told:
    """Says how far the recording is, and when it will be done."""

    def __init__(self, recorder: EnrolmentRecorder, say: Callable[[str], None]) -> None:
        self._recorder, self._say = recorder, say
        self._began, self._first = time.monotonic(), recorder.seconds
        self._next_time = self._began + SAY_EVERY
        self._next_share = recorder.seconds / recorder.wanted + SAY_SHARE

    def now(self) -> None:
        now, seen = time.monotonic(), self._recorder.seconds
        share = seen / self._recorder.wanted
        if now < self._next_time or share < self._next_share:
            return
        self._next_time, self._next_share = now + SAY_EVERY, share + SAY_SHARE
        footage = self._recorder.footage
        left = (now - self._began) / (seen - self._first) * (self._recorder.wanted - seen)
        self._say(
            f"recorded {shown(seen)} of {shown(self._recorder.wanted)}, "
            f"{(footage.bytes('train') + footage.bytes('held-out')) / 1e6:.0f} MB kept, "
            f"about {shown(left)} left"
        )
