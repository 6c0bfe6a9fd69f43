"""What goes wrong in front of, beside and below a running program; each function returns once it is over."""

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from latentwatch.experiments.live.stand import Stand

HOUR = 3600.0

FULL_SECONDS = 40.0


@dataclass(frozen=True)
class Disturbance:
    """One kind of fault.

    make: does it and undoes it. times: how often. note: what the program must have said of it in its log.
    only_live: recovered is who shows live pictures, not who tells of the next event.
    """

    name: str
    make: Callable[[Stand], None]
    times: int = 1
    note: str = ""
    only_live: bool = False


def restart_server(stand: Stand) -> None:
    """The server is killed, and comes back a second later."""
    stand.server.kill()
    time.sleep(1)
    stand.server.start()


def tell_server(command: str, seconds: float) -> Callable[[Stand], None]:
    """The server does something else for a while."""

    def make(stand: Stand) -> None:
        stand.server.tell(command)
        time.sleep(seconds)
        stand.server.tell("resume")

    return make


def other_size(small: Path, usual: Path, seconds: float) -> Callable[[Stand], None]:
    """The first camera sends smaller pictures for a while. small, usual: files of its films."""

    def make(stand: Stand) -> None:
        stand.server.tell(f"film {stand.cameras[0]} {small}")
        time.sleep(seconds)
        stand.server.tell(f"film {stand.cameras[0]} {usual}")

    return make


def broker_away(seconds: float) -> Callable[[Stand], None]:
    """The broker is stopped, and forgets what it had retained."""

    def make(stand: Stand) -> None:
        stand.broker.stop()
        time.sleep(seconds)
        stand.broker.start()

    return make


def lock_database(seconds: float) -> Callable[[Stand], None]:
    """Another program holds the database's lock for writing."""

    def make(stand: Stand) -> None:
        database = sqlite3.connect(stand.data / "events.db", timeout=60, isolation_level=None)
        with closing(database):
            database.execute("BEGIN IMMEDIATE")
            time.sleep(seconds)
            database.execute("ROLLBACK")

    return make


def fill_disk(stand: Stand) -> None:
    """Another program takes all that is left of the file system."""
    file = stand.data / "full"
    try:
        with file.open("wb", buffering=0) as out:
            while True:
                try:
                    out.write(bytes(65536))
                except OSError:
                    break
        time.sleep(FULL_SECONDS)
    finally:
        file.unlink(missing_ok=True)


def set_clock_back(clock: Path) -> Callable[[Stand], None]:
    """The day's clock is set back by an hour while messages wait for the broker.

    clock: the file that libfaketime reads.
    """

    def make(stand: Stand) -> None:
        stand.broker.stop()
        time.sleep(20)
        clock.write_text(f"-{HOUR:.0f}\n")
        stand.broker.start()

    return make
