"""Secrets that a settings file refers to instead of holding them: `${NAME}` and `${file:PATH}`."""

import os
import re
from pathlib import Path
from urllib.parse import quote

_REFERENCE = re.compile(r"\$\{([^}]*)\}")


def resolve(text: str) -> str:
    """`text` with `${NAME}` replaced by the environment variable, and `${file:PATH}` by the file's contents.

    Line ends around a file's contents are left out. After `://` a value is percent-encoded, since a password
    may have characters that mean something in a URL; a reference that is the whole text is taken as it is.
    Raises `ValueError`, naming the reference, where a variable is not set or a file cannot be read.
    """

    def value(found: re.Match[str]) -> str:
        secret = _look_up(found[1])
        return quote(secret, safe="") if "://" in text[: found.start()] else secret

    return _REFERENCE.sub(value, text)


def is_reference(text: str) -> bool:
    """Whether `text` is one reference and nothing else."""
    return _REFERENCE.fullmatch(text) is not None


def _look_up(name: str) -> str:
    kind, colon, path = name.partition(":")
    if colon and kind == "file":
        try:
            return Path(path).read_text().strip("\r\n")
        except OSError as error:
            raise ValueError(f"${{{name}}}: the secret file cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise ValueError(f"${{{name}}}: the secret file is not UTF-8 text") from None
    if name not in os.environ:
        raise ValueError(f"${{{name}}}: no such environment variable; set it, or write ${{file:PATH}}")
    return os.environ[name]
