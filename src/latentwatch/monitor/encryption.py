"""Encrypts originals of blurred clips and snapshots as they are written: no clear text touches the disk.

A file is a header and chunks of AES-256-GCM. The key of each file is derived (HKDF-SHA256) from the owner's
key, a random salt and the file's name; the nonce of a chunk is its number and whether it is the last. So
chunks that are altered, swapped, left out or cut off are noticed, and so is a file under another's name.
"""

import base64
import binascii
import hmac
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.references import resolve

MAGIC = b"latentwatch enc1"
SALT, CHECK, TAG = 16, 16, 16
"""Bytes of the salt, of what tells whether a key fits, and of AES-GCM's tag."""

CHUNK = 65536
"""Bytes of clear text in a chunk; the last one is shorter."""


def read_keys(references: Sequence[str]) -> list[bytes]:
    """The keys behind `${NAME}` and `${file:PATH}`, newest first: that encrypts, each of them decrypts.

    Raises `UsageError` where one cannot be had or is no key.
    """
    keys = []
    for reference in references:
        try:
            key = base64.b64decode(resolve(reference).strip(), altchars=b"-_", validate=True)
        except binascii.Error:
            key = b""
        except ValueError as error:
            raise UsageError(f"privacy.keys: {error}") from error
        if len(key) != 32:
            raise UsageError(
                f"privacy.keys: {reference}: not a key; expected what 'openssl rand -base64 32' prints"
            )
        keys.append(key)
    return keys


class EncryptingFile:
    """A new file at `path`, written from its start to its end; it is whole once it is closed.

    name: must be given again to read it.
    """

    def __init__(self, path: Path, key: bytes, name: str) -> None:
        salt = os.urandom(SALT)
        file_key, check = _derive(key, salt, name)
        self._cipher = AESGCM(file_key)
        self._waiting = bytearray()
        self._count = 0
        self._file = path.open("wb")
        self._file.write(MAGIC + salt + check)

    def write(self, clear: bytes) -> int:
        """Takes the next bytes."""
        self._waiting += clear
        while len(self._waiting) > CHUNK:  # a whole last chunk waits: only `close` knows that it is the last
            self._seal(bytes(self._waiting[:CHUNK]), is_last=False)
            del self._waiting[:CHUNK]
        return len(clear)

    def close(self) -> None:
        """Writes the last chunk."""
        if not self._file.closed:
            self._seal(bytes(self._waiting), is_last=True)
            self._file.close()

    def _seal(self, clear: bytes, *, is_last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, is_last), clear, None))
        self._count += 1


class DecryptingFile:
    """The clear text of a file, read from its start to its end.

    name: as it was written with. Raises `LatentwatchError` where no key fits, and from `read` where the file
    is damaged or cut short: bytes given before that are right.
    """

    def __init__(self, sealed: BinaryIO, keys: Sequence[bytes], name: str) -> None:
        self._sealed, self._name = sealed, name
        header = sealed.read(len(MAGIC) + SALT + CHECK)
        salt, check = header[len(MAGIC) : len(MAGIC) + SALT], header[len(MAGIC) + SALT :]
        if not header.startswith(MAGIC) or len(check) != CHECK:
            raise LatentwatchError(f"{name}: not encrypted by Latentwatch, or cut short")
        derived = [_derive(key, salt, name) for key in keys]
        fitting = [file_key for file_key, its_check in derived if hmac.compare_digest(its_check, check)]
        if not fitting:
            raise LatentwatchError(
                f"{name}: encrypted with a key that is not in privacy.keys; add that one, after the newest"
            )
        self._cipher = AESGCM(fitting[0])
        self._count = 0
        self._clear = b""
        self._ahead = sealed.read(CHUNK + TAG)
        if not self._ahead:
            raise self._damaged()

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, all that is left by default; empty at the end."""
        while (size < 0 or len(self._clear) < size) and self._ahead:
            sealed, self._ahead = self._ahead, self._sealed.read(CHUNK + TAG)
            try:
                nonce = _nonce(self._count, not self._ahead)
                self._clear += self._cipher.decrypt(nonce, sealed, None)
            except InvalidTag as error:
                raise self._damaged() from error
            self._count += 1
        size = len(self._clear) if size < 0 else size
        given, self._clear = self._clear[:size], self._clear[size:]
        return given

    def _damaged(self) -> LatentwatchError:
        return LatentwatchError(f"{self._name}: damaged or cut short")


def _derive(key: bytes, salt: bytes, name: str) -> tuple[bytes, bytes]:
    """The key of one file, and the bytes that tell whether `key` is the right one."""
    made = HKDF(SHA256(), 32 + CHECK, salt, b"latentwatch original " + name.encode()).derive(key)
    return made[:32], made[32:]


def _nonce(count: int, is_last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([is_last])
