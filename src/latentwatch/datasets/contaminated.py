"""A data set whose training footage holds anomalies: what becomes of a model that has seen them (Fig. 6)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource
from latentwatch.video.source import VideoSource

RUN = 24
"""Frames of an inserted run: enough for a window of ours (14 frames) and of the baselines (16), with some to
spare. Single frames would be in no window of consecutive frames."""


@dataclass(frozen=True)
class Contaminated:
    """dataset: with anomalous frames in its training footage, so many of them.

    donors: names of the test clips that may be sampled from, the same for every share.
    """

    dataset: Dataset
    frames: int
    donors: frozenset[str]


def contaminated(dataset: Dataset, share: float, seed: int) -> Contaminated:
    """Puts anomalous frames of test clips into the training footage, as `share` of it, in runs of `RUN`.

    A random half of the test clips may be sampled from, so that the others have never been seen. Their
    labelled spans are cut into runs, which are taken in random order; a larger share holds the runs of a
    smaller one. The test clips stay as they are. Raises `LatentwatchError` where there are too few anomalous
    frames.
    """
    rng = np.random.default_rng(seed)
    chosen = sorted(int(i) for i in rng.permutation(len(dataset.test))[: len(dataset.test) // 2])
    donors = [dataset.test[i] for i in chosen]
    runs = [(clip, first) for clip in donors for first in _anomalous_runs(clip)]
    normal = sum(_length(clip) for clip in dataset.train) if share else 0
    wanted = round(share / (1 - share) * normal / RUN)
    if wanted > len(runs):
        raise LatentwatchError(
            f"{dataset.name}: {share:.0%} of anomalous frames are {wanted * RUN} in runs of {RUN}, "
            f"but the sampled clips hold {len(runs) * RUN}; give a smaller share"
        )
    taken = [runs[int(i)] for i in rng.permutation(len(runs))[:wanted]]
    train = [*(_part(clip, first) for clip, first in taken), *dataset.train]
    name = f"{dataset.name}-{share:.0%}-anomalous".replace("%", "") if share else dataset.name
    return Contaminated(
        replace(dataset, name=name, train=train),
        wanted * RUN,
        frozenset(clip.name for clip in donors),
    )


def _anomalous_runs(clip: Clip) -> list[int]:
    """First frames of runs that do not overlap and lie in a labelled span."""
    if clip.labels is None:
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], clip.labels, [False]])))
    return [
        int(first)
        for start, stop in edges.reshape(-1, 2)
        for first in range(int(start), int(stop) - RUN + 1, RUN)
    ]


def _length(clip: Clip) -> int:
    with clip.open() as source:
        return source.frame_count if source.frame_count else sum(1 for _ in source)


def _part(clip: Clip, first: int) -> Clip:
    name = f"{clip.name}-frames-{first + 1}-to-{first + RUN}"
    return Clip(name, partial(_open_part, clip, first, name), clip.fps)


def _open_part(clip: Clip, first: int, name: str, **options: Any) -> VideoSource:
    with clip.open() as source:
        fps = source.fps
    return GeneratedSource(name, partial(_frames, clip, first), fps=fps, frame_count=RUN, **options)


def _frames(clip: Clip, first: int) -> Iterator[Frame]:
    with clip.open() as source:
        for frame in islice(source, first, first + RUN):
            yield Frame(frame.index - first, frame.time, frame.rgb)
