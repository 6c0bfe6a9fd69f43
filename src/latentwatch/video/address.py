"""Where a source is (a file, a camera, a stream), with a form of it that is fit to be shown.

A password in a log, an error or a page is a password given away, so only `Address.shown` ever leaves.
"""

import logging
import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from latentwatch.errors import UsageError

Kind = Literal["file", "rtsp", "http", "usb"]

Transport = Literal["tcp", "udp"]
"""How RTSP brings the pictures."""

SCHEMES: dict[str, Kind] = {"rtsp": "rtsp", "rtsps": "rtsp", "http": "http", "https": "http"}

HIDDEN = "***"

HARMLESS = frozenset(
    ("camera", "channel", "codec", "fps", "profile", "resolution", "stream", "streamtype", "subtype")
)
"""Parameters of a query that are shown; every other one may be a secret."""

_USER_INFO = re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/?#@]*):\S*@", re.IGNORECASE)
_QUERY = re.compile(r"(?<=[?&;])([^\s?&;=#]+)=([^\s&;#]+)")
_NAMED = re.compile(
    r"((?:\b|_)(?:pass\w*?|pwd|token|api_?key|key|secret|auth|sig(?:nature)?)=)[^\s&;/?#]+", re.IGNORECASE
)
_HEADER = re.compile(r"(authorization:\s*).*", re.IGNORECASE)


def mask(text: str) -> str:
    """`text` with the secrets of every URL in it replaced by `***`.

    Those are passwords before the host, values of query parameters that are not known to be harmless, and
    what follows `password=` and the like anywhere, and HTTP's Authorization header. When in doubt it hides
    too much.
    """
    text = _USER_INFO.sub(rf"\1:{HIDDEN}@", text)
    text = _QUERY.sub(
        lambda found: found[0] if found[1].lower() in HARMLESS else f"{found[1]}={HIDDEN}", text
    )
    text = _NAMED.sub(rf"\1{HIDDEN}", text)
    return _HEADER.sub(rf"\1{HIDDEN}", text)


class MaskSecrets(logging.Filter):
    """Masks whatever passes a log handler, FFmpeg's own messages and tracebacks included.

    Put it on handlers, not on loggers: a logger's filter does not see what its children log.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record; lets every one pass."""
        record.msg, record.args = mask(record.getMessage()), None
        if record.exc_info and record.exc_info[0] is not None:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        if record.exc_text:
            record.exc_text = mask(record.exc_text)
        return True


def mask_logs(handlers: Iterable[logging.Handler]) -> None:
    """Makes these handlers write no secrets."""
    for handler in handlers:
        handler.addFilter(MaskSecrets())


@dataclass(frozen=True)
class Address:
    """A source.

    kind: what it is. url: what FFmpeg opens, secrets included: never print it, and `repr` leaves it out.
    shown: the same with secrets masked. secrets: what must not be seen, in each way that it may be written.
    """

    kind: Kind
    url: str = field(repr=False)
    shown: str
    secrets: tuple[str, ...] = field(repr=False, default=())

    @property
    def is_live(self) -> bool:
        """False for a file, which has an end and does not come by itself in real time."""
        return self.kind != "file"

    def scrub(self, text: str) -> str:
        """`text`, from FFmpeg or the system, with this address's secrets and those of any URL masked."""
        text = text.replace(self.url, self.shown)
        for secret in self.secrets:
            text = text.replace(secret, HIDDEN)
        return mask(text)

    def __str__(self) -> str:
        return self.shown


def parse_address(text: str) -> Address:
    """An address as a person writes it.

    `rtsp://user:password@host/path`, also rtsps; `http://host/path` of MJPEG or HLS, also https; `usb:0` or
    `/dev/video0` for a camera of this machine (Linux); a path or `file://` for a video file. A password with
    characters such as `@` and `/` is taken as it is or percent-encoded.
    Raises `UsageError` for another scheme, and where there is no host or a port that cannot be.
    """
    text = text.strip()
    usb = re.fullmatch(r"(?:usb:|/dev/video)(\d+)", text)
    if usb:
        device = f"/dev/video{usb[1]}"
        return Address("usb", device, device)
    scheme, separator, rest = text.partition("://")
    if not text:
        raise UsageError("an empty address; expected such as rtsp://user:password@host/path")
    if not separator:
        return Address("file", text, text)
    if scheme.lower() == "file":
        return Address("file", unquote(rest), unquote(rest))
    if scheme.lower() not in SCHEMES:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise UsageError(f"{mask(text)}: cannot be watched; known are {known}, usb:0 and files")
    return _network_address(scheme.lower(), rest)


def is_address(text: str) -> bool:
    """Whether `text` names a camera or a stream rather than a path."""
    return "://" in text or re.fullmatch(r"usb:\d+|/dev/video\d+", text) is not None


def _network_address(scheme: str, rest: str) -> Address:
    login, place = _split_login(rest)
    try:
        parts = urlsplit(f"{scheme}://{place}")
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        # Not shown: what stands where the port should be may be a password without its host.
        raise UsageError(
            f"{scheme}://…: no host or a wrong port; expected {scheme}://user:password@host/path"
        )
    user, colon, password = (unquote(part) for part in login.partition(":"))
    # FFmpeg takes the first / for the end of the host, so what a password has of such must be encoded.
    encoded = quote(password, safe="")
    url = f"{scheme}://{place}"
    if login:
        url = f"{scheme}://{quote(user, safe='')}{colon}{encoded}@{place}"
    secrets = {login.partition(":")[2], password, encoded}
    secrets |= {found[2] for found in _QUERY.finditer(place) if found[1].lower() not in HARMLESS}
    whole = re.sub(r"\s", lambda space: quote(space[0]), f"{scheme}://{rest}")
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    return Address(SCHEMES[scheme], url, mask(whole), tuple(longest_first))


def _split_login(rest: str) -> tuple[str, str]:
    """What stands before the `@` of the host (empty without one), and what after it."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        login = authority.rpartition("@")[0]
        return login, rest[len(login) + 1 :]
    port = authority.partition(":")[2]
    if port and not port.isdigit() and "@" in rest:  # no port, so a password with a / in it
        login, _, place = rest.rpartition("@")
        return login, place
    return "", rest
