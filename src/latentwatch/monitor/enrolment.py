"""Records of a new camera what training and calibration need: short runs, spread over the whole enrolment.

Three runs of four are learned from; every fourth is held out, and calibrates, so that it shows every hour
that was seen and not only the last ones. While there is room every run is kept; when there is none, every
second one goes, and from then on only every second one is recorded. So the runs are spread evenly however
long it takes, within a disk limit.
"""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.footage import HELD_OUT_EVERY, Footage, Part, RunWriter, footage_folder
from latentwatch.monitor.health_reference import INTERVAL
from latentwatch.monitor.picture_measures import Grey, small_grey
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize
from latentwatch.whole_file import whole_file

TRAIN_RUNS = 100
"""Most runs to learn from: some half an hour. More would take longer to train on than they are worth."""

BLACK, WHITE, STILL_AFTER = 25.0, 250.0, 60.0
"""A picture is not recorded where 99% of it is darker, or half of it brighter, than these grey levels, or
where nothing at all has changed for so many seconds: a frozen camera. More cannot be told of a new camera."""

MEASURED_OVER = 5.0
"""Seconds over which a camera's frame rate is measured before anything is recorded."""


class Progress(BaseModel):
    """How far an enrolment has come; a file in the footage's folder.

    size: `(height, width)` of the frames. fps: frames a second; None until it is known. seconds: of usable
    footage seen. every: of each part, one of so many runs is recorded.
    """

    model_config = ConfigDict(extra="forbid")

    size: tuple[int, int]
    fps: float | None = None
    seconds: float = 0.0
    every: dict[Part, int] = {"train": 1, "held-out": 1}


class EnrolmentRecorder:
    """Keeps runs of a camera's frames until `seconds` of usable footage were seen; goes on where it stopped.

    model: the file that will be made; the footage lies beside it. size: `(height, width)` of the model's
    input. fps: frames a second that are wanted; a slower camera keeps its own rate. gigabytes: the most that
    the runs may take on the disk. Raises `UsageError` where an enrolment with another size was begun.
    """

    def __init__(
        self, model: Path, size: tuple[int, int], *, seconds: float, fps: float, gigabytes: float
    ) -> None:
        self.model, self.wanted_fps, self.wanted = model, fps, seconds
        self.footage = enrolled_footage(model)
        self._limit = gigabytes * 1e9 / 2
        self._file = self.footage.folder / "enrolment.json"
        self._progress = self._begun() or Progress(size=size)
        if self._progress.size != size:
            height, width = self._progress.size
            raise UsageError(
                f"{self.footage.folder}: enrolment was begun with frames of {height}x{width}; "
                "give that size again, or remove the folder to begin anew"
            )
        self._times: list[float] = []
        self._check = _PictureCheck()
        self._writer: RunWriter | None = None
        self._slot = -1

    @property
    def seconds(self) -> float:
        """Seconds of usable footage seen so far."""
        return self._progress.seconds

    @property
    def is_done(self) -> bool:
        """Whether enough was seen."""
        return self.seconds >= self.wanted

    def start_over(self) -> None:
        """Forgets all that was seen, and removes what was kept of it."""
        self.footage.clear()
        self._file.unlink(missing_ok=True)
        self._progress = Progress(size=self._progress.size)

    def look(self, frame: Frame) -> None:
        """Takes the next frame, at the camera's own size. Raises `LatentwatchError` for a full disk."""
        if not self._check.is_usable(frame):
            self.pause()
            return
        fps = self._progress.fps or self._measured(frame)
        if fps is None:
            return
        self._writer = self._writer or RunWriter(self.footage, fps)
        self._progress.seconds += 1 / fps
        slot = (round(self.seconds * fps) - 1) // self._writer.length  # whole frames: seconds would drift
        part, turn = _part_of(slot)
        begins = slot != self._slot
        self._slot = slot
        if begins:
            self._save()
        if self._writer.is_open or (begins and turn % self._progress.every[part] == 0):
            small = Frame(frame.index, frame.time, resize(frame.rgb, self._progress.size))
            if self._writer.add(small, part):
                self._bound(part)

    def pause(self) -> None:
        """The stream stops, or shows nothing: the run that was going on is given up."""
        if self._writer is not None:
            self._writer.discard()

    def close(self) -> None:
        """Keeps what there is, to go on another time."""
        self.pause()
        if self._progress.fps is not None:
            self._save()

    def _measured(self, frame: Frame) -> float | None:
        """The frame rate: what was wanted, or the camera's own where that is clearly less."""
        self._times.append(frame.time)
        spent = self._times[-1] - self._times[0]
        if spent < MEASURED_OVER:
            return None
        measured = (len(self._times) - 1) / spent
        slower = measured < 0.9 * self.wanted_fps
        self._progress.fps = round(measured, 1) if slower else self.wanted_fps
        return self._progress.fps

    def _bound(self, part: Part) -> None:
        footage, every = self.footage, self._progress.every
        while (part == "train" and len(footage.runs(part)) > TRAIN_RUNS) or footage.bytes(part) > self._limit:
            footage.thin(part)
            every[part] *= 2
        self._save()

    def _begun(self) -> Progress | None:
        if not self._file.is_file():
            return None
        try:
            return Progress.model_validate_json(self._file.read_text())
        except (ValidationError, UnicodeDecodeError) as error:
            raise LatentwatchError(
                f"{self._file}: damaged; remove {self.footage.folder} to begin anew"
            ) from error

    def _save(self) -> None:
        try:
            with whole_file(self._file) as part:
                part.write_text(json.dumps(self._progress.model_dump()) + "\n")
        except OSError as error:
            raise LatentwatchError(f"{self._file}: cannot be written: {error.strerror}") from error


def _part_of(slot: int) -> tuple[Part, int]:
    """The part that the run number `slot` belongs to, and which of that part's runs it is."""
    rounds, place = divmod(slot, HELD_OUT_EVERY)
    if place == HELD_OUT_EVERY - 1:
        return "held-out", rounds
    return "train", rounds * (HELD_OUT_EVERY - 1) + place


def enrolled_footage(model: Path) -> Footage:
    """What was recorded while the camera was enrolled."""
    return Footage(footage_folder(model) / "enrolled")


class _PictureCheck:
    """Whether a picture of a camera of which nothing is known yet shows anything."""

    def __init__(self) -> None:
        self._before: Grey | None = None
        self._changed = 0.0
        self._due = float("-inf")
        self._usable = False

    def is_usable(self, frame: Frame) -> bool:
        if frame.time < self._due:
            return self._usable
        self._due = frame.time + INTERVAL
        grey = small_grey(frame.rgb)
        if self._before is None or (grey != self._before).any():
            self._changed = frame.time
        self._before = grey
        dark = float(np.percentile(grey, 99)) < BLACK
        white = float((grey >= WHITE).mean()) > 0.5
        self._usable = not dark and not white and frame.time - self._changed < STILL_AFTER
        return self._usable
