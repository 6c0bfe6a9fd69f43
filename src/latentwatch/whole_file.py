"""A file is there whole, or as it was before: never half written."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Gives a path beside `path` to write to, which takes its name when the block ends without an error.

    Makes the folder; after an error what was written is removed. Raises `OSError` where the disk does.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except BaseException:
        with suppress(OSError):  # a folder that could not be made holds nothing to remove
            part.unlink(missing_ok=True)
        raise
