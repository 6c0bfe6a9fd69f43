"""Faults, each made and counted: is anything announced lost, and does every camera come back by itself?"""

import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError, MissingPackageError
from latentwatch.experiments.live.checks import (
    kept_events,
    lost,
    missing,
    orphans,
    playable,
    waiting_messages,
)
from latentwatch.experiments.live.disturbances import (
    HOUR,
    Disturbance,
    broker_away,
    fill_disk,
    lock_database,
    other_size,
    restart_server,
    set_clock_back,
    tell_server,
)
from latentwatch.experiments.live.footage import FPS, PAUSE, Film, encode, encode_clip
from latentwatch.experiments.live.measured import Fault, Faults
from latentwatch.experiments.live.rtsp_script import write_units
from latentwatch.experiments.live.servers import wait_for
from latentwatch.experiments.live.stand import OFTEN, Stand, growth

PATIENCE = 180.0
"""Seconds in which everything must be well again."""

SETTLE = 11.0
"""Seconds of live pictures after which a camera's next loss is tried again soon (`camera_source.STEADY`)."""

DISK_MIB = 48

LIBFAKETIME = "faketime/libfaketimeMT.so.1"


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
        """Makes them all. Raises as `Stand` does, and `MissingPackageError` without libfaketime."""
        clock = _libfaketime()
        self._while_running()
        self._disk_full()
        self._clock(clock)
        self._kills()
        return self._done

    def _films(self) -> dict[str, Film]:
        return {f"camera-{number}": often_film(*clips) for number, clips in enumerate(self._clips)}

    def _stand(self, name: str, **options: object) -> Stand:
        return Stand(self._folder / name, self._films(), self._model, OFTEN, **options)  # type: ignore[arg-type]

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
            Disturbance("no packets", tell_server("stall", 15), note="stalled"),
            Disturbance("frozen picture", tell_server("freeze", 15), note="frozen"),
            Disturbance("garbage packets", tell_server("garbage", 15)),
            Disturbance("resolution change", other_size(small, usual, 15), note="its pictures are now"),
            Disturbance("broker down", broker_away(10 if self._quick else 60), note="not delivered"),
            Disturbance("database locked", lock_database(5 if self._quick else 40)),
        ]
        end = "gentle stop after these"
        if self._has(*(kind.name for kind in kinds), end):
            return
        films = self._films()
        self._folder.mkdir(parents=True, exist_ok=True)
        write_units(usual, next(iter(films.values())).units)
        with self._clips[0][1].open(size=(120, 180)) as frames:
            write_units(small, encode(frame.rgb for frame in frames))
        with self._stand("running") as stand:
            self._begin(stand)
            began = time.monotonic()
            for kind in kinds:
                self._add(_disturb(stand, kind))
            took = time.monotonic() - began
            first, last = growth([sample for sample in stand.samples if sample.at > began])
            self._done.minutes = took / 60
            self._done.memory_mib = (first.memory_mib, last.memory_mib)
            self._done.threads = (first.threads, last.threads)
            self._add(_ended(stand, end))

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
                fault = _disturb(stand, Disturbance(name, fill_disk))
                gave_up = sum("is LOST" in line for line in stand.said())
                note = f"{gave_up} alarms while it was full could not be recorded and were not announced"
                self._add(_and_then(fault, _ended(stand, name), note))
        finally:
            subprocess.run(["umount", str(disk)], check=False)

    def _clock(self, library: Path) -> None:
        name = "clock set back by an hour"
        if self._has(name):
            return
        clock = self._folder / "clock"
        self._folder.mkdir(parents=True, exist_ok=True)
        clock.write_text("+0\n")
        environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }
        with self._stand("clock", environment=environment) as stand:
            self._begin(stand)
            fault = _disturb(stand, Disturbance(name, set_clock_back(clock)), shift=-HOUR)
            self._add(_and_then(fault, _ended(stand, name), "while messages waited for the broker"))

    def _kills(self) -> None:
        """The program is killed at random moments, from its start to some alarms later, and started again."""
        name = "kill -9"
        if self._has(name):
            return
        times = 3 if self._quick else 50
        rng = random.Random(0)
        survived, back = 0, list[float]()
        with self._stand("kills") as stand:
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
                    time.sleep(rng.uniform(0.5 * needed, needed + 15))
            stand.wait_live(start)
            back.append(time.monotonic() - start)
            _settle(stand, time.time())
            fault = Fault(
                name=name,
                times=times,
                survived=survived,
                announced=len(stand.listener.announced()),
                lost=len(lost(stand.listener.announced(), stand.data)),
                recovered_s=back,
            )
            cut = sum(each.state == "cut" for each in kept_events(stand.data).values())
            self._add(_and_then(fault, _ended(stand, name), f"{cut} events were going on when it was killed"))

    def _begin(self, stand: Stand) -> float:
        """Starts the program and waits until each camera has told of an event; seconds until it was live."""
        start = time.monotonic()
        stand.start()
        stand.wait_live(start)
        needed = time.monotonic() - start
        _settle(stand, 0.0)
        return needed


def _disturb(stand: Stand, kind: Disturbance, shift: float = 0.0) -> Fault:
    """Makes a fault and waits until all is well again. shift: of the program's clock afterwards, seconds."""
    before = stand.listener.announced()
    pid = stand.pid
    survived, back, problem = 0, list[float](), ""
    for _ in range(kind.times):
        kind.make(stand)
        over = time.monotonic()
        try:
            if kind.only_live:
                stand.wait_live(over, PATIENCE)
            else:
                _settle(stand, time.time() + shift)
            back.append(time.monotonic() - over)
            if kind.times > 1:
                time.sleep(SETTLE)
        except LatentwatchError as error:
            problem = str(error)
            continue
        survived += stand.pid == pid and not lost(stand.listener.announced(), stand.data)
    announced = stand.listener.announced()
    if kind.note and not any(kind.note in line for line in stand.said()):
        problem = problem or f"the log does not say '{kind.note}'"
    return Fault(
        name=kind.name,
        times=kind.times,
        survived=survived,
        announced=len(announced - before),
        lost=len(lost(announced, stand.data)),
        recovered_s=back,
        note=problem,
    )


def _settle(stand: Stand, moment: float) -> None:
    """Waits until each camera has told of an event that began after a moment of the program's day clock, and
    nothing that has ended waits to be told."""

    def told() -> bool:
        new = [each.body for each in stand.listener.told if each.body["type"] == "new"]
        return all(
            any(body["camera"] == camera and body["start"] > moment for body in new)
            for camera in stand.cameras
        )

    wait_for(told, PATIENCE, "an event of every camera")
    wait_for(lambda: waiting_messages(stand.data) == 0, PATIENCE, "all messages delivered")


def _ended(stand: Stand, name: str) -> Fault:
    """Stops the program gently and looks at all that it leaves."""
    stand.stop()
    time.sleep(1)
    announced = stand.listener.announced()
    kept = kept_events(stand.data)
    gone = len(set(announced) - set(kept))
    return Fault(
        name=name,
        times=1,
        survived=int(not gone),
        announced=len(announced),
        lost=gone,
        recovered_s=[],
        orphans=len(orphans(stand.data)),
        missing=len(missing(stand.data)),
        unplayable=sum(each.state == "done" and not playable(each.clip) for each in kept.values()),
    )


def _and_then(fault: Fault, ended: Fault, note: str) -> Fault:
    """A fault with what was left after it."""
    return fault.model_copy(
        update={
            "lost": max(fault.lost, ended.lost),
            "orphans": ended.orphans,
            "missing": ended.missing,
            "unplayable": ended.unplayable,
            "note": "; ".join(filter(None, (fault.note, note))),
        }
    )


def _libfaketime() -> Path:
    for folder in Path("/usr/lib").glob("*-linux-gnu*"):
        if (folder / LIBFAKETIME).is_file():
            return folder / LIBFAKETIME
    raise MissingPackageError("libfaketime is not installed; apt-get install faketime")
