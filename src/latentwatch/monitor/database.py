"""Opens the event store's database, SQLite or PostgreSQL, and brings its tables to the newest form."""

import logging
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError
from latentwatch.video.address import mask

BUSY_SECONDS = 15
"""How long a write waits for another writer before it fails."""


def open_database(url: str) -> Engine:
    """An engine whose tables are in the newest form.

    url: `sqlite:///PATH` or `postgresql://user:password@host/database`. Raises `UsageError` for another
    URL, `MissingPackageError` without PostgreSQL's driver, and `LatentwatchError` where the database cannot
    be opened or was written by a newer Latentwatch.
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
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _durable)
    elif kind == "postgresql":
        try:
            engine = create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise MissingPackageError(
                f"store: {name}: PostgreSQL's driver is not installed; pip install 'latentwatch[postgresql]'"
            ) from error
    else:
        raise UsageError(f"store: {name}: give sqlite:///PATH or postgresql://user:password@host/database")
    try:
        with engine.begin() as connection:
            _migrate(connection)
    except DBAPIError as error:
        reason = mask(str(error.orig)).strip().splitlines()[0]
        raise LatentwatchError(f"store: {name}: cannot be opened: {reason}") from error
    return engine


def _durable(connection: Any, _record: ConnectionPoolEntry) -> None:
    """SQLite in WAL mode, with commits that outlive a power cut, and foreign keys that hold."""
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _migrate(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(5280371)"))  # one migration at a time
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if connection.dialect.has_table(connection, "alembic_version"):
        current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if current is not None and current not in known:
            raise LatentwatchError(f"store: written by a newer Latentwatch (form {current}); update this one")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    command.upgrade(config, "head")
