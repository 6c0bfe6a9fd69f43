"""Camera health on footage that is known to be good, and on the same footage spoiled in known ways."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan, dataset_of
from latentwatch.monitor.health import BEGINS_AFTER, HealthMonitor, Problem
from latentwatch.monitor.health_reference import INTERVAL, HealthReference, learn_health
from latentwatch.video.corrupt import Corruption, corrupt
from latentwatch.video.frame import Frame

Rgb = NDArray[np.uint8]

GOOD, SPOILED = 4.0, 14.0
"""Seconds of a clip that are left as they are, and at most so many that are then spoiled."""


@dataclass(frozen=True)
class Alteration:
    """A way to spoil pictures, and the problem that must be reported of it."""

    name: str
    problem: Problem
    make: Callable[[Rgb, Rgb, int], Rgb]
    """From a picture, the first spoiled one of the clip, and the picture's number."""


def _changed(how: str) -> Callable[[Rgb, Rgb, int], Rgb]:
    """As `latentwatch.video.corrupt` has it."""
    change = Corruption.parse(how)
    return lambda rgb, _first, index: corrupt(rgb, index, change)


def _brighter(rgb: Rgb, _first: Rgb, _index: int) -> Rgb:
    return np.clip(rgb.astype(np.int16) + 120, 0, 255).astype(np.uint8)


def _covered(share: float) -> Callable[[Rgb, Rgb, int], Rgb]:
    """A dark thing with a soft shade, of which the camera has some noise, over so much of the width."""

    def make(rgb: Rgb, _first: Rgb, index: int) -> Rgb:
        height, width = rgb.shape[0], round(share * rgb.shape[1])
        shade = 50 + np.linspace(0, 20, width) + np.linspace(0, 10, height)[:, None]
        noise = np.random.default_rng(index).normal(0, 1.5, (height, width))
        out = rgb.copy()
        out[:, :width] = np.clip(shade + noise, 0, 255).astype(np.uint8)[..., None]
        return out

    return make


def _shifted(share: float) -> Callable[[Rgb, Rgb, int], Rgb]:
    """Everything is to the right by a share of the width."""

    def make(rgb: Rgb, _first: Rgb, _index: int) -> Rgb:
        by = round(share * rgb.shape[1])
        return np.pad(rgb, ((0, 0), (by, 0), (0, 0)), mode="reflect")[:, : rgb.shape[1]]

    return make


def _frozen(_rgb: Rgb, first: Rgb, _index: int) -> Rgb:
    return first


ALTERATIONS = (
    Alteration("brightness=0.02", "black", _changed("brightness=0.02")),
    Alteration("brightness=0.25", "too dark", _changed("brightness=0.25")),
    Alteration("120 grey levels brighter", "overexposed", _brighter),
    Alteration("frozen", "frozen", _frozen),
    Alteration("covered", "covered", _covered(1.0)),
    Alteration("covered to 60%", "covered", _covered(0.6)),
    Alteration("blur=4", "defocused", _changed("blur=4")),
    Alteration("blur=2", "defocused", _changed("blur=2")),
    Alteration("moved by 15% of the width", "moved", _shifted(0.15)),
    Alteration("moved by 5% of the width", "moved", _shifted(0.05)),
    Alteration("noise=0.15", "too noisy", _changed("noise=0.15")),
)


def reproduce_health(plan: Plan) -> Path:
    """Learns the health of street and Ped2 from their training clips and judges good and spoiled footage.

    Writes the page anew after each of the two, and gives it. Raises as reading does.
    """
    rows: list[Row] = []
    page = plan.results / f"{plan.name}.md"
    for dataset in (dataset_of(plan, "ped2"), street_dataset(train_clips=4)):
        plan.say(f"{dataset.name}: learning")
        reference = learn_health(frame for clip in dataset.train for frame in clip.open())
        rows += _good_footage(plan, dataset, reference)
        rows += _spoiled_footage(plan, dataset, reference)
        page = _write(plan, rows)
    return page


def _write(plan: Plan, rows: list[Row]) -> Path:
    result = ResultFile(
        name=plan.name,
        command="latentwatch reproduce health --data DIR",
        protocol="learned from the training clips. Unaltered: all frames of training and test clips, each "
        "looked at; false_alarms are the problems reported, suspect_percent the frames with a problem that "
        "did not last. Altered: each test clip is spoiled after its first seconds; found_percent are the "
        "clips in which the right problem and no other is reported, delay_s is the median until then",
        settings={"good seconds": GOOD, "spoiled seconds at most": SPOILED, "reported after": BEGINS_AFTER},
        rows=rows,
        **describe_run(),
    )
    return write_page(result, plan.results, {})


def _row(plan: Plan, dataset: Dataset, what: str, metric: str, value: float) -> Row:
    return Row(
        system="health",
        preset="-",
        dataset=dataset.name,
        score=what,
        metric=metric,
        value=value,
        seeds=1,
        status=plan.status,
    )


def _good_footage(plan: Plan, dataset: Dataset, reference: HealthReference) -> list[Row]:
    reported = suspect = frames = 0
    for clip in (*dataset.train, *dataset.test):
        monitor = HealthMonitor(reference, interval=0)
        with clip.open() as source:
            for frame in source:
                reported += len(monitor.update(frame))
                suspect += monitor.suspect
                frames += 1
    return [
        _row(plan, dataset, "unaltered", "frames", frames),
        _row(plan, dataset, "unaltered", "false_alarms", reported),
        _row(plan, dataset, "unaltered", "suspect_percent", 100 * suspect / frames),
    ]


def _spoiled_footage(plan: Plan, dataset: Dataset, reference: HealthReference) -> list[Row]:
    """Two rows for each alteration: the clips in which it is found, and the delay, -1 where it is in none."""
    delays: dict[str, list[float]] = {alteration.name: [] for alteration in ALTERATIONS}
    for number, clip in enumerate(dataset.test, start=1):
        frames = _looked_at(clip)
        for alteration in ALTERATIONS:
            monitor = HealthMonitor(reference)
            events = [event for frame in _spoiled(frames, alteration) for event in monitor.update(frame)]
            if {event.problem for event in events} == {alteration.problem}:
                delays[alteration.name].append(events[0].time - GOOD)
        plan.say(f"{dataset.name}: {number} of {len(dataset.test)} clips spoiled")
    rows = []
    for name, found in delays.items():
        share = 100 * len(found) / len(dataset.test)
        rows.append(_row(plan, dataset, name, "found_percent", share))
        rows.append(_row(plan, dataset, name, "delay_s", float(np.median(found)) if found else -1.0))
    return rows


def _looked_at(clip: Clip) -> list[Frame]:
    """The frames at which the monitor looks."""
    with clip.open() as source:
        step = max(round(INTERVAL * source.fps), 1)
        return list(islice(source, 0, round((GOOD + SPOILED) * source.fps), step))


def _spoiled(frames: list[Frame], alteration: Alteration) -> Iterator[Frame]:
    first: Rgb | None = None
    for frame in frames:
        if frame.time < GOOD:
            yield frame
            continue
        first = frame.rgb if first is None else first
        yield Frame(frame.index, frame.time, alteration.make(frame.rgb, first, frame.index))


HEALTH = Experiment(
    name="health",
    paper="not in it",
    about="camera health: false alarms on good footage, and what is found of spoiled footage",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=0, scored=2200),  # no network: as much time as scoring so many frames takes
    quick_work=Work(trained=0, scored=2200),
    run=reproduce_health,
    one_seed=True,
)
