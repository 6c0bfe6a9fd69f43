"""Where clips and snapshots lie: a local folder, or anything that fsspec reaches, such as S3."""

import os
import re
import shutil
from pathlib import Path

import fsspec

from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError
from latentwatch.video.address import mask

MARK = "latentwatch-store"
"""A file that names the event store that the clips belong to."""

_OURS = re.compile(r"[a-z0-9_-]+/([0-9a-f]{32})\.(?:mp4|jpg)(?:\.part)?")


class ClipStore:
    """Files by names such as `front-door/0123….mp4`; a file is there whole or not at all.

    url: a folder, or an fsspec URL such as `s3://bucket/folder`. owner: the mark of the event store; clips
    of another store are not touched. Raises `UsageError` for an unknown kind of URL or a folder that belongs
    to another store, `MissingPackageError` where the kind needs a package, `LatentwatchError` where it cannot
    be written.
    """

    def __init__(self, url: str, owner: str) -> None:
        self.shown = mask(url)
        try:
            self._files, self._root = fsspec.core.url_to_fs(url)
        except ImportError as error:
            raise MissingPackageError(f"clips: {self.shown}: needs a package: {error}") from error
        except ValueError as error:
            raise UsageError(f"clips: {self.shown}: {mask(str(error))}") from error
        self._is_local = isinstance(self._files, fsspec.implementations.local.LocalFileSystem)
        try:
            self._claim(owner)
        except OSError as error:
            raise LatentwatchError(f"clips: {self.shown}: cannot be written: {mask(str(error))}") from error

    def put(self, file: Path, name: str) -> int:
        """Takes a finished file in under a name, and removes it where it was; returns its bytes.

        Raises `OSError` where that fails.
        """
        size = file.stat().st_size
        if self._is_local:
            path = self._local(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            try:
                shutil.copyfile(file, part)
                with part.open("rb") as written:
                    os.fsync(written.fileno())
                part.replace(path)
            except OSError:
                part.unlink(missing_ok=True)
                raise
        else:
            self._files.put_file(str(file), self._path(name))
        file.unlink()
        return size

    def read(self, name: str) -> bytes:
        """A file's contents. Raises `OSError` where it is not there."""
        return bytes(self._files.cat_file(self._path(name)))

    def exists(self, name: str) -> bool:
        """Whether a file is there."""
        return bool(self._files.exists(self._path(name)))

    def size(self, name: str) -> int:
        """A file's bytes. Raises `OSError` where it is not there."""
        return int(self._files.size(self._path(name)))

    def where(self, name: str) -> str:
        """How a person finds a file: its path, or its URL."""
        return str(self._local(name)) if self._is_local else f"{self.shown.rstrip('/')}/{name}"

    def delete(self, name: str) -> None:
        """Removes a file; nothing happens where it is not there. Raises `OSError` where that fails."""
        try:
            self._files.rm_file(self._path(name))
        except FileNotFoundError:
            return

    def files(self) -> dict[str, str]:
        """Names of all clips and snapshots, unfinished ones too, with the id of their event."""
        self._files.invalidate_cache()
        found = {}
        for path in self._files.find(self._root):
            name = str(path)[len(self._root) :].lstrip("/")
            match = _OURS.fullmatch(name)
            if match:
                found[name] = match[1]
        return found

    def _claim(self, owner: str) -> None:
        if self._is_local:
            Path(self._root).mkdir(parents=True, exist_ok=True)
        if self.exists(MARK):
            if self.read(MARK).decode().strip() != owner:
                raise UsageError(
                    f"clips: {self.shown}: belongs to another event store; give each store its own folder"
                )
            return
        self._files.pipe_file(self._path(MARK), f"{owner}\n".encode())

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _local(self, name: str) -> Path:
        return Path(self._path(name))
