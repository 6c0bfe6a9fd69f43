"""Faults, each made and counted: is anything announced lost, and does every camera come back by itself?"""

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from latentwatch.bundle.bundle import load_bundle, save_bundle
from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.experiments.live.checks import kept_events, lost
from latentwatch.experiments.live.disturbances import (
    HOUR,
    Clock,
    Disturbance,
    broker_away,
    fill_disk,
    lock_database,
    other_size,
    replace_model,
    restart_server,
    tell_server,
)
from latentwatch.experiments.live.footage import FPS, PAUSE, Film, encode, encode_clip
from latentwatch.experiments.live.measured import GENTLE_STOP, Fault, Faults
from latentwatch.experiments.live.rtsp_script import write_units
from latentwatch.experiments.live.stand import OFTEN, Stand
from latentwatch.experiments.live.verdict import and_then, disturb, ended, settle
from latentwatch.monitor.budget import budget_file, load_budget
from latentwatch.monitor.calibrate import file_sha256, health_file

DISK_MIB = 48

REST = 30.0
"""Seconds before the first and after the last fault in which memory and threads are looked at."""


def often_film(normal: Clip, test: Clip) -> Film:
    """A pause, some normal seconds, some anomalous ones: an alarm begins and ends in each round of it."""
    first = 0 if test.labels is None else int(np.argmax(test.labels))
    units = [b""] * round(PAUSE * FPS)
    units += encode_clip(normal, 0, 3 * FPS) + encode_clip(test, first, first + 6 * FPS)
    count = len(units)
    return Film(units, [test.name] * count, np.arange(count), np.zeros(count, dtype=bool))


class FaultRun:
    """Makes the faults that are not in `done` yet; `keep` is called with what is done after each."""

    def __init__(
        self,
        dataset: Dataset,
        model: Path,
        folder: Path,
        done: Faults,
        *,
        keep: Callable[[Faults], None],
        say: Callable[[str], None],
    ) -> None:
        self._model, self._folder, self._done = model, folder, done
        self._keep, self._say = keep, say
        pairs = list(zip(dataset.train, dataset.test, strict=False))
        self._clips = [pairs[3 % len(pairs)], pairs[5 % len(pairs)]]
        self._quick = done.quick

    def run(self) -> Faults:
        """Makes them all. Raises as `Stand` does."""
        self._say(f"faults: about {5 if self._quick else 40} min, less what is done")
        self._while_running()
        self._kills()
        self._disk_full()
        self._clock()
        self._done.complete = True
        self._keep(self._done)
        return self._done

    def _stand(
        self,
        name: str,
        *,
        cameras: int = 2,
        data: Path | None = None,
        environment: dict[str, str] | None = None,
    ) -> Stand:
        films = {f"camera-{number}": often_film(*clips) for number, clips in enumerate(self._clips[:cameras])}
        return Stand(self._folder / name, films, self._model, OFTEN, data=data, environment=environment)

    def _has(self, *names: str) -> bool:
        done = {fault.name for fault in self._done.faults}
        return all(name in done for name in names)

    def _add(self, fault: Fault) -> None:
        self._done.faults = [each for each in self._done.faults if each.name != fault.name] + [fault]
        self._keep(self._done)
        back = f", back after {np.median(fault.recovered_s):.1f} s (median)" if fault.recovered_s else ""
        self._say(f"{fault.name}: survived {fault.survived} of {fault.times}, {fault.lost} lost{back}")

    def _while_running(self) -> None:
        """The faults through which one and the same process runs."""
        small, usual = self._folder / "small.units", self._folder / "usual.units"
        kinds = [
            Disturbance(
                "server killed and restarted", restart_server, 3 if self._quick else 20, only_live=True
            ),
            Disturbance("no packets", tell_server("stall", 30), note="stalled"),
            Disturbance("frozen picture", tell_server("freeze", 20), note="frozen"),
            Disturbance("garbage packets", tell_server("garbage", 15)),
            Disturbance("resolution change", other_size(small, usual, 15), note="its pictures are now"),
            Disturbance("broker down", broker_away(10 if self._quick else 60), note="not delivered"),
            Disturbance("database locked", lock_database(5 if self._quick else 40)),
        ]
        kinds.append(Disturbance("model file replaced", replace_model(self._other_model())))
        end = GENTLE_STOP
        kinds = [kind for kind in kinds if not self._has(kind.name)]
        if not kinds and self._has(end):
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        write_units(usual, often_film(*self._clips[0]).units)
        with self._clips[0][1].open(size=(120, 180)) as frames:
            write_units(small, encode(frame.rgb for frame in frames))
        with self._stand("running") as stand:
            self._begin(stand)
            first = stand.at_rest(REST)
            for kind in kinds:
                self._add(disturb(stand, kind))
            last = stand.at_rest(REST)
            if (minutes := (last.at - first.at) / 60) > self._done.minutes:
                self._done.minutes = minutes
                self._done.memory_mib = (first.memory_mib, last.memory_mib)
                self._done.threads = (first.threads, last.threads)
            self._add(ended(stand, end))

    def _other_model(self) -> Path:
        """The same network in a file of other contents, and its budget."""
        network, info = load_bundle(self._model)
        other = self._folder / "other" / self._model.name
        other.parent.mkdir(parents=True, exist_ok=True)
        save_bundle(other, network, info.model_copy(update={"provenance": {**info.provenance, "copy": 2}}))
        budget = load_budget(self._model, file_sha256(self._model))
        changed = budget.model_copy(update={"model_sha256": file_sha256(other)})
        budget_file(other).write_text(changed.model_dump_json())
        shutil.copyfile(health_file(self._model), health_file(other))
        return other

    def _disk_full(self) -> None:
        name = "disk full"
        if self._has(name):
            return
        disk = self._folder / "disk"
        disk.mkdir(parents=True, exist_ok=True)
        size = f"size={DISK_MIB}m"
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], check=False)
        if mounted.returncode:
            self._add(
                Fault(
                    name=name,
                    times=0,
                    survived=0,
                    announced=0,
                    lost=0,
                    recovered_s=[],
                    note="not run: needs root to mount a small disk",
                )
            )
            return
        try:
            with self._stand("full", data=disk) as stand:
                self._begin(stand)
                fault = disturb(stand, Disturbance(name, fill_disk))
                gave_up = sum("is LOST" in line for line in stand.said())
                note = f"{gave_up} alarms while it was full could not be recorded and were not announced"
                self._add(and_then(fault, ended(stand, name), note))
        finally:
            subprocess.run(["umount", str(disk)], check=False)

    def _clock(self) -> None:
        name = "clock set back by an hour"
        if self._has(name):
            return
        clock = Clock(self._folder / "clock-shim")
        with self._stand("clock", environment=clock.environment) as stand:
            self._begin(stand)
            fault = disturb(stand, Disturbance(name, clock.set_back), shift=-HOUR)
            self._add(and_then(fault, ended(stand, name), "while messages waited for the broker"))

    def _kills(self) -> None:
        """The program is killed at random moments, from its start to some alarms later, and started again."""
        name = "kill -9"
        if self._has(name):
            return
        times = 3 if self._quick else 50
        rng = random.Random(0)
        survived, back = 0, list[float]()
        with self._stand("kills", cameras=1) as stand:
            needed = self._begin(stand)
            for number in range(times):
                ran = stand.kill()
                gone = lost(stand.listener.announced(), stand.data)
                start = time.monotonic()
                stand.start()
                survived += ran and not gone
                if number % 5 == 4:
                    self._say(f"{name}: {number + 1} of {times}")
                if number < times - 1:
                    time.sleep(rng.uniform(0.3 * needed, needed + 14))
            stand.wait_live(start)
            back.append(time.monotonic() - start)
            settle(stand, time.time())
            fault = Fault(
                name=name,
                times=times,
                survived=survived,
                announced=len(stand.listener.announced()),
                lost=len(lost(stand.listener.announced(), stand.data)),
                recovered_s=back,
            )
            cut = sum(each.state == "cut" for each in kept_events(stand.data).values())
            self._add(and_then(fault, ended(stand, name), f"{cut} events were going on when it was killed"))

    def _begin(self, stand: Stand) -> float:
        """Starts the program and waits until each camera has told of an event; seconds until it was live."""
        start = time.monotonic()
        stand.start()
        stand.wait_live(start)
        needed = time.monotonic() - start
        settle(stand, 0.0)
        return needed
