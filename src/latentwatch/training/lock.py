"""One training in a folder at a time: two would spoil each other's checkpoints."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from latentwatch.errors import LatentwatchError, UsageError


@contextmanager
def only_one_in(folder: Path) -> Iterator[None]:
    """Holds `folder` for this training; the system lets go of it when the process ends, however it ends.

    Raises `UsageError` where another training holds it, `LatentwatchError` where it cannot be made.
    """
    if "LOCAL_RANK" in os.environ:  # a further process of a training (DDP), whose first one holds the folder
        yield
        return
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise UsageError(f"{folder}: another training is at work there; wait for it to end") from error
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot be written to: {error.strerror}") from error
    try:
        yield
    finally:
        lock.release()
