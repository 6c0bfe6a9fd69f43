"""Gives the original of a blurred clip or snapshot to a person who has the key, and notes that."""

import getpass
import os
import shutil
import socket
from pathlib import Path

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.clips import ORIGINAL, ClipStore
from latentwatch.monitor.encryption import DecryptingFile, read_keys
from latentwatch.monitor.settings import Privacy
from latentwatch.monitor.store import EventStore
from latentwatch.video.address import mask


def unblur(
    store: EventStore, clips: ClipStore, privacy: Privacy | None, event_id: str, to: Path, *, snapshot: bool
) -> None:
    """Writes the original of an event's clip, or of its snapshot, to the new file `to`, for its owner alone.

    Who asked is in the store before the first byte is written. Raises `UsageError` where there is no such
    event or key, or `to` is there already; `LatentwatchError` where the event has no original, no key fits,
    the original is damaged, or `to` cannot be written.
    """
    if privacy is None:
        raise UsageError("privacy: is missing in the settings; its keys are needed to unblur")
    if to.exists():
        raise UsageError(f"{to}: is there already; give another name")
    keys = read_keys(privacy.keys)
    event = store.get(event_id)
    name = f"{event.id}.{'jpg' if snapshot else 'mp4'}"
    original = f"{event.camera}/{name}{ORIGINAL}"
    try:
        with clips.open(original) as sealed:
            clear = DecryptingFile(sealed, keys, name)
            store.note_unblurring(event.id, original, _who(), socket.gethostname())
            _write(clear, to)
    except FileNotFoundError as error:
        raise LatentwatchError(
            f"event {event.id[:8]}: no encrypted {'snapshot' if snapshot else 'clip'}; it was not blurred"
        ) from error
    except OSError as error:
        raise LatentwatchError(f"clips: {clips.shown}: {mask(str(error))}") from error


def _write(clear: DecryptingFile, to: Path) -> None:
    part = to.with_name(to.name + ".part")
    try:
        part.unlink(missing_ok=True)  # of a try that was cut off; its rights may be others
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            shutil.copyfileobj(clear, file)
        part.replace(to)
    except LatentwatchError:
        part.unlink(missing_ok=True)
        raise
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LatentwatchError(f"{to}: cannot be written: {error.strerror}") from error


def _who() -> str:
    """The user who asks; behind sudo, the one who called it."""
    return os.environ.get("SUDO_USER") or getpass.getuser()
