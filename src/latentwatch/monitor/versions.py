"""The versions of one camera's model, each with its budget and its health reference; adoption and rollback.

A version is a folder `0001`, `0002` and so on beside the model, which appears whole or not at all. Three
files cannot be replaced at one moment. So an adoption first notes which version it is putting in place, and
removes the note when it has: whoever comes after a crash finishes it (`settle`).
"""

import json
import os
import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.calibrate import file_sha256, health_file
from latentwatch.training.lock import only_one_in
from latentwatch.whole_file import whole_file

KEPT = 10
"""Versions that are kept, the newest ones and the one in use."""

_NOTE = "adopting"

_TOLD = "version.json"


@dataclass(frozen=True)
class Version:
    """One version. made: when, ISO 8601 in UTC. about: where it comes from, in words.

    Both are "unknown" where the file that says so is damaged.
    """

    number: int
    model: Path
    made: str
    about: str


def versions_folder(model: Path) -> Path:
    """Where a model's versions lie: beside it."""
    return model.with_name(model.name + ".versions")


def versions_of(model: Path) -> list[Version]:
    """All versions that are kept, oldest first."""
    found = []
    for folder in sorted(versions_folder(model).glob("[0-9]*")):
        if re.fullmatch(r"\d+", folder.name):
            found.append(Version(int(folder.name), folder / model.name, *_told(folder)))
    return found


def _told(folder: Path) -> tuple[str, str]:
    """When a version was made and where it comes from. The model itself is verified when it is loaded."""
    try:
        told = json.loads((folder / _TOLD).read_text())
        return str(told["made"]), str(told["about"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown", "unknown"


def in_use(model: Path) -> int | None:
    """The number of the version that is in use; None where the model in use was never kept as one."""
    if not model.is_file():
        return None
    wanted = file_sha256(model)
    return next((each.number for each in versions_of(model)[::-1] if file_sha256(each.model) == wanted), None)


def keep_version(model: Path, made: Path, about: str) -> int:
    """Keeps the model file `made` with its budget and health as the next version of `model`; its number.

    What `made` has no health reference of its own for is taken from `model`. Raises `LatentwatchError` where
    the disk cannot be written.
    """
    folder = versions_folder(model)
    number = max((each.number for each in versions_of(model)), default=0) + 1
    part = folder / "part"
    health = health_file(made) if health_file(made).is_file() else health_file(model)
    try:
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _put(part / model.name, made.read_bytes())
        _put(budget_file(part / model.name), budget_file(made).read_bytes())
        if health.is_file():
            _put(health_file(part / model.name), health.read_bytes())
        told = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "about": about}
        _put(part / _TOLD, json.dumps(told).encode())
        part.rename(folder / f"{number:04}")
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot be written: {error.strerror}") from error
    return number


def adopt(model: Path, number: int) -> None:
    """Puts a version in the place of `model`, its budget and its health.

    Raises `UsageError` where there is no such version, `LatentwatchError` where the disk cannot be written.
    """
    folder = versions_folder(model)
    known = [each.number for each in versions_of(model)]
    if number not in known:
        shown = ", ".join(map(str, known)) or "none"
        raise UsageError(f"{model}: there is no version {number}; kept are {shown}")
    note = folder / _NOTE
    try:
        _put(note, str(number).encode())
        settle(model)
        for old in known[:-KEPT]:
            if old != number:
                shutil.rmtree(folder / f"{old:04}")
    except OSError as error:
        raise LatentwatchError(f"{folder}: cannot be written: {error.strerror}") from error


def settle(model: Path) -> None:
    """Finishes an adoption that was cut off, if there is one. Raises `OSError`."""
    note = versions_folder(model) / _NOTE
    if not note.is_file():
        return
    number = note.read_text()
    if not number.isdecimal():  # the power failed before it was on the disk, and so before anything else was
        note.unlink()
        return
    source = versions_folder(model) / f"{int(number):04}" / model.name
    # The model last: whoever sees it change finds the other two in place.
    for made in (budget_file, health_file, lambda path: path):
        if made(source).is_file():
            _put(made(model), made(source).read_bytes())
    note.unlink()


def roll_back(model: Path, number: int | None = None) -> int:
    """Goes back to a version, by default the one before that in use; gives its number.

    Raises as `adopt` does, and `UsageError` where the model is learning in another process.
    """
    if not versions_of(model):  # the lock would make a folder for them
        raise UsageError(f"{model}: no versions are kept to go back to")
    with only_one_in(versions_folder(model)):
        now = in_use(model)
        if number is None:
            before = [each.number for each in versions_of(model) if now is None or each.number < now]
            if not before:
                raise UsageError(f"{model}: no version before the one in use is kept")
            number = before[-1]
        adopt(model, number)
    return number


def _put(path: Path, data: bytes) -> None:
    with whole_file(path) as part, part.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # else a power cut may leave the name without the contents
