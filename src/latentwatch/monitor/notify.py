"""Opens the channels that a settings file names; everything but MQTT and webhooks goes through Apprise."""

import logging
import tempfile
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import apprise

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.channel import Channel
from latentwatch.monitor.model import GONE, Message
from latentwatch.monitor.mqtt import MqttChannel
from latentwatch.monitor.settings import Mqtt, Service, Settings, Webhook
from latentwatch.monitor.webhook import WebhookChannel
from latentwatch.video.address import mask

log = logging.getLogger(__name__)


class AppriseChannel(Channel):
    """A service that people read: told when an event begins, with its snapshot, and of cameras' problems.

    Raises `UsageError` for a URL that Apprise does not know.
    """

    in_order = False  # Apprise does not say whether a service is away or will never take this message

    def __init__(self, settings: Service) -> None:
        url = settings.apprise.get_secret_value()
        # Services have their tokens anywhere in the URL, which Apprise writes into its log.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        kind, separator, _ = url.partition("://")
        self._shown = f"{kind}://***" if separator else "***"
        self._service = apprise.Apprise()
        if not self._service.add(url):
            raise UsageError(f"notify: {self._shown}: not an Apprise URL; see github.com/caronc/apprise/wiki")

    def check(self) -> str:
        """See `Channel.check`. What a service would say is not known before it is sent something."""
        return f"{self._shown}: the address is valid"

    def send(self, message: Message, snapshot: bytes | None) -> None:
        """See `Channel.send`. Neither the end of an event is told nor the removal of a camera."""
        if message.kind in ("end", "removed"):
            return
        camera = message.body["camera"]
        text = _text(message.kind, message.body)
        with ExitStack() as files:
            picture = None
            if snapshot is not None:
                try:
                    folder = files.enter_context(tempfile.TemporaryDirectory())
                    picture = Path(folder) / f"{camera}.jpg"
                    picture.write_bytes(snapshot)
                except OSError as error:  # words without a picture are better than none
                    log.warning("%s: sent without its picture: %s", self._shown, error.strerror)
                    picture = None
            sent = self._service.notify(text, title=camera, attach=str(picture) if picture else None)
            if not sent and picture is not None:  # some take words alone
                sent = self._service.notify(text, title=camera)
        if not sent:
            raise LatentwatchError(f"{self._shown}: the service could not be reached, or refuses")


def _text(kind: str, body: dict[str, Any]) -> str:
    start = f"{datetime.fromtimestamp(body['start']).astimezone():%H:%M:%S}"
    if body.get("problem") == GONE:
        return (
            f"No picture since {start}."
            if kind == "problem"
            else f"The picture is back (gone since {start})."
        )
    if kind == "problem":
        return f"The camera sees badly since {start}: {body['problem']}. Nothing is watched until it is over."
    if kind == "well":
        left = f"; still: {', '.join(body['problems'])}" if body["problems"] else ""
        return f"The camera is no longer {body['problem']} (since {start}){left}."
    return f"Something unusual at {start} (event {body['id'][:8]})"


def open_channels(settings: Settings) -> dict[str, Channel]:
    """The channels by name. Raises `UsageError`, naming the channel, for a URL that makes no sense."""
    opened: dict[str, Channel] = {}
    try:
        for name, channel in settings.notify.items():
            opened[name] = _open(
                channel, [camera for camera in settings.cameras if name in settings.channels_of(camera)]
            )
    except UsageError as error:
        for each in opened.values():
            each.close()
        raise UsageError(mask(f"channel {name}: {error}")) from error
    return opened


def _open(settings: Mqtt | Webhook | Service, cameras: list[str]) -> Channel:
    if isinstance(settings, Mqtt):
        return MqttChannel(settings, cameras)
    return WebhookChannel(settings) if isinstance(settings, Webhook) else AppriseChannel(settings)
