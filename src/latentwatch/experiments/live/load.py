"""Many cameras on one machine for long."""

import time
from collections.abc import Callable
from pathlib import Path

from latentwatch.datasets.dataset import Dataset
from latentwatch.experiments.live.checks import lost
from latentwatch.experiments.live.footage import film_of
from latentwatch.experiments.live.match import latencies_ms, pictures
from latentwatch.experiments.live.measured import Load
from latentwatch.experiments.live.stand import OFTEN, Stand, growth
from latentwatch.experiments.streams.machine import usage

CAMERAS = 8

REPORT_EVERY = 60.0
"""Seconds."""


def measure_load(
    dataset: Dataset,
    model: Path,
    folder: Path,
    *,
    minutes: float,
    quick: bool,
    say: Callable[[str], None],
) -> Load:
    """Watches `CAMERAS` cameras for so long; each shows a normal and a test clip over and over.

    The threshold is as low as it goes: alarms, with their clips and messages, are part of the load. Raises
    as `Stand` does.
    """
    films = {
        f"camera-{number}": film_of(
            [dataset.train[number % len(dataset.train)], dataset.test[number % len(dataset.test)]]
        )
        for number in range(CAMERAS)
    }
    say(f"load: {CAMERAS} cameras, {minutes:g} min")
    with Stand(folder, films, model, OFTEN) as stand:
        start = time.monotonic()
        stand.start()
        stand.wait_live(start)
        begin = usage()
        while (left := 60 * minutes - (usage().clock - begin.clock)) > 0:
            time.sleep(min(REPORT_EVERY, left))
            say(f"load: {max(left - REPORT_EVERY, 0) / 60:.0f} min left")
        end = usage()
        samples = [each for each in stand.samples if begin.clock < each.at <= end.clock]
        sent = len(stand.pushes())
        stand.stop()
        time.sleep(1)
        announced = stand.listener.announced()
        taken, dropped = stand.frames()
        gone = lost(announced, stand.data)
        told, pushes = stand.listener.told, stand.pushes()
    seconds = samples[-1].at - samples[0].at
    cores = (samples[-1].cpu - samples[0].cpu) / seconds
    first, last = growth(samples)
    return Load(
        quick=quick,
        cameras=CAMERAS,
        minutes=minutes,
        sent=sent,
        taken=taken,
        dropped=dropped,
        announced=len(announced),
        lost=len(gone),
        latencies_ms=latencies_ms(told, pushes, {name: pictures(film) for name, film in films.items()}),
        cores=cores,
        other_cores=max((end.all - begin.all) / (end.clock - begin.clock) - cores, 0.0),
        memory_mib=(first.memory_mib, last.memory_mib),
        threads=(first.threads, last.threads),
    )
