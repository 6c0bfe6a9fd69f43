"""Looks at what the program has kept, with none of its own code: SQLite's tables, files, clips."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
from av.error import FFmpegError

STORE_MARK = "latentwatch-store"


@dataclass(frozen=True)
class Kept:
    """An event in the store; clip and snapshot are paths of files, None where it has none."""

    id: str
    camera: str
    state: str
    clip: Path | None
    snapshot: Path | None


def kept_events(data: Path) -> dict[str, Kept]:
    """All events in the store, by id."""

    def path(name: Any) -> Path | None:
        return None if name is None else data / "clips" / str(name)

    return {
        row[0]: Kept(row[0], row[1], row[2], path(row[3]), path(row[4]))
        for row in _read(data, "SELECT id, camera, state, clip, snapshot FROM event")
    }


def waiting_messages(data: Path) -> int:
    """How many messages have not been delivered."""
    return len(_read(data, "SELECT id FROM message WHERE delivered IS NULL"))


def _read(data: Path, query: str) -> list[Any]:
    if not (data / "events.db").is_file():
        return []
    with closing(sqlite3.connect(f"file:{data / 'events.db'}?mode=ro", uri=True)) as database:
        try:
            return database.execute(query).fetchall()
        except sqlite3.OperationalError as error:
            if "no such table" in str(error):  # killed before its tables were made
                return []
            raise


def lost(announced: Iterable[str], data: Path) -> set[str]:
    """Ids of announced events that the store does not have."""
    return set(announced) - set(kept_events(data))


def orphans(data: Path) -> list[Path]:
    """Files of clips and snapshots that no event names, and unfinished ones. Call it when nothing runs."""
    named = {file for each in kept_events(data).values() for file in (each.clip, each.snapshot) if file}
    found = [file for file in (data / "clips").rglob("*") if file.is_file() and file.name != STORE_MARK]
    unfinished = list((data / "unfinished").iterdir()) if (data / "unfinished").is_dir() else []
    return [file for file in found if file not in named] + unfinished


def missing(data: Path) -> list[Path]:
    """Files that an event names and that are not there."""
    named = [file for each in kept_events(data).values() for file in (each.clip, each.snapshot) if file]
    return [file for file in named if not file.is_file()]


def playable(clip: Path | None) -> bool:
    """Whether a clip is there and can be decoded to its end."""
    if clip is None or not clip.is_file():
        return False
    try:
        with av.open(str(clip)) as opened:
            return sum(1 for _ in opened.decode(video=0)) > 0
    except (OSError, FFmpegError):
        return False
