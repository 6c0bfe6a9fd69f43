"""Notices that a camera's model, budget or health reference was replaced while the camera is watched."""

from pathlib import Path

from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.calibrate import health_file

Stamp = tuple[tuple[int, int, int] | None, ...]


class ModelFiles:
    """The files of one model as they were when they were last taken up."""

    def __init__(self, model: Path) -> None:
        self._model = model
        self._used = self._last = self._stamp()

    def are_new(self) -> bool:
        """Whether they were replaced, and have not changed any more since the last call; says so once.

        Three files are not replaced at one moment: the first change may not be the last.
        """
        now = self._stamp()
        settled, self._last = now == self._last, now
        if not settled or now == self._used:
            return False
        self._used = now
        return True

    def _stamp(self) -> Stamp:
        files = (self._model, budget_file(self._model), health_file(self._model))
        return tuple(_stamp_of(path) for path in files)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
