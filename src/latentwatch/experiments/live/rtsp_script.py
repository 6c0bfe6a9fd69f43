"""GStreamer's RTSP server as a program: plays films without end, and can be made to fail.

It is run by the system's Python, which has GStreamer's bindings and nothing of Latentwatch; see `rtsp` for
what it needs and how it is commanded.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

USER, PASSWORD = "admin", "geh/eim@7"
"""The login that is asked for with `digest`."""


def write_units(path: Path, units: Sequence[bytes]) -> Path:
    """Writes encoded pictures (Annex B, the first a key frame; empty where none is to be sent) to a file."""
    with path.open("wb") as out:
        for unit in units:
            out.write(len(unit).to_bytes(4, "big") + unit)
    return path


def read_units(path: Path) -> list[bytes]:
    """What `write_units` has written."""
    units = []
    data = path.read_bytes()
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        units.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return units


class Server:
    """The films by name, how they are played at the moment, and where each sent picture is noted."""

    def __init__(self, films: dict[str, str], codec: str, fps: int, log: str | None) -> None:
        self.films = {name: read_units(Path(film)) for name, film in films.items()}
        self.codec, self.fps = codec, fps
        self.mode = "resume"
        self._log: IO[str] | None = Path(log).open("a", buffering=1) if log else None  # noqa: SIM115

    def note(self, name: str, tick: int) -> None:
        """Writes when a picture was sent: name, tick of the film, seconds of the monotonic clock."""
        if self._log:
            self._log.write(f"{name} {tick} {time.monotonic():.4f}\n")

    def obey(self) -> None:
        """Takes the commands of standard input until it ends."""
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "film":
                name, _, path = rest.partition(" ")
                self.films[name] = read_units(Path(path))
            else:
                self.mode = word


class Feeder:
    """Pushes a film into one media at its rate, over and over, until it is torn down."""

    def __init__(self, server: Server, name: str, source: Any, gst: Any) -> None:
        self._server, self._name, self._source, self._gst = server, name, source, gst
        self._count = self._at = 0
        self._units = server.films[name]

    def push(self) -> bool:
        """Sends what is due at this tick; False once nobody takes it any more."""
        server = self._server
        if server.mode == "stall":
            return True
        if self._units is not server.films[self._name]:
            self._units, self._at = server.films[self._name], 0
        if server.mode == "freeze":
            self._at = 0  # the same key frame again and again
        at = self._at % len(self._units)
        unit = self._units[at]
        if server.mode == "garbage":
            # A slice of random bytes: the parser passes it on, the decoder cannot make anything of it.
            unit = b"\0\0\0\1" + (b"\x41" if server.codec == "h264" else b"\2\1") + os.urandom(400)
        tick = self._gst.SECOND // server.fps
        self._count, self._at = self._count + 1, self._at + 1
        if not unit:
            return True
        buffer = self._gst.Buffer.new_wrapped(unit)
        buffer.pts = buffer.dts = (self._count - 1) * tick
        buffer.duration = tick
        server.note(self._name, at)
        return bool(self._source.emit("push-buffer", buffer) == self._gst.FlowReturn.OK)


def serve(films: dict[str, str], codec: str, fps: int, digest: bool, log: str | None, port: int) -> None:
    """Serves the films, by name, and prints the port as soon as they can be had."""
    import gi

    for name, version in (("Gst", "1.0"), ("GstRtsp", "1.0"), ("GstRtspServer", "1.0")):
        gi.require_version(name, version)
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    kind = {"h264": "h264", "hevc": "h265"}[codec]
    for element in (f"{kind}parse", f"rtp{kind}pay", "appsrc"):
        if not Gst.ElementFactory.find(element):
            sys.exit(f"GStreamer has no {element}")
    state = Server(films, codec, fps, log)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(port))

    def play(name: str, media: Any) -> None:
        feeder = Feeder(state, name, media.get_element().get_by_name("source"), Gst)
        GLib.timeout_add(1000 // fps, feeder.push)

    for name in films:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(
            f"( appsrc name=source is-live=true format=time "
            f"caps=video/x-{kind},stream-format=byte-stream,alignment=au ! {kind}parse config-interval=-1 "
            f"! rtp{kind}pay name=pay0 pt=96 config-interval=-1 )"
        )
        factory.set_shared(True)
        factory.connect("media-configure", lambda _, media, name: play(name, media), name)
        if digest:
            permissions = GstRtspServer.RTSPPermissions()
            permissions.add_role("user")
            for permission in ("access", "construct"):
                permissions.add_permission_for_role("user", f"media.factory.{permission}", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
    if digest:
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_digest(USER, PASSWORD, token)
        server.set_auth(auth)
    if not server.attach(None):
        sys.exit("the port is taken")
    threading.Thread(target=state.obey, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    serve(**json.loads(sys.argv[1]))
