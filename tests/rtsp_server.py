"""A real RTSP server (GStreamer's) that serves a film without end and can be made to fail.

Run as a program, by the system's Python, which has GStreamer's bindings, it is the server; imported by tests,
it starts and commands that program. Needs the Debian packages python3-gi gir1.2-gst-rtsp-server-1.0
gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad.
"""

import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

PYTHON = "/usr/bin/python3"
USER, PASSWORD = "admin", "geh/eim@7"


class RtspServer:
    """A server at `port` (0: a free one) that serves `film`, a file of `write_units`, at /live.

    codec: h264 or hevc. digest: ask for USER and PASSWORD.
    """

    def __init__(self, film, *, codec="h264", fps=10, digest=False, port=0):
        self._arguments = [str(film), codec, str(fps), str(int(digest))]
        self.port = port
        self.start()

    def start(self):
        """Starts it, at the port that it had before."""
        self._process = subprocess.Popen(
            [PYTHON, __file__, *self._arguments, str(self.port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = self._process.stdout.readline()
        if not said:
            raise MissingServerError(self._process.stderr.read().strip().splitlines()[-1])
        self.port = int(said)

    def url(self, *, user=USER, password=None, path="/live"):
        login = f"{user}:{password}@" if password else ""
        return f"rtsp://{login}127.0.0.1:{self.port}{path}"

    def tell(self, command):
        """`stall`, `resume`, `garbage`, or `film PATH` (from the next frame on)."""
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def kill(self):
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            pipe.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class MissingServerError(Exception):
    """GStreamer's server is not on this machine."""


def skip_or_fail(reason):
    """Skips a test whose real part is missing, or fails it where nothing may be skipped (CI)."""
    import pytest

    if os.environ.get("LATENTWATCH_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


def write_units(path, units):
    """Writes encoded pictures (Annex B bytes each, the first a key frame) to a file of the server's."""
    path.write_bytes(pickle.dumps(units))
    return path


def _serve(film, codec, fps, digest, port):
    import gi

    for name, version in (("Gst", "1.0"), ("GstRtsp", "1.0"), ("GstRtspServer", "1.0")):
        gi.require_version(name, version)
    from gi.repository import GLib, Gst, GstRtsp, GstRtspServer

    Gst.init(None)
    kind = {"h264": "h264", "hevc": "h265"}[codec]
    for element in (f"{kind}parse", f"rtp{kind}pay", "appsrc"):
        if not Gst.ElementFactory.find(element):
            sys.exit(f"GStreamer has no {element}: install its good and bad plugins")
    state = {"units": pickle.loads(Path(film).read_bytes()), "mode": "resume"}

    class Feeder:
        """Pushes the film into one media at its rate, over and over, until it is torn down."""

        def __init__(self, source):
            self.source, self.count, self.at, self.units = source, 0, 0, state["units"]
            GLib.timeout_add(1000 // fps, self.push)

        def push(self):
            if state["mode"] == "stall":
                return True
            if self.units is not state["units"]:
                self.units, self.at = state["units"], 0
            unit = self.units[self.at % len(self.units)]
            if state["mode"] == "garbage":
                # A slice of random bytes: the parser passes it on, the decoder cannot make anything of it.
                unit = b"\0\0\0\1" + (b"\x41" if codec == "h264" else b"\2\1") + os.urandom(400)
            buffer = Gst.Buffer.new_wrapped(unit)
            buffer.pts = buffer.dts = self.count * Gst.SECOND // fps
            buffer.duration = Gst.SECOND // fps
            self.count, self.at = self.count + 1, self.at + 1
            return self.source.emit("push-buffer", buffer) == Gst.FlowReturn.OK

    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(
        f"( appsrc name=source is-live=true format=time "
        f"caps=video/x-{kind},stream-format=byte-stream,alignment=au ! {kind}parse config-interval=-1 "
        f"! rtp{kind}pay name=pay0 pt=96 config-interval=-1 )"
    )
    factory.set_shared(True)
    factory.connect("media-configure", lambda _, media: Feeder(media.get_element().get_by_name("source")))
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    if digest == "1":
        auth = GstRtspServer.RTSPAuth()
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_digest(USER, PASSWORD, token)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role("user")
        for permission in ("access", "construct"):
            permissions.add_permission_for_role("user", f"media.factory.{permission}", True)
        factory.set_permissions(permissions)
        server.set_auth(auth)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        sys.exit("the port is taken")

    def obey():
        for line in sys.stdin:
            word, _, rest = line.strip().partition(" ")
            if word == "film":
                state["units"] = pickle.loads(Path(rest).read_bytes())
            else:
                state["mode"] = word

    threading.Thread(target=obey, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
