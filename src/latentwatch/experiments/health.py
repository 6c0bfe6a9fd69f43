"""Camera health on footage that is known to be good, and on the same footage spoiled in known ways."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.registry import open_dataset
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.evaluation.results import ResultFile, Row, describe_run, write_result
from latentwatch.experiments.seeds import Plan
from latentwatch.monitor.health import HealthMonitor, Problem
from latentwatch.monitor.health_reference import HealthReference, learn_health
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


def _scaled(factor: float, plus: float = 0.0) -> Callable[[Rgb, Rgb, int], Rgb]:
    return lambda rgb, _first, _index: np.clip(rgb * factor + plus, 0, 255).astype(np.uint8)


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


def _blurred(share: float) -> Callable[[Rgb, Rgb, int], Rgb]:
    """A Gaussian blur whose standard deviation is a share of the picture's height."""
    return lambda rgb, _first, _index: np.asarray(
        Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(share * rgb.shape[0]))
    )


def _shifted(share: float) -> Callable[[Rgb, Rgb, int], Rgb]:
    """Everything is to the right by a share of the width."""

    def make(rgb: Rgb, _first: Rgb, _index: int) -> Rgb:
        by = round(share * rgb.shape[1])
        return np.pad(rgb, ((0, 0), (by, 0), (0, 0)), mode="reflect")[:, : rgb.shape[1]]

    return make


def _noisy(sigma: float) -> Callable[[Rgb, Rgb, int], Rgb]:
    def make(rgb: Rgb, _first: Rgb, index: int) -> Rgb:
        noise = np.random.default_rng(index).normal(0, sigma, rgb.shape[:2])[..., None]
        return np.clip(rgb + noise, 0, 255).astype(np.uint8)

    return make


ALTERATIONS = (
    Alteration("black", "black", _scaled(0.02)),
    Alteration("a quarter of the light", "too dark", _scaled(0.25)),
    Alteration("120 grey levels brighter", "overexposed", _scaled(1.0, 120)),
    Alteration("frozen", "frozen", lambda _rgb, first, _index: first),
    Alteration("covered, all of it", "covered", _covered(1.0)),
    Alteration("covered, 60% of it", "covered", _covered(0.6)),
    Alteration("blur of 1.7% of the height", "defocused", _blurred(0.017)),
    Alteration("blur of 1% of the height", "defocused", _blurred(0.01)),
    Alteration("moved by 15% of the width", "moved", _shifted(0.15)),
    Alteration("moved by 5% of the width", "moved", _shifted(0.05)),
    Alteration("noise of 40 grey levels", "too noisy", _noisy(40)),
)


def reproduce_health(plan: Plan) -> Path:
    """Learns the health of street and Ped2 from their training clips and judges good and spoiled footage.

    Writes `health.json` and `health.md`, and gives the page. Raises as reading does.
    """
    rows: list[Row] = []
    for dataset in (open_dataset("ped2", plan.data), street_dataset()):
        plan.say(f"{dataset.name}: learning")
        reference = learn_health(frame for clip in dataset.train for frame in clip.open())
        rows += _good_footage(dataset, reference)
        for alteration in ALTERATIONS:
            rows += _spoiled_footage(dataset, reference, alteration)
            found = rows[-2].value
            plan.say(f"{dataset.name}, {alteration.name}: {found:.0%} of the clips reported as it")
    result = ResultFile(
        name="health",
        command="latentwatch reproduce health --data DIR",
        **describe_run(),
        settings={"good seconds": GOOD, "spoiled seconds": SPOILED},
        protocol=(
            "learned from the training clips; false alarms are problems reported on any unaltered frame of the "
            "training and test clips, each frame looked at; suspect_frames_share are frames with a problem "
            "that did not last; then each test clip is spoiled after its first seconds: share of the clips in "
            "which just the right problem is reported, and the median delay in seconds"
        ),
        rows=rows,
    )
    return write_result(result, plan.results, {})


def _row(dataset: Dataset, what: str, metric: str, value: float) -> Row:
    return Row(
        system="health", preset="-", dataset=dataset.name, score=what, metric=metric, value=value, seeds=1
    )


def _good_footage(dataset: Dataset, reference: HealthReference) -> list[Row]:
    reported = suspect = frames = 0
    for clip in (*dataset.train, *dataset.test):
        monitor = HealthMonitor(reference, interval=0)
        with clip.open() as source:
            for frame in source:
                reported += len(monitor.update(frame))
                suspect += monitor.suspect
                frames += 1
    return [
        _row(dataset, "unaltered", "frames", frames),
        _row(dataset, "unaltered", "false_alarms", reported),
        _row(dataset, "unaltered", "suspect_frames_share", suspect / frames),
    ]


def _spoiled_footage(dataset: Dataset, reference: HealthReference, alteration: Alteration) -> list[Row]:
    """Two rows: the share of clips in which it is found, and the delay."""
    delays = []
    for clip in dataset.test:
        monitor = HealthMonitor(reference)
        events = [event for frame in _spoiled(clip, alteration) for event in monitor.update(frame)]
        if {event.problem for event in events} == {alteration.problem}:
            delays.append(events[0].time - GOOD)
    share = len(delays) / len(dataset.test)
    delay = float(np.median(delays)) if delays else -1.0
    return [
        _row(dataset, alteration.name, "found_share", share),
        _row(dataset, alteration.name, "delay_s", delay),
    ]


def _spoiled(clip: Clip, alteration: Alteration) -> Iterator[Frame]:
    first: Rgb | None = None
    with clip.open() as source:
        for frame in islice(source, round((GOOD + SPOILED) * source.fps)):
            if frame.time < GOOD:
                yield frame
                continue
            first = frame.rgb if first is None else first
            yield Frame(frame.index, frame.time, alteration.make(frame.rgb, first, frame.index))
