"""The procedural street as a data set: normal clips to learn from, one anomaly in each test clip."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.street.camera import Camera
from latentwatch.datasets.street.render import Renderer
from latentwatch.datasets.street.script import KINDS, Actor, clip_actors
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource


def street_dataset(
    *,
    train_clips: int = 8,
    test_clips: int = 7,
    frames: int = 200,
    fps: float = 10.0,
    size: tuple[int, int] = (240, 360),
    seed: int = 0,
    site: bool = False,
) -> Dataset:
    """A street seen by one camera, the same for the same arguments.

    site: the same street later, with a building site on the road where two diggers work; other people pass.

    Test clip i shows the i-th of `KINDS` (again from the first after the last) in its middle part, with
    frame labels and pixel masks. size: `(height, width)` in pixels. Frames are rendered as they are read.
    """
    renderer = Renderer(Camera(size), seed, site=site)
    normal, judged = (30, 40) if site else (10, 20)
    train = [
        _StreetClip(renderer, f"normal-{i + 1:02}", None, frames, fps, (seed, normal, i))
        for i in range(train_clips)
    ]
    test = []
    for i in range(test_clips):
        kind = KINDS[i % len(KINDS)]
        test.append(_StreetClip(renderer, f"{i + 1:02}-{kind}", kind, frames, fps, (seed, judged, i)))
    return Dataset("street", [clip.clip() for clip in train], [clip.clip() for clip in test], "ped2")


class _StreetClip:
    """The plan of one clip; frames and masks are made from it on demand, the same each time."""

    def __init__(
        self,
        renderer: Renderer,
        name: str,
        kind: str | None,
        frames: int,
        fps: float,
        seed: tuple[int, int, int],
    ) -> None:
        self._renderer, self._name, self._frames, self._fps, self._seed = renderer, name, frames, fps, seed
        self._kind = kind

    def clip(self) -> Clip:
        labels = None if self._kind is None else np.array([mask.any() for mask in self.masks])
        return Clip(self._name, self._open, self._fps, labels, None if labels is None else lambda: self.masks)

    @cached_property
    def _actors(self) -> list[Actor]:
        rng = np.random.default_rng(self._seed)
        seconds = self._frames / self._fps
        return clip_actors(self._renderer.camera, seconds, self._kind, rng, site=self._renderer.site)

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """Bool `(N, H, W)`: the visible pixels of the anomaly."""
        return np.stack([self._renderer.mask(self._actors, i / self._fps) for i in range(self._frames)])

    def _open(self, **options: Any) -> GeneratedSource:
        name = f"street/{self._name}"
        return GeneratedSource(name, self._make, fps=self._fps, frame_count=self._frames, **options)

    def _make(self) -> Iterator[Frame]:
        rng = np.random.default_rng((*self._seed, 1))
        drift, cloud = rng.uniform(0, 2 * np.pi, 2)
        for index in range(self._frames):
            time = index / self._fps
            light = 1 + 0.05 * np.sin(0.06 * time + drift) + 0.02 * np.sin(0.4 * time + cloud)
            yield Frame(index, time, self._renderer.frame(self._actors, time, float(light), rng))
