"""Normal footage of one camera that is kept to learn from: short runs of small frames on the disk.

A run is a lossless video of consecutive frames at the model's size and rate, in one of two folders: `train`,
and `held-out` for what no model ever learns from. What is kept is what lies there, and a run is there whole
or not at all, so that nothing is lost but the newest run wherever the program dies.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from av.error import FFmpegError

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError
from latentwatch.video.frame import Frame
from latentwatch.video.writer import VideoWriter

Part = Literal["train", "held-out"]

PARTS: tuple[Part, Part] = ("train", "held-out")

HELD_OUT_EVERY = 4
"""One run of so many is held out, of an enrolment and of the reservoir."""

RUN_SECONDS = 20.0
"""Length of a run: long enough that what the first frames lack of a score is little of it."""

PAUSE = 1.0
"""Seconds between two frames after which they do not follow each other."""

_SUFFIX = ".mkv"


def footage_folder(model: Path) -> Path:
    """Where a camera's footage lies: beside its model."""
    return model.with_name(model.name + ".footage")


class Footage:
    """The runs in one folder; each process sees what the others have put there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, name: str, part: Part) -> Path:
        """Where the run called `name` lies in a part."""
        return self.folder / part / f"{name}{_SUFFIX}"

    def runs(self, part: Part) -> list[Path]:
        """The runs of a part, oldest first."""
        return sorted(path for path in (self.folder / part).glob(f"*{_SUFFIX}") if ".part" not in path.name)

    def clips(self, part: Part) -> list[Clip]:
        """The runs of a part as clips, oldest first."""
        return [Clip(path.stem, path) for path in self.runs(part)]

    def bytes(self, part: Part) -> int:
        """What the runs of a part take on the disk."""
        return sum(_size(path) for path in self.runs(part))

    def thin(self, part: Part) -> None:
        """Removes every second run."""
        for path in self.runs(part)[1::2]:
            path.unlink(missing_ok=True)

    def clear(self) -> None:
        """Removes all runs."""
        for part in PARTS:
            for path in self.runs(part):
                path.unlink(missing_ok=True)

    def forget(self, days: float) -> int:
        """Removes the runs that are older than so many days, and what a crash has left; returns how many."""
        now = time.time()
        old = [path for part in PARTS for path in self.runs(part) if written(path) < now - days * 86400]
        for left in self.folder.glob(f"*/*.part{_SUFFIX}"):
            if written(left) < now - 3600:
                left.unlink(missing_ok=True)
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


class RunWriter:
    """Writes the run that is going on, frame by frame; `seconds` long at `fps` frames a second."""

    def __init__(self, footage: Footage, fps: float, seconds: float = RUN_SECONDS) -> None:
        self._footage, self._fps = footage, fps
        self.length = max(round(fps * seconds), 1)
        self.path: Path | None = None
        """Of the run that is going on, or the last one."""
        self._writer: VideoWriter | None = None
        self._count = 0
        self._last = float("-inf")

    @property
    def is_open(self) -> bool:
        """Whether a run is going on."""
        return self._writer is not None

    def add(self, frame: Frame, part: Part) -> bool:
        """Takes the next frame, already small; says whether it completes a run.

        part: where a run that begins now goes. A frame that does not follow the last one begins a new run in
        the place of the one that was going on. Raises `LatentwatchError` where the disk cannot be written.
        """
        if frame.time - self._last > PAUSE:
            self.discard()
        self._last = frame.time
        try:
            if self._writer is None:
                self.path = self._footage.path(run_name(), part)
                self._writer, self._count = open_run(self.path, self._fps), 0
            self._writer.write(frame.rgb)
            self._count += 1
            if self._count < self.length:
                return False
            self._writer.close()
        except (OSError, FFmpegError) as error:
            self.discard()
            raise cannot_write(self._footage.folder, error) from error
        self._writer = None
        return True

    def discard(self) -> None:
        """Gives up the run that is going on."""
        if self._writer is not None:
            self._writer.discard()
        self._writer = None


def run_name() -> str:
    """A name for a run that ends now; names sort by time."""
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")


def open_run(path: Path, fps: float) -> VideoWriter:
    """A file for one run, which is there whole or not at all. Raises `OSError` or `FFmpegError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return VideoWriter(path, fps, lossless=True)


def cannot_write(path: Path, error: Exception) -> LatentwatchError:
    """What to tell of a disk that cannot be written."""
    return LatentwatchError(
        f"{path}: footage cannot be written: {getattr(error, 'strerror', None) or error}; free some space"
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:  # another process has just removed it
        return 0


def written(path: Path) -> float:
    """When a run was written, in seconds since 1970; never, where another process has just removed it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
