"""Where clips and snapshots lie: a local folder, or anything that fsspec reaches, such as S3."""

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import fsspec

from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError, installing
from latentwatch.video.address import mask

MARK = "latentwatch-store"
"""A file that names the event store that the clips belong to."""

ORIGINAL = ".enc"
"""What is added to a clip's or snapshot's name for its encrypted original, where it is blurred."""

REMOTE_OPTIONS: dict[str, dict[str, Any]] = {
    # Lists and connections are not kept: other processes write too. A server that is away is soon given up.
    "s3": {
        "use_listings_cache": False,
        "skip_instance_cache": True,
        "config_kwargs": {"connect_timeout": 5, "read_timeout": 30, "retries": {"max_attempts": 2}},
    }
}

_OURS = re.compile(r"[a-z0-9_-]+/([0-9a-f]{32})\.(?:mp4|jpg)(?:\.enc)?(?:\.part)?")


def open_files(url: str) -> tuple[Any, str]:
    """The fsspec file system of a folder or URL, which has not connected yet, and the path in it.

    Raises `UsageError` for an unknown kind of URL or one without a bucket, `MissingPackageError` where the
    kind needs a package.
    """
    shown = mask(url)
    kind = url.partition("://")[0]
    try:
        files, root = fsspec.core.url_to_fs(url, **REMOTE_OPTIONS.get(kind, {}))
    except ImportError as error:
        hint = f"; {installing('s3')}" if kind == "s3" else ""
        raise MissingPackageError(f"clips: {shown}: needs a package: {error}{hint}") from error
    except ValueError as error:
        raise UsageError(f"clips: {shown}: {mask(str(error))}") from error
    if kind == "s3" and not root.partition("/")[0]:
        raise UsageError(f"clips: {shown}: names no bucket; give s3://BUCKET/FOLDER")
    return files, root


class ClipStore:
    """Files by names such as `front-door/0123….mp4`; a file is there whole or not at all.

    url: a folder, or an fsspec URL such as `s3://bucket/folder`. owner: the mark of the event store; clips of
    another store are not touched. claim: False only looks whether it could be used, and writes no mark.
    unsent: where files wait to be sent to another machine (see `Uploads`);
    without it, and for a folder, they are put in place at once. Raises as `open_files` does, `UsageError` for
    a folder that belongs to another store, `LatentwatchError` where it cannot be written.
    """

    def __init__(self, url: str, owner: str, unsent: Path | None = None, *, claim: bool = True) -> None:
        self.shown = mask(url)
        self._files, self._root = open_files(url)
        self._is_local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)
        self._unsent = None if self._is_local else unsent
        self._moving = threading.Lock()  # held while a waiting file is put in place or taken away
        self.on_wait: Callable[[], None] = lambda: None
        try:
            if not self._is_marked(owner) and claim:
                self._mark(owner)
        except OSError as error:
            raise LatentwatchError(f"clips: {self.shown}: cannot be written: {mask(str(error))}") from error

    def put(self, file: Path, name: str) -> int:
        """Takes a finished file in under a name, and removes it where it was; returns its bytes.

        Raises `OSError` where that fails.
        """
        size = file.stat().st_size
        if self._is_local:
            self._keep(file, self._local(name))
        elif self._unsent:
            self._keep(file, self._unsent / name)
            self.on_wait()
        else:
            with self._reached():
                self._files.put_file(str(file), self._path(name))
        file.unlink()
        return size

    def send_waiting(self) -> None:
        """Sends all files that wait. Raises `OSError` where one cannot be sent; it and the rest wait on."""
        for name in self._waiting():
            self._send(name)

    def open(self, name: str) -> BinaryIO:
        """A file, to be read from its start to its end. Raises `OSError` where it is not there."""
        if waiting := self._waits(name):
            return waiting.open("rb")
        with self._reached():
            opened: BinaryIO = self._files.open(self._path(name), "rb")
            return opened

    def read(self, name: str) -> bytes:
        """A file's contents. Raises `OSError` where it is not there."""
        with self.open(name) as opened:
            return opened.read()

    def exists(self, name: str) -> bool:
        """Whether a file is there. Raises `OSError` where that cannot be found out."""
        with self._reached():
            return bool(self._waits(name) or self._files.exists(self._path(name)))

    def size(self, name: str) -> int:
        """A file's bytes. Raises `OSError` where it is not there."""
        if waiting := self._waits(name):
            return waiting.stat().st_size
        with self._reached():
            return int(self._files.size(self._path(name)))

    def where(self, name: str) -> str:
        """How a person finds a file: its path, or its URL."""
        return str(self._local(name)) if self._is_local else f"{self.shown.rstrip('/')}/{name}"

    def delete(self, name: str) -> None:
        """Removes a file; nothing happens where it is not there. Raises `OSError` where that fails."""
        with self._moving:
            if waiting := self._waits(name):
                waiting.unlink()
        try:
            with self._reached():
                self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def files(self) -> dict[str, str]:
        """Names of all clips and snapshots, unfinished ones too, with the id of their event."""
        with self._reached():
            self._files.invalidate_cache()
            names = [str(path)[len(self._root) :].lstrip("/") for path in self._files.find(self._root)]
        found = {}
        for name in (*names, *self._waiting()):
            match = _OURS.fullmatch(name)
            if match:
                found[name] = match[1]
        return found

    def _is_marked(self, owner: str) -> bool:
        if not self.exists(MARK):
            return False
        if self.read(MARK).decode().strip() != owner:
            raise UsageError(
                f"clips: {self.shown}: belongs to another event store; give each store its own folder"
            )
        return True

    def _mark(self, owner: str) -> None:
        if self._is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)
        with self._reached():
            self._files.pipe_file(self._path(MARK), f"{owner}\n".encode())

    def _keep(self, file: Path, path: Path) -> None:
        """Copies a file to `path`, on the disk before it has that name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        try:
            shutil.copyfile(file, part)
            with part.open("rb") as written:
                os.fsync(written.fileno())
            with self._moving:
                part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _waiting(self) -> list[str]:
        """Names of the files that wait to be sent, oldest first, unfinished ones too."""
        if self._unsent is None or not self._unsent.is_dir():
            return []
        found = [path for path in self._unsent.rglob("*") if path.is_file()]
        return [
            str(path.relative_to(self._unsent))
            for path in sorted(found, key=lambda each: each.stat().st_mtime)
        ]

    def _waits(self, name: str) -> Path | None:
        path = self._unsent / name if self._unsent else None
        return path if path and path.is_file() else None

    def _send(self, name: str) -> None:
        path = self._waits(name)
        if path is None or name.endswith(".part"):
            return
        sent = path.stat().st_ino
        with self._reached():
            self._files.put_file(str(path), self._path(name))
        with self._moving:
            left = self._waits(name)
            if left and left.stat().st_ino == sent:  # else a newer one has come, which is sent next time
                left.unlink()
                return
        if left is None:  # it was deleted meanwhile
            self.delete(name)

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Turns what a store on another machine may raise, which is of no common kind, into `OSError`."""
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            if self._is_local:
                raise
            raise OSError(str(error)) from error

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _local(self, name: str) -> Path:
        return Path(self._path(name))
