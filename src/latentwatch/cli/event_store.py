"""The event store, for the commands that read and write it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from latentwatch.errors import LatentwatchError

if TYPE_CHECKING:
    from latentwatch.monitor.settings import Settings
    from latentwatch.monitor.store import EventStore


@contextmanager
def opened_store(settings: "Settings") -> Iterator["EventStore"]:
    """The store of the settings, closed in the end.

    Raises as `open_database` does, and `LatentwatchError` where the database fails meanwhile.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from latentwatch.monitor.database import reason
    from latentwatch.monitor.store import EventStore

    with closing(EventStore(settings.store_url)) as store:
        try:
            yield store
        except SQLAlchemyError as error:
            raise LatentwatchError(
                f"event store: {reason(error)}; is its disk full, or its database away or locked?"
            ) from error
