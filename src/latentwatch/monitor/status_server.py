"""A small HTTP server that says how the watching goes: `/metrics`, `/health` and `/ready`."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.metrics import Metrics
from latentwatch.monitor.settings import Http
from latentwatch.monitor.store import EventStore

FINE = frozenset({"live", "over", "enrolling"})
"""States of a camera with which nothing is wrong."""


@dataclass
class Health:
    """What is not well, by camera and by channel, and whether the store can be used."""

    cameras: dict[str, str] = field(default_factory=dict)
    channels: dict[str, str] = field(default_factory=dict)
    store: str = "ok"

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return self.store == "ok" and not self.channels and not set(self.cameras.values()) - FINE


def health(states: dict[str, str], store: EventStore, channels: list[str]) -> Health:
    """How it goes. A channel is not well when its oldest message was tried in vain."""
    found = Health(cameras=states)
    try:
        for channel in channels:
            message = store.next_message(channel)
            if message is not None and message.attempts:
                found.channels[channel] = message.error or "not delivered"
    except SQLAlchemyError as error:
        found.store = f"cannot be used: {type(error).__name__}"
    return found


class StatusServer:
    """Serves until it is closed. ask: gives the health. Raises `LatentwatchError` where it cannot listen."""

    def __init__(self, settings: Http, metrics: Metrics, ask: Callable[[], Health]) -> None:
        try:
            self._server = _Server((settings.listen, settings.port), _Handler)
        except OSError as error:
            raise LatentwatchError(
                f"http: {settings.listen}:{settings.port}: cannot be listened to: {error.strerror}; "
                "give another http.listen or http.port, or leave http away"
            ) from error
        self._server.metrics, self._server.ask = metrics, ask
        self._thread = threading.Thread(target=self._server.serve_forever, name="status", daemon=True)
        self._thread.start()

    def ready(self) -> None:
        """All cameras are opened, from now on."""
        self._server.is_ready = True

    def close(self) -> None:
        """Ends."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    metrics: Metrics
    ask: Callable[[], Health]
    is_ready = False


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, generate_latest(self.server.metrics.registry), CONTENT_TYPE_LATEST)
        elif path == "/health":
            now = self.server.ask()
            self._json(200 if now.ok else 503, {"ok": now.ok, **vars(now)})
        elif path == "/ready":
            self._json(200 if self.server.is_ready else 503, {"ready": self.server.is_ready})
        else:
            self._json(404, {"error": "known are /metrics, /health, /ready"})

    def log_message(self, *_: object) -> None:
        """Says nothing: it is asked every few seconds."""

    def _json(self, code: int, body: object) -> None:
        self._answer(code, json.dumps(body).encode() + b"\n", "application/json")

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
