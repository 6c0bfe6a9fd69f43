"""Notices that a camera's model, budget or health reference was replaced while the camera is watched."""

from pathlib import Path

from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.calibrate import file_sha256, health_file

Stamp = tuple[tuple[int, int, int] | None, ...]


class ModelFiles:
    """The files of one model as they were when they were last taken up."""

    def __init__(self, model: Path) -> None:
        self._paths = (model, budget_file(model), health_file(model))
        self._seen = self._last = self._stamp()
        self._used = self._contents()

    def are_new(self) -> bool:
        """Whether other contents are there, which no longer change since the last call; says so once.

        Three files are not replaced at one moment: the first change may not be the last.
        """
        now = self._stamp()
        settled, self._last = now == self._last, now
        if not settled or now == self._seen:
            return False
        self._seen = now
        contents = self._contents()
        if contents == self._used:  # copied over, or touched
            return False
        self._used = contents
        return True

    def _stamp(self) -> Stamp:
        return tuple(_stamp_of(path) for path in self._paths)

    def _contents(self) -> tuple[str | None, ...]:
        return tuple(_sha256_of(path) for path in self._paths)


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _sha256_of(path: Path) -> str | None:
    try:
        return file_sha256(path)
    except OSError:
        return None
