"""The addresses in a settings file, as far as a look at them tells, with nothing connected to."""

from latentwatch.monitor.clips import open_files
from latentwatch.monitor.database import database_engine
from latentwatch.monitor.notify import open_channels
from latentwatch.monitor.settings import Settings


def check_addresses(settings: Settings) -> None:
    """Raises `UsageError` for a database, a place of clips or a channel whose URL makes no sense, and
    `MissingPackageError` for one that needs a package. Cameras' URLs are known to be right in any settings.
    """
    database_engine(settings.store_url).dispose()
    open_files(settings.clips_url)
    for channel in open_channels(settings).values():
        channel.close()
