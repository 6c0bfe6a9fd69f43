"""Real servers that are started for a measurement or a test: GStreamer's RTSP server, mosquitto."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Self, TypeVar

from latentwatch.errors import LatentwatchError, MissingPackageError
from latentwatch.experiments.live import rtsp_script

PYTHON = "/usr/bin/python3"
"""The system's, which has GStreamer's bindings."""

RTSP_PACKAGES = (
    "python3-gi gir1.2-gst-rtsp-server-1.0 "
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)

Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], seconds: float, what: str = "what is waited for") -> Found:
    """What `condition` gives as soon as it is true. Raises `LatentwatchError` where it is not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise LatentwatchError(f"{what}: not within {seconds:g} s")


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with closing(socket.socket()) as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


class RtspServer:
    """Serves films, files of `rtsp_script.write_units` by name, at rtsp://127.0.0.1:PORT/NAME.

    codec: h264 or hevc. fps: of the films. digest: ask for USER and PASSWORD. log: a file that takes a line
    for each picture sent. Raises `MissingPackageError` where GStreamer's server is not installed.
    """

    def __init__(
        self,
        films: dict[str, Path],
        *,
        codec: str = "h264",
        fps: int = 10,
        digest: bool = False,
        log: Path | None = None,
    ) -> None:
        self.port = 0
        self._given = {
            "films": {name: str(film) for name, film in films.items()},
            "codec": codec,
            "fps": fps,
            "digest": digest,
            "log": str(log) if log else None,
        }
        self.start()

    def start(self) -> None:
        """Starts it, at the port that it had before."""
        words = [PYTHON, rtsp_script.__file__, json.dumps({**self._given, "port": self.port})]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        except OSError as error:
            raise self._missing(f"{PYTHON}: {error.strerror}") from error
        assert self._process.stdout
        assert self._process.stderr
        said = self._process.stdout.readline()
        if not said:
            raise self._missing((self._process.stderr.read().strip().splitlines() or ["it ends at once"])[-1])
        self.port = int(said)

    def url(self, *, name: str = "live", password: str | None = None) -> str:
        """The address of a film, with the login if a password is given."""
        login = f"{rtsp_script.USER}:{password}@" if password else ""
        return f"rtsp://{login}127.0.0.1:{self.port}/{name}"

    def tell(self, command: str) -> None:
        """`stall`, `freeze`, `garbage`, `resume`, or `film NAME PATH`; from the next picture on."""
        assert self._process.stdin
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Ends it at once, with no word to those who watch."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                pipe.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @staticmethod
    def _missing(reason: str) -> MissingPackageError:
        return MissingPackageError(
            f"GStreamer's RTSP server does not start: {reason}; apt-get install {RTSP_PACKAGES}"
        )


class Mosquitto:
    """A broker that can be stopped and started again on its port; its settings lie in `folder`.

    Raises `MissingPackageError` where mosquitto is not installed.
    """

    def __init__(self, folder: Path) -> None:
        found = shutil.which("mosquitto", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
        if not found:
            raise MissingPackageError("mosquitto is not installed; apt-get install mosquitto")
        self.port = free_port()
        self._program, self._folder = found, folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        config = self._folder / "mosquitto.conf"
        config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
        self._process = subprocess.Popen(
            [self._program, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for(self._listens, 20, "mosquitto")

    def stop(self) -> None:
        """Stops it; what it retained is forgotten."""
        if self._process:
            self._process.terminate()
            self._process.wait(20)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _listens(self) -> bool:
        with closing(socket.socket()) as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0
