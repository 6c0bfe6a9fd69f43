"""From an RTSP server to an MQTT message and a clip: Ped2's test clips in real time."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.experiments.live.camera import PER_DAY
from latentwatch.experiments.live.checks import kept_events, lost, playable
from latentwatch.experiments.live.footage import FPS, Film, film_of
from latentwatch.experiments.live.listener import Told
from latentwatch.experiments.live.match import Grey, began, latencies_ms, pictures
from latentwatch.experiments.live.measured import Accuracy, Shown
from latentwatch.experiments.live.servers import wait_for
from latentwatch.experiments.live.stand import Push, Stand

CAMERAS = 4

WARM_UP = 22
"""Frames after a pause before an alarm can begin: 13 without a score, and the window of the median."""

NORMAL, TEST = "normal ", "test "
"""What the names of clips in the films begin with."""

Alarm = tuple[int, int]
"""Ticks of the film in which an alarm begins and ends."""


def measure_accuracy(
    dataset: Dataset, model: Path, folder: Path, *, rounds: int, quick: bool, say: Callable[[str], None]
) -> Accuracy:
    """Plays the test clips `rounds` times, each between two normal ones, on several cameras at once.

    Raises as `Stand` does.
    """
    films = {
        f"camera-{number}": film_of(
            _programme(dataset.train[number::CAMERAS], dataset.test[number::CAMERAS]) * rounds
        )
        for number in range(min(CAMERAS, len(dataset.test)))
    }
    seconds = max(len(film.units) for film in films.values()) / FPS
    say(f"accuracy: {len(films)} cameras play for {seconds / 60:.1f} min")
    with Stand(folder, films, model, PER_DAY) as stand:
        start = time.monotonic()
        stand.start()
        stand.wait_live(start)
        for name, film in films.items():
            last = max(tick for tick, unit in enumerate(film.units) if unit)
            wait_for(
                lambda name=name, last=last: any(  # type: ignore[misc]
                    push.camera == name and push.tick == last for push in stand.pushes()
                ),
                seconds + 60,
                f"the end of the film of {name}",
            )
        stand.stop()  # which ends and records what goes on
        time.sleep(1)
        told, pushes, kept = stand.listener.told, stand.pushes(), kept_events(stand.data)
        gone = lost(stand.listener.announced(), stand.data)
    shown = {name: pictures(film) for name, film in films.items()}
    alarms = {name: _alarms(name, told, pushes, shown[name]) for name in films}
    return Accuracy(
        quick=quick,
        cameras=len(films),
        per_day=PER_DAY,
        **_judge(films, alarms),
        normal_hours=sum(map(_normal_hours, films.values())),
        normal_hours_in_test=sum(_normal_hours(film, TEST) for film in films.values()),
        latencies_ms=latencies_ms(told, pushes, shown),
        ended=len(kept),
        playable=sum(playable(each.clip) for each in kept.values()),
        lost=len(gone),
        shown={name: _shown(film, alarms[name]) for name, film in films.items()},
    )


def _programme(normal: Sequence[Clip], test: Sequence[Clip]) -> list[Clip]:
    """The clips by turns, a normal one first; their names say which they are."""
    normal = [replace(clip, name=f"{NORMAL}{clip.name}") for clip in normal]
    test = [replace(clip, name=f"{TEST}{clip.name}") for clip in test]
    return [clip for pair in zip_longest(normal, test) for clip in pair if clip is not None]


def _alarms(name: str, told: Sequence[Told], pushes: Sequence[Push], shown: dict[int, Grey]) -> list[Alarm]:
    """The alarms of one camera, by what was told of them."""
    own = [push for push in pushes if push.camera == name]
    ends = {each.body["id"]: each.body for each in told if each.body["type"] == "end"}
    found = []
    for each in told:
        if each.body["camera"] != name or each.body["type"] != "new":
            continue
        first = began(each, own, shown)
        end = ends.get(each.body["id"])
        if first is not None:
            seconds = end["end"] - end["start"] if end else 0.0
            found.append((first.tick, first.tick + round(seconds * FPS)))
    return found


def _judge(films: dict[str, Film], alarms: dict[str, list[Alarm]]) -> dict[str, Any]:
    """Which labelled events were found, and which alarms touch none of them."""
    delays: list[float] = []
    events, false = 0, list[str]()
    for name, film in films.items():
        spans = film.spans()
        events += len(spans)
        for span in spans:
            hits = [alarm for alarm in alarms[name] if _touch(alarm, span)]
            if hits:
                delays.append(max(hits[0][0] - span[0], 0) / FPS)
        false += [
            film.clips[alarm[0]] for alarm in alarms[name] if not any(_touch(alarm, span) for span in spans)
        ]
    return {
        "events": events,
        "found": len(delays),
        "false": len(false),
        "false_in_test": sum(clip.startswith(TEST) for clip in false),
        "delays_s": delays,
    }


def _touch(alarm: Alarm, span: tuple[int, int]) -> bool:
    return alarm[0] < span[1] and alarm[1] >= span[0]


def _normal_hours(film: Film, kind: str = "") -> float:
    """Hours of normal footage, of clips whose name begins so, in which an alarm could begin."""
    of_kind = np.array([name.startswith(kind) for name in film.clips])
    return float((of_kind & ~film.anomalous & (film.places >= WARM_UP)).sum()) / FPS / 3600


def _shown(film: Film, alarms: Sequence[Alarm]) -> Shown:
    starts = [tick for tick, place in enumerate(film.places) if place == 0]
    return Shown(
        seconds=len(film.units) / FPS,
        clips=[(tick / FPS, film.clips[tick]) for tick in starts],
        spans=[(first / FPS, stop / FPS) for first, stop in film.spans()],
        alarms=[(first / FPS, last / FPS) for first, last in alarms],
    )
