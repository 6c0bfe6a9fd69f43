"""What a subscriber of the broker is told, and when."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode


@dataclass(frozen=True)
class Told:
    """A message about an event.

    at: when it arrived, seconds of the monotonic clock. body: as `monitor.mqtt` sends it. snapshot: the
    JPEG that came just before it.
    """

    at: float
    body: dict[str, Any]
    snapshot: bytes | None


class Listener:
    """Subscribes to everything at the broker, through its restarts too."""

    def __init__(self, port: int) -> None:
        self._lock = threading.Lock()
        self._told: list[Told] = []
        self._states: list[tuple[float, str, str]] = []
        self._snapshots: dict[str, bytes] = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_message = self._message
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    @property
    def told(self) -> list[Told]:
        """All messages about events so far."""
        with self._lock:
            return list(self._told)

    def announced(self) -> set[str]:
        """The ids of all events that anybody was told of."""
        return {each.body["id"] for each in self.told}

    def state_since(self, camera: str, moment: float) -> str | None:
        """The last state of a camera that was told after a moment; None where none was."""
        with self._lock:
            found = [state for at, name, state in self._states if name == camera and at > moment]
        return found[-1] if found else None

    def close(self) -> None:
        """Ends the subscription."""
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(
        self,
        client: Client,
        _data: Any,
        _flags: ConnectFlags,
        _reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        client.subscribe("latentwatch/#", qos=1)

    def _message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        now = time.monotonic()
        if message.retain:  # an old one, told at the subscription
            return
        _, camera, *kind = message.topic.split("/")
        with self._lock:
            if kind == ["snapshot"]:
                self._snapshots[camera] = message.payload
            elif kind == ["event"]:
                self._told.append(Told(now, json.loads(message.payload), self._snapshots.get(camera)))
            elif kind == ["status"]:
                self._states.append((now, camera, message.payload.decode()))
