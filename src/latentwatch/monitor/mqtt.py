"""Events over MQTT, in topics that Home Assistant finds by itself.

Below the topic (default `latentwatch`): `status` is online or offline, by last will; `CAMERA/status` the
same for a camera; `CAMERA/anomaly` is ON or OFF; `CAMERA/event` is the newest message as JSON;
`CAMERA/snapshot` its JPEG. `CAMERA/problem` is ON while a camera sees badly, `CAMERA/health` the newest
message about that as JSON. All are retained, until the camera is removed or the topic changed.
"""

import json
import logging
import threading
from collections.abc import Sequence
from queue import Empty, SimpleQueue
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.channel import Channel
from latentwatch.monitor.model import Message
from latentwatch.monitor.removal import Place
from latentwatch.monitor.settings import Mqtt

log = logging.getLogger(__name__)

TOPICS = ("status", "anomaly", "event", "snapshot", "problem", "health")
"""Of a camera."""

CONFIRM_SECONDS = 10.0
"""How long the broker may take to confirm a message."""


class MqttChannel(Channel):
    """A connection kept up in the background. Raises `UsageError` for a URL that is not MQTT's."""

    def __init__(self, settings: Mqtt, cameras: Sequence[str]) -> None:
        host, port, url = _parts(settings.mqtt.get_secret_value())
        self._place, self._cameras = Place(settings.topic, settings.discovery), cameras
        self._live: dict[str, bool] = {}
        self._problems: dict[str, Sequence[str]] = {}
        self._anomaly = dict.fromkeys(cameras, "OFF")
        self._lock = threading.Lock()
        self._shown = f"{url.scheme}://{host}"
        self._client = Client(CallbackAPIVersion.VERSION2)
        if url.username:
            self._client.username_pw_set(unquote(url.username), unquote(url.password or ""))
        if url.scheme == "mqtts":
            self._client.tls_set()
        self._client.will_set(f"{self._place.topic}/status", "offline", qos=1, retain=True)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_message = self._told
        self._client.reconnect_delay_set(1, 60)
        self._client.connect_async(host, port)

    def start(self) -> None:
        """See `Channel.start`."""
        self._client.loop_start()

    def check(self) -> str:
        """See `Channel.check`."""
        answers: SimpleQueue[ReasonCode] = SimpleQueue()
        self._client.will_clear()
        self._client.on_connect = lambda _client, _data, _flags, reason, _more: answers.put(reason)
        self._client.on_disconnect = None
        self._client.loop_start()
        try:
            reason = answers.get(timeout=CONFIRM_SECONDS)
        except Empty as error:
            raise LatentwatchError(f"{self._shown}: does not answer; check host and port") from error
        finally:
            self._client.disconnect()
            self._client.loop_stop()
        if reason.is_failure:
            raise LatentwatchError(f"{self._shown}: the broker refuses the connection: {reason}")
        return f"{self._shown}: connects"

    def send(self, message: Message, snapshot: bytes | None) -> None:
        """See `Channel.send`."""
        if message.kind == "removed":
            where = {**self._place._asdict(), **message.body}
            self._forget(message.body["camera"], Place(where["topic"], where["discovery"]))
            return
        if message.kind in ("problem", "well"):
            self._send_problem(message)
            return
        camera = message.body["camera"]
        state = "ON" if message.kind == "new" else "OFF"
        body = {"key": message.key, **message.body}
        if snapshot is not None:
            self._tell(camera, "snapshot", snapshot)
        self._tell(camera, "event", json.dumps(body))
        if camera in self._cameras:
            with self._lock:
                self._anomaly[camera] = state
        self._tell(camera, "anomaly", state)

    def _send_problem(self, message: Message) -> None:
        camera, problems = message.body["camera"], message.body["problems"]
        if camera in self._cameras:
            with self._lock:
                self._problems[camera] = problems
        self._tell(camera, "health", json.dumps({"key": message.key, **message.body}))
        self._tell(camera, "problem", _on(problems))

    def _forget(self, camera: str, place: Place) -> None:
        """Has the broker, and with it Home Assistant, forget a camera there, but for what is told now."""
        used = {
            f"{self._place.topic}/status",
            *(topic for each in self._cameras for topic in _topics(self._place, each)),
        }
        for topic in _topics(place, camera):
            if topic not in used:
                self._publish(topic, b"", retain=True)

    def camera_problems(self, camera: str, problems: Sequence[str]) -> None:
        """See `Channel.camera_problems`; told again at each new connection."""
        with self._lock:
            self._problems[camera] = problems
        if self._client.is_connected():
            self._client.publish(f"{self._place.topic}/{camera}/problem", _on(problems), qos=1, retain=True)

    def camera_state(self, camera: str, is_live: bool) -> None:
        """See `Channel.camera_state`; told again at each new connection."""
        with self._lock:
            self._live[camera] = is_live
        if self._client.is_connected():
            self._tell_state(camera, is_live)

    def close(self) -> None:
        """Says that nothing is watched any more."""
        if self._client.is_connected():
            last = self._client.publish(f"{self._place.topic}/status", "offline", qos=1, retain=True)
            try:
                last.wait_for_publish(2)
            except (RuntimeError, ValueError):
                log.warning("%s: could not be told of the end", self._shown)
        self._client.disconnect()
        self._client.loop_stop()

    def _tell(self, camera: str, topic: str, payload: str | bytes) -> None:
        """What is told late of a camera that was removed must not stay with the broker."""
        self._publish(f"{self._place.topic}/{camera}/{topic}", payload, retain=camera in self._cameras)

    def _publish(self, topic: str, payload: str | bytes, *, retain: bool) -> None:
        if not self._client.is_connected():
            raise LatentwatchError(f"{self._shown}: not connected")
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        try:
            info.wait_for_publish(CONFIRM_SECONDS)
            confirmed = info.is_published()
        except (RuntimeError, ValueError) as error:
            raise LatentwatchError(f"{self._shown}: {error}") from error
        if not confirmed:
            raise LatentwatchError(f"{self._shown}: the broker does not confirm")

    def _connected(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _more: Properties | None
    ) -> None:
        if reason.is_failure:
            log.warning("%s: the broker refuses the connection: %s", self._shown, reason)
            return
        log.info("%s: connected", self._shown)
        client.subscribe(f"{self._place.discovery}/status", qos=1)
        self._introduce()

    def _disconnected(
        self,
        _client: Client,
        _data: Any,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if reason.is_failure:
            log.warning("%s: connection lost (%s); it is tried again", self._shown, reason)

    def _told(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        if message.payload == b"online" and not message.retain:  # Home Assistant has just started
            self._introduce()

    def _introduce(self) -> None:
        """Publishes what Home Assistant discovers, and that this program is there."""
        for camera in self._cameras:
            for kind, name, contents in discovery(self._place.topic, camera):
                topic = _config_topic(self._place.discovery, camera, kind, name)
                self._client.publish(topic, json.dumps(contents), qos=1, retain=True)
        self._client.publish(f"{self._place.topic}/status", "online", qos=1, retain=True)
        with self._lock:
            states, problems, anomaly = dict(self._live), dict(self._problems), dict(self._anomaly)
        for camera, state in anomaly.items():
            self._client.publish(f"{self._place.topic}/{camera}/anomaly", state, qos=1, retain=True)
        for camera, is_live in states.items():
            self._tell_state(camera, is_live)
        for camera, its_problems in problems.items():
            self.camera_problems(camera, its_problems)

    def _tell_state(self, camera: str, is_live: bool) -> None:
        payload = "online" if is_live else "offline"
        self._client.publish(f"{self._place.topic}/{camera}/status", payload, qos=1, retain=True)


def _parts(text: str) -> tuple[str, int, SplitResult]:
    """A broker's host, port and all of its URL. Raises `UsageError` where it is none."""
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError:
        host = None
    if not host or url.scheme not in ("mqtt", "mqtts"):
        # The URL is not shown: what seems to be its port may be a password.
        raise UsageError(
            "expected mqtt://user:password@host:1883; in a password write / as %2F, # as %23, ? as %3F"
        )
    return host, port or (8883 if url.scheme == "mqtts" else 1883), url


def discovery(topic: str, camera: str) -> list[tuple[str, str, dict[str, Any]]]:
    """A camera's entities in Home Assistant: kind, name and configuration of each."""
    shared: dict[str, Any] = {
        "availability": [{"topic": f"{topic}/status"}, {"topic": f"{topic}/{camera}/status"}],
        "availability_mode": "all",
        "device": {"identifiers": [f"latentwatch_{camera}"], "name": camera, "manufacturer": "Latentwatch"},
        "origin": {"name": "Latentwatch"},
    }
    anomaly = {
        **shared,
        "name": "Anomaly",
        "unique_id": f"latentwatch_{camera}_anomaly",
        "device_class": "problem",
        "state_topic": f"{topic}/{camera}/anomaly",
        "json_attributes_topic": f"{topic}/{camera}/event",
    }
    problem = {
        **shared,
        "name": "Camera",
        "unique_id": f"latentwatch_{camera}_problem",
        "device_class": "problem",
        "entity_category": "diagnostic",
        "state_topic": f"{topic}/{camera}/problem",
        "json_attributes_topic": f"{topic}/{camera}/health",
    }
    snapshot = {
        **shared,
        "name": "Last anomaly",
        "unique_id": f"latentwatch_{camera}_snapshot",
        "image_topic": f"{topic}/{camera}/snapshot",
        "content_type": "image/jpeg",
    }
    return [
        ("binary_sensor", "anomaly", anomaly),
        ("binary_sensor", "problem", problem),
        ("image", "snapshot", snapshot),
    ]


def _topics(place: Place, camera: str) -> list[str]:
    """All that a broker keeps of a camera in a place, what Home Assistant discovers it by first."""
    entities = discovery(place.topic, camera)
    configs = [_config_topic(place.discovery, camera, kind, name) for kind, name, _ in entities]
    of_camera = [f"{place.topic}/{camera}/{each}" for each in TOPICS]
    return [*configs, *of_camera, f"{place.topic}/status"]


def _config_topic(prefix: str, camera: str, kind: str, name: str) -> str:
    return f"{prefix}/{kind}/latentwatch_{camera}/{name}/config"


def _on(problems: Sequence[str]) -> str:
    return "ON" if problems else "OFF"
