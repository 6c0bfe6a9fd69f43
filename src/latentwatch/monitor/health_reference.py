"""How a camera's pictures look when all is well with it, learned from its normal footage."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.picture_measures import Grey, Looks, looks_of, measure, small_grey
from latentwatch.video.frame import Frame
from latentwatch.whole_file import whole_file

HOURS = 8
"""Parts of the enrolment that are averaged each by itself, so that day and night may look different."""

ENOUGH = 16
"""Pictures that make one such part, and the least that a reference is learned from."""

KEPT = 512
"""Pictures that are kept while learning, spread over all of it."""

LOW, HIGH = 0.005, 0.995
"""Quantiles that stand for the least and the most of a measure: a few bad pictures must not set them."""

LONG_ENOUGH = 600.0
"""Seconds of footage that show how much the edges vary with those who pass. A minute may show one or two
people, and the next one a crowd that hides a quarter of the edges."""

EDGES_UNTIL_THEN = 0.7
"""The most that the limit of `edges` is taken for before. Measured on Ped2 and the street: the limits of all
their footage are 0.64 and 0.68, of 18 seconds of Ped2 up to 0.88; moved by 5%, pictures are at 0.5."""

INTERVAL = 0.2
"""Seconds between two pictures that are looked at."""


@dataclass(frozen=True)
class Limits:
    """Normal extremes of `Measures`, and the longest time, in seconds, that nothing at all changed."""

    peak: float
    brightness: float
    white: float
    sharpness: float
    layout: float
    edges: float
    noise: float
    still_seconds: float


@dataclass(frozen=True)
class HealthReference:
    """What `HealthMonitor` compares with.

    usual: the camera's looks at its various hours. structure: the least of `Measures.structure`, by cell.
    """

    usual: list[Looks]
    structure: NDArray[np.float32]
    limits: Limits


def learn_health(frames: Iterable[Frame], *, interval: float = INTERVAL) -> HealthReference:
    """A reference from normal footage in the order of its time, of which every `interval` seconds count.

    Memory is bounded, however long the footage. Raises `LatentwatchError` for fewer than `ENOUGH` pictures.
    """
    greys: list[Grey] = []
    noises: list[float] = []
    before: Grey | None = None
    due = last = float("-inf")
    looked, every, still_since, longest, seconds = 0, 1, 0.0, 0.0, 0.0
    for frame in frames:
        if last <= frame.time < due:
            continue
        if frame.time < last:  # another clip
            before = None
        grey = small_grey(frame.rgb)
        if before is not None:
            seconds += min(frame.time - last, 1.0)  # a gap shows nothing
        if before is None or (grey != before).any():
            still_since = frame.time
        longest = max(longest, frame.time - still_since)
        if looked % every == 0:
            greys.append(grey)
            noises.append(measure(grey, before, []).noise)
            if len(greys) == KEPT:
                greys, noises, every = greys[::2], noises[::2], 2 * every
        looked += 1
        before, last, due = grey, frame.time, frame.time + interval
    if len(greys) < ENOUGH:
        raise LatentwatchError(
            f"the footage is too short to learn the camera's health from: {len(greys)} pictures, "
            f"{ENOUGH} are needed; give more"
        )
    parts = np.array_split(np.arange(len(greys)), min(HOURS, len(greys) // ENOUGH))
    usual = [looks_of(np.mean([greys[i] for i in part], axis=0, dtype=np.float32)) for part in parts]
    seen = [measure(grey, None, usual) for grey in greys]

    def low(name: str) -> float:
        return float(np.quantile([getattr(each, name) for each in seen], LOW))

    limits = Limits(
        peak=low("peak"),
        brightness=low("brightness"),
        white=float(np.quantile([each.white for each in seen], HIGH)),
        sharpness=low("sharpness"),
        layout=low("layout"),
        edges=low("edges") if seconds >= LONG_ENOUGH else min(low("edges"), EDGES_UNTIL_THEN),
        noise=float(np.quantile(noises, HIGH)),
        still_seconds=longest,
    )
    structure = np.quantile([each.structure for each in seen], LOW, axis=0).astype(np.float32)
    return HealthReference(usual, structure, limits)


def save_health(reference: HealthReference, path: Path) -> None:
    """Writes it as a safetensors file, whole or not at all. Raises `LatentwatchError` where it cannot."""
    arrays = {
        "layout": np.stack([looks.layout for looks in reference.usual]),
        "edges": np.stack([looks.edges for looks in reference.usual]),
        "structure": reference.structure,
    }
    try:
        with whole_file(path) as part:
            save_file(arrays, part, metadata={"limits": json.dumps(asdict(reference.limits))})
    except OSError as error:
        raise LatentwatchError(f"{path}: cannot be written: {error.strerror}") from error


def load_health(path: Path) -> HealthReference:
    """Reads what `save_health` wrote. Raises `LatentwatchError` where it is missing or damaged."""
    try:
        with safe_open(path, framework="numpy") as file:
            layouts, edges = file.get_tensor("layout"), file.get_tensor("edges")
            usual = [Looks(*pair) for pair in zip(layouts, edges, strict=True)]
            limits = Limits(**json.loads(file.metadata()["limits"]))
            return HealthReference(usual, file.get_tensor("structure"), limits)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LatentwatchError(f"{path}: not a health reference, or damaged; learn it again") from error
