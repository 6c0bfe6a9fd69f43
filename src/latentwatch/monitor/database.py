"""Opens the event store's database, SQLite or PostgreSQL, and brings its tables to the newest form."""

import logging
import sqlite3
import time
import uuid
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, insert, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError, installing
from latentwatch.monitor.model import Owner
from latentwatch.video.address import mask

BUSY_SECONDS = 15
"""How long a write waits for another writer before it fails."""


def open_database(url: str) -> Engine:
    """An engine whose tables are in the newest form; url and errors as in `database_engine`.

    Raises `LatentwatchError` too, where the database cannot be opened or was written by a newer Latentwatch.
    """
    engine = database_engine(url)
    name = engine.url.render_as_string(hide_password=True)
    try:
        if engine.dialect.name == "sqlite":
            Path(engine.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        with engine.begin() as connection:
            _migrate(connection)
    except OSError as error:
        raise LatentwatchError(
            f"store: {name}: its folder cannot be made: {error.strerror}; give another folder, or this user "
            "the right to write there"
        ) from error
    except DBAPIError as error:
        raise LatentwatchError(f"store: {name}: cannot be opened: {reason(error)}") from error
    return engine


def database_engine(url: str) -> Engine:
    """An engine that has not connected yet.

    url: `sqlite:///PATH` or `postgresql://user:password@host/database`. Raises `UsageError` for another URL,
    `MissingPackageError` without PostgreSQL's driver.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UsageError(
            f"store: {mask(url)}: not a database URL; give sqlite:///PATH or postgresql://…"
        ) from error
    name = parsed.render_as_string(hide_password=True)
    kind = parsed.get_backend_name()
    if kind == "sqlite" and parsed.database:
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _durable)
        return engine
    if kind != "postgresql":
        raise UsageError(f"store: {name}: give sqlite:///PATH or postgresql://user:password@host/database")
    try:
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise MissingPackageError(
            f"store: {name}: PostgreSQL's driver is not installed; {installing('postgresql')}"
        ) from error


def _durable(connection: Any, _record: ConnectionPoolEntry) -> None:
    """SQLite in WAL mode, with commits that outlive a power cut, and foreign keys that hold."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError:
            # Another program is making the new database: for this change of mode SQLite itself does not wait.
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
    for pragma in ("synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    if _form(connection) == scripts.get_current_head():
        return
    # One migration at a time: 'events list' may open a new store at the moment that 'watch' does.
    on_postgresql = connection.dialect.name == "postgresql"
    connection.execute(text("SELECT pg_advisory_xact_lock(5280371)" if on_postgresql else "BEGIN IMMEDIATE"))
    current = _form(connection)
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise LatentwatchError(f"store: written by a newer Latentwatch (form {current}); update this one")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(config, "head")
    if connection.execute(select(Owner.id)).first() is None:
        connection.execute(insert(Owner).values(id=uuid.uuid4().hex))


def _form(connection: Connection) -> str | None:
    """The form that the tables are in; None where there are none."""
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    form: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return form


def reason(error: SQLAlchemyError) -> str:
    """What the database says of it, in a line with no password."""
    return mask(str(getattr(error, "orig", error))).strip().splitlines()[0]
