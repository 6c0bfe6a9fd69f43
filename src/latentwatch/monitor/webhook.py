"""Events by HTTP POST, signed, so that a receiver knows whom they come from."""

import hashlib
import hmac
import json
import time

import requests

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.channel import Channel, RefusedError
from latentwatch.monitor.model import Message
from latentwatch.monitor.settings import Webhook
from latentwatch.video.address import mask

TIMEOUT = 10.0
"""Seconds that a receiver may take."""

FRESH = 300.0
"""Seconds by which a signature's time may differ from the receiver's clock."""

SIGNATURE = "Latentwatch-Signature"
"""Header with the time and the signature, `t=SECONDS,v1=HEX`."""

_PASSING = frozenset({408, 425, 429})
"""Client errors that may be gone later."""


def sign(body: bytes, secret: str, now: float) -> str:
    """The signature header: HMAC-SHA256, by the secret, of the time, a dot and the body."""
    seconds = str(int(now))
    digest = hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256)
    return f"t={seconds},v1={digest.hexdigest()}"


def verify(body: bytes, header: str, secret: str, now: float | None = None) -> bool:
    """For receivers: whether the body is from one who knows the secret, and not an old one sent again."""
    parts = dict(part.partition("=")[::2] for part in header.split(","))
    if not parts.get("t", "").isdigit():
        return False
    signed = float(parts["t"])
    fresh = abs((time.time() if now is None else now) - signed) <= FRESH
    return fresh and hmac.compare_digest(sign(body, secret, signed), header)


class WebhookChannel(Channel):
    """Posts JSON; any 2xx confirms. Raises `UsageError` for a URL that is not HTTP's."""

    def __init__(self, settings: Webhook) -> None:
        self._url = settings.webhook.get_secret_value()
        self._secret = settings.secret.get_secret_value()
        if not self._url.startswith(("http://", "https://")):
            raise UsageError(f"notify: {mask(self._url)}: expected https://…")
        self._session = requests.Session()

    def check(self) -> str:
        """See `Channel.check`. Whatever it answers to a HEAD, it is there."""
        try:
            self._session.head(self._url, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise LatentwatchError(f"{mask(self._url)}: {type(error).__name__}; check the address") from error
        return f"{mask(self._url)}: answers"

    def send(self, message: Message, snapshot: bytes | None) -> None:  # noqa: ARG002
        """See `Channel.send`. Client errors but 408, 425 and 429 refuse a message for good."""
        body = json.dumps({"key": message.key, **message.body}).encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": message.key,
            SIGNATURE: sign(body, self._secret, time.time()),
        }
        try:
            answer = self._session.post(
                self._url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False
            )
        except requests.RequestException as error:
            raise LatentwatchError(f"{mask(self._url)}: {type(error).__name__}") from error
        if answer.ok and answer.status_code < 300:
            return
        said = f"{mask(self._url)}: answers {answer.status_code}"
        if 400 <= answer.status_code < 500 and answer.status_code not in _PASSING:
            raise RefusedError(said)
        raise LatentwatchError(said)

    def close(self) -> None:
        """See `Channel.close`."""
        self._session.close()
