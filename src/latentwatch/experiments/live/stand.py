"""All that is between a camera and a person, as real processes: RTSP server, `latentwatch watch`, broker."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from latentwatch.errors import LatentwatchError
from latentwatch.experiments.live.footage import FPS, Film
from latentwatch.experiments.live.listener import Listener
from latentwatch.experiments.live.rtsp_script import write_units
from latentwatch.experiments.live.servers import Mosquitto, RtspServer, wait_for
from latentwatch.monitor.budget import budget_file, load_budget
from latentwatch.monitor.calibrate import file_sha256, health_file

MIB = 2**20

OFTEN = 1e6
"""A budget of false alarms a day that lowers the threshold as far as it goes, so that alarms come often."""

START_SECONDS = 120.0
"""How long `watch` may take to start on a busy machine."""


@dataclass(frozen=True)
class Sample:
    """What the watching process takes. at: seconds of the monotonic clock; cpu: of processor time so far."""

    at: float
    memory_mib: float
    threads: int
    cpu: float


@dataclass(frozen=True)
class Push:
    """A picture that the server has sent, the tick of the film, and when by the monotonic clock."""

    camera: str
    tick: int
    at: float


class Stand:
    """Cameras that play films, and the program that watches them. Use it in a `with` block.

    folder: a new one, with everything in it. films: by camera. model: with its budget beside it; both are
    copied. per_day: the budget. short_alarms: alarms end after a second of quiet, and the next may begin a
    second later. data: where the program keeps its own; None: in the folder. environment: added for the
    program. Raises as its parts do.
    """

    def __init__(
        self,
        folder: Path,
        films: dict[str, Film],
        model: Path,
        per_day: float,
        *,
        short_alarms: bool = False,
        data: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self.cameras, self.data = folder, list(films), data or folder / "data"
        self.model = folder / model.name
        self.log = folder / "watch.log"
        self.samples: list[Sample] = []
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()
        self._stack = ExitStack()
        self.copy_model(model, short_alarms=short_alarms)
        files = {name: write_units(folder / f"{name}.units", film.units) for name, film in films.items()}
        with self._stack:
            self._pushes = folder / "pushes.txt"
            self.server = self._stack.enter_context(RtspServer(files, fps=FPS, log=self._pushes))
            self.broker = self._stack.enter_context(Mosquitto(folder))
            self.listener = Listener(self.broker.port)
            self._stack.callback(self.listener.close)
            self.settings = self._write_settings(per_day)
            self._stack = self._stack.pop_all()
        threading.Thread(target=self._sample, name="samples", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._stack.close()

    def copy_model(self, model: Path, *, short_alarms: bool) -> None:
        """Puts a model with its budget and health where the program looks for it."""
        budget = load_budget(model, file_sha256(model))
        if short_alarms:
            rules = budget.rules.model_copy(update={"quiet": 1.0, "cool_down": 1.0})
            budget = budget.model_copy(update={"rules": rules})
        for source, target in ((model, self.model), (health_file(model), health_file(self.model))):
            if source.is_file():
                shutil.copyfile(source, target)
        budget_file(self.model).write_text(budget.model_dump_json())

    @property
    def pid(self) -> int:
        """Of the program. Raises `LatentwatchError` where it does not run."""
        if self._process is None or self._process.poll() is not None:
            raise LatentwatchError(f"'latentwatch watch' is not running; see {self.log}")
        return self._process.pid

    def start(self) -> None:
        """Starts the program; returns at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "latentwatch.cli", "watch", str(self.settings), "--json-logs"],
                stderr=log,
                env=self._environment,
            )

    def wait_live(self, since: float, seconds: float = START_SECONDS) -> None:
        """Waits until every camera is told to be live, after a moment of the monotonic clock."""
        for camera in self.cameras:
            wait_for(
                lambda name=camera: self.listener.state_since(name, since) == "online",  # type: ignore[misc]
                seconds,
                f"camera {camera} live",
            )

    def kill(self) -> bool:
        """Ends the program as a power cut would. False where it had ended by itself."""
        assert self._process is not None
        ran = self._process.poll() is None
        self._process.kill()
        self._process.wait()
        return ran

    def stop(self) -> None:
        """Ends the program gently. Raises `LatentwatchError` where that is not clean."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        if self._process.wait(60) != 0:
            raise LatentwatchError(f"'latentwatch watch' ended with {self._process.returncode}; {self.log}")

    def pushes(self) -> list[Push]:
        """All pictures that the server has sent so far."""
        if not self._pushes.is_file():
            return []
        lines = [line.split() for line in self._pushes.read_text().splitlines()]
        return [Push(words[0], int(words[1]), float(words[2])) for words in lines if len(words) == 3]

    def said(self) -> list[str]:
        """The messages of the program's log."""
        found = []
        for line in self.log.read_text(errors="replace").splitlines():
            try:
                found.append(str(json.loads(line)["message"]))
            except (ValueError, KeyError, TypeError):
                found.append(line)
        return found

    def _write_settings(self, per_day: float) -> Path:
        settings = {
            "cameras": {
                name: {
                    "url": self.server.url(name=name),
                    "model": str(self.model),
                    "false_alarms_per_day": per_day,
                    "seconds_before": 2,
                    "seconds_after": 1,
                }
                for name in self.cameras
            },
            "notify": {"home": {"mqtt": f"mqtt://127.0.0.1:{self.broker.port}"}},
            "folder": str(self.data),
        }
        path = self.folder / "cameras.yaml"
        path.write_text(json.dumps(settings, indent=1))  # which is YAML too
        return path

    def _sample(self) -> None:
        while not self._closed.wait(1.0):
            process = self._process
            if process is None or process.poll() is not None:
                continue
            try:
                found = psutil.Process(process.pid)
                with found.oneshot():
                    times = found.cpu_times()
                    sample = Sample(
                        time.monotonic(),
                        found.memory_info().rss / MIB,
                        found.num_threads(),
                        times.user + times.system,
                    )
            except psutil.Error:
                continue
            self.samples.append(sample)


def growth(samples: Sequence[Sample]) -> tuple[Sample, Sample]:
    """The medians of the first and of the last quarter of the samples, by memory."""
    quarter = max(len(samples) // 4, 1)
    first, last = (
        sorted(part, key=lambda each: each.memory_mib) for part in (samples[:quarter], samples[-quarter:])
    )
    return first[len(first) // 2], last[len(last) // 2]
