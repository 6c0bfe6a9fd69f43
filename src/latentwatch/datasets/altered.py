"""Normal footage with one thing in it made abnormal: how settings are chosen without a labelled anomaly.

Moving objects are cut out of the footage and put back into it, at another time, in one of three ways that do
not occur there: three times as fast, twice as large, or moving up or down the picture instead of along their
own path. They follow one another for a part of the clip or for all of it. At all other times an unaltered
object is put in instead, so that the cut itself gives nothing away. More unaltered objects come and go all
the time, so that a fuller scene gives nothing away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource
from latentwatch.video.resize import shrunk
from latentwatch.video.source import VideoSource

Kind = Literal["fast", "large", "across"]

LOWEST_DIFFERENCE = 12.0
"""Grey levels by which a pixel, smoothed, must differ from the background to belong to an object."""

MOST_FRAMES, MOST_ROWS = 400, 240
"""Frames read from the start of each clip, and the height they are shrunk to: they are held in memory."""

SPANS = ((1 / 3, 2 / 3), (0, 2 / 3), (1 / 3, 1), (0, 1))
"""When altered objects are there, in shares of a clip. What a score does over time is judged as it is in a
camera's recordings only if an anomaly may have begun before the clip, may outlast it, or both."""

PASSERS_BY = 4
"""Layers of unaltered objects that come and go: so many at most at a time."""

FADE = 10
"""Frames over which an object comes and goes: a sudden one would itself be abnormal."""

SHORTEST_TRACK = 40
"""Frames for which an object must be seen apart from others to be cut out."""


@dataclass(frozen=True)
class Cutout:
    """An object seen in consecutive frames.

    pictures: uint8 `(h, w, 3)` each, with its opacity `(h, w)` in [0, 1]. corners: `(row, column)` of each in
    its frame.
    """

    pictures: list[NDArray[np.uint8]]
    opacities: list[NDArray[np.float32]]
    corners: list[tuple[int, int]]

    @property
    def travel(self) -> float:
        """Mean pixels a frame that it moves."""
        first, last = np.array(self.corners[0]), np.array(self.corners[-1])
        return float(np.hypot(*(last - first)) / len(self.corners))


def altered(clips: Sequence[Clip], *, copies: int = 6, seed: int = 0) -> Dataset:
    """`copies` altered copies of each clip of normal footage, labelled, with masks.

    Kinds and `SPANS` take turns. Frames are made as they are read. Raises `LatentwatchError` where nothing
    that moves can be cut out of the footage.
    """
    footage = [_frames(clip) for clip in clips]
    cutouts = [cutout for frames in footage for cutout in cut_out(frames)]
    if not cutouts:
        raise LatentwatchError(
            f"nothing moves apart from the rest for {SHORTEST_TRACK} frames in "
            f"{', '.join(clip.name for clip in clips)}; give footage with more activity"
        )
    rng = np.random.default_rng(seed)
    kinds = get_args(Kind)
    test = []
    for place, (clip, frames) in enumerate(zip(clips, footage, strict=True)):
        for number in range(copies):
            kind: Kind = kinds[number % len(kinds)]
            layers = [
                _Layer(
                    [cutouts[int(i)] for i in rng.permutation(len(cutouts))],
                    layer > 0,
                    int(rng.integers(200)),
                )
                for layer in range(1 + PASSERS_BY)
            ]
            first, last = (int(share * len(frames)) for share in SPANS[(place + number) % len(SPANS)])
            chosen = [cutouts[int(i)] for i in rng.permutation(len(cutouts))]
            objects = _one_after_another(chosen, kind, range(first, last), frames.shape[1:3])
            name = f"{clip.name}-{kind}-{number + 1}"
            test.append(_AlteredClip(name, frames, clip.fps, layers, objects).clip())
    return Dataset("altered", list(clips), test, "ped2")


_Seen = tuple[tuple[slice, slice], int]
"""Where an object is in a frame (rows, columns), and its area in pixels."""


def cut_out(frames: NDArray[np.uint8]) -> list[Cutout]:
    """The objects of a clip `(N, H, W, 3)` that move and keep apart from others long enough."""
    background = np.median(frames[:: max(len(frames) // 40, 1)], axis=0)
    tracks: list[Cutout] = []
    live: dict[int, _Seen] = {}
    for frame in frames:
        difference = ndimage.gaussian_filter(np.abs(frame - background).max(axis=-1), 2.0)
        labels, _ = ndimage.label(difference > LOWEST_DIFFERENCE)
        seen: dict[int, _Seen] = {}
        for number, place in enumerate(ndimage.find_objects(labels), start=1):
            part = labels[place] == number
            area = int(part.sum())
            if area < 80 or _touches_edge(place, labels.shape):
                continue
            going_on = (i for i, old in live.items() if i not in seen and _same((place, area), old))
            track = next(going_on, len(tracks))
            if track == len(tracks):
                tracks.append(Cutout([], [], []))
            opacity = np.clip(difference[place] / LOWEST_DIFFERENCE - 1, 0, 1) * part
            tracks[track].pictures.append(frame[place])
            tracks[track].opacities.append(opacity.astype(np.float32))
            tracks[track].corners.append((place[0].start, place[1].start))
            seen[track] = (place, area)
        live = seen
    return [track for track in tracks if len(track.corners) >= SHORTEST_TRACK and track.travel > 0.3]


def _touches_edge(place: tuple[slice, slice], shape: tuple[int, ...]) -> bool:
    rows, columns = place
    return bool(rows.start == 0 or columns.start == 0 or rows.stop == shape[0] or columns.stop == shape[1])


def _same(now: _Seen, before: _Seen) -> bool:
    """Whether it is one object in two consecutive frames, apart from others both times."""
    if not 0.6 < now[1] / before[1] < 1.66:
        return False
    sides = [(a.stop - a.start, b.stop - b.start) for a, b in zip(now[0], before[0], strict=True)]
    smaller = min(sides[0][0] * sides[1][0], sides[0][1] * sides[1][1])
    shared = [min(a.stop, b.stop) - max(a.start, b.start) for a, b in zip(now[0], before[0], strict=True)]
    return bool(min(shared) > 0 and shared[0] * shared[1] > 0.5 * smaller)


def _frames(clip: Clip) -> NDArray[np.uint8]:
    with clip.open() as source:
        return np.stack([shrunk(frame.rgb, MOST_ROWS) for frame in islice(source, MOST_FRAMES)])


_Sprite = tuple[NDArray[np.uint8], NDArray[np.float32], tuple[int, int]]
"""Picture, opacity and corner, as in `Cutout`."""


@dataclass(frozen=True)
class _Layer:
    """Unaltered objects, one after the other; with `pauses`, each is followed by as long a time of none.

    shift: frames by which the layer is ahead.
    """

    cutouts: Sequence[Cutout]
    pauses: bool
    shift: int

    def at(self, index: int) -> _Sprite | None:
        """What it shows in frame `index`."""
        turns = 2 if self.pauses else 1
        at = (index + self.shift) % sum(turns * len(cutout.corners) for cutout in self.cutouts)
        for cutout in self.cutouts:
            length = len(cutout.corners)
            if at < length:
                return cutout.pictures[at], cutout.opacities[at] * _fade(at, length), cutout.corners[at]
            at -= turns * length
            if at < 0:
                return None
        raise AssertionError("the index is within the sum of all lengths")


@dataclass(frozen=True)
class _AlteredObject:
    """An object altered in one way, there for `length` frames from frame `start` on.

    up: whether it goes up the picture if it goes across.
    """

    cutout: Cutout
    kind: Kind
    up: bool
    start: int
    length: int

    def at(self, index: int) -> _Sprite | None:
        """What it shows in frame `index`."""
        at = index - self.start
        if not 0 <= at < self.length:
            return None
        picture, opacity = self.cutout.pictures[at], self.cutout.opacities[at] * _fade(at, self.length)
        corner, (height, width) = self.place(at)
        if opacity.shape != (height, width):
            picture, opacity = (
                np.asarray(Image.fromarray(each).resize((width, height), Image.Resampling.BILINEAR))
                for each in (picture, opacity)
            )
        return picture, opacity, corner

    def place(self, at: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Corner `(row, column)` and size `(height, width)` in the `at`-th frame that it is there."""
        height, width = self.cutout.opacities[at].shape
        (row, column), (first_row, first_column) = self.cutout.corners[at], self.cutout.corners[0]
        if self.kind == "fast":
            return (3 * row - 2 * first_row, 3 * column - 2 * first_column), (height, width)
        if self.kind == "across":
            gone = int(1.5 * at * self.cutout.travel)
            return (row - gone if self.up else row + gone, first_column), (height, width)
        return (row - height, column - width // 2), (2 * height, 2 * width)  # its feet stay in place


def _one_after_another(
    cutouts: Sequence[Cutout], kind: Kind, span: range, shape: tuple[int, ...]
) -> list[_AlteredObject]:
    """Objects that follow one another through the frames of `span`, each as long as it is in the picture.

    Each comes while the one before goes, so that one of them is always there. What goes across goes to the
    edge that is farther away.
    """
    objects: list[_AlteredObject] = []
    start = span.start
    for cutout in cycle(cutouts):
        longest = min(len(cutout.corners), span.stop - start)
        if longest <= 2 * FADE:
            return objects
        up = cutout.corners[0][0] > shape[0] / 2
        altered_object = _AlteredObject(cutout, kind, up, start, longest)
        outside = (at for at in range(longest) if not _inside(shape, *altered_object.place(at)))
        objects.append(replace(altered_object, length=next(outside, longest)))
        start += max(objects[-1].length - FADE, 1)
    return objects


def _inside(shape: tuple[int, ...], corner: tuple[int, int], size: tuple[int, int]) -> bool:
    """Whether any of what is put at `corner` is in the picture."""
    rows, columns = _overlap(shape, size, corner)[0]
    return bool(rows.start < rows.stop and columns.start < columns.stop)


@dataclass(frozen=True)
class _AlteredClip:
    name: str
    frames: NDArray[np.uint8]
    fps: float | None
    layers: Sequence[_Layer]
    objects: Sequence[_AlteredObject]

    def clip(self) -> Clip:
        labels = np.asarray(self.masks().any(axis=(1, 2)))
        return Clip(self.name, self._open, self.fps, labels, self.masks)

    def masks(self) -> NDArray[np.bool_]:
        """Bool `(N, H, W)`: the pixels of the altered objects."""
        masks = np.zeros(self.frames.shape[:3], dtype=bool)
        for index, mask in enumerate(masks):
            for _, opacity, corner in self._altered_at(index):
                target, source = _overlap(mask.shape, opacity.shape, corner)
                mask[target] |= opacity[source] > 0.5
        return masks

    def _open(self, **options: Any) -> VideoSource:
        fps = self.fps or 10.0
        return GeneratedSource(
            f"altered/{self.name}", partial(self._make, fps), fps=fps, frame_count=len(self.frames), **options
        )

    def _make(self, fps: float) -> Iterator[Frame]:
        for index, original in enumerate(self.frames):
            picture = original.astype(np.float32)
            passers_by = [layer.at(index) for layer in self.layers[1:]]
            on_top: Sequence[_Sprite | None] = self._altered_at(index) or [self.layers[0].at(index)]
            for sprite in (*passers_by, *on_top):
                if sprite is not None:
                    _blend(picture, *sprite)
            yield Frame(index, index / fps, picture.astype(np.uint8))

    def _altered_at(self, index: int) -> list[_Sprite]:
        return [sprite for each in self.objects if (sprite := each.at(index)) is not None]


def _fade(at: int, length: int) -> np.float32:
    """Opacity, 0 to 1, of an object in the `at`-th of the `length` frames that it is there."""
    return np.float32(min((at + 1) / FADE, (length - at) / FADE, 1))


def _blend(
    picture: NDArray[np.float32],
    sprite: NDArray[np.uint8],
    opacity: NDArray[np.float32],
    corner: tuple[int, int],
) -> None:
    """Lays `sprite` into `picture` at `corner`; what lies outside is cut off."""
    target, source = _overlap(picture.shape, sprite.shape, corner)
    share = opacity[source][..., None]
    picture[target] = picture[target] * (1 - share) + sprite[source] * share


def _overlap(
    whole: tuple[int, ...], part: tuple[int, ...], corner: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """The slices of a picture and of a part put at `corner` that cover each other; empty where they miss."""
    spans = []
    for size, length, start in zip(whole[:2], part[:2], corner, strict=True):
        first = min(max(start, 0), size)
        last = max(min(start + length, size), first)
        spans.append((slice(first, last), slice(first - start, last - start)))
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])
