"""Clips made from clips: in bad weather, or at a lower frame rate."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

from latentwatch.datasets.dataset import Clip
from latentwatch.errors import UsageError
from latentwatch.video.corrupt import Corruption, corrupt
from latentwatch.video.derived import DerivedSource
from latentwatch.video.frame import Frame
from latentwatch.video.rate import at_rate
from latentwatch.video.source import VideoSource

SAME_RATE = 1.1
"""Frame rates whose ratio is smaller count as the same: 29.97 and 30 frames a second, or 25 and 24."""


def corrupted(clip: Clip, how: Corruption) -> Clip:
    """The clip with its frames changed at their own size, before any resizing; labels and masks stay."""

    def change(frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield Frame(frame.index, frame.time, corrupt(frame.rgb, frame.index, how))

    def opened(size: tuple[int, int] | None = None) -> VideoSource:
        source = clip.open()
        return DerivedSource(source, change, fps=source.fps, frame_count=source.frame_count, size=size)

    return replace(clip, source=opened)


def at_fps(clip: Clip, fps: float, say: Callable[[str], None]) -> Clip:
    """The clip at the frame rate of a model: it has learned what moves how far from frame to frame.

    Of faster footage the frames nearest to that rate, with their index and time (`at_rate`); slower footage
    stays, since no frame is made up. `say` is told of both when the clip is opened. A folder of images has no
    times, so its frames are taken as they are. No labels, no masks.
    """
    if not _has_times(clip):
        return clip

    def opened(size: tuple[int, int] | None = None) -> VideoSource:
        source = clip.open(size)
        if source.fps * SAME_RATE < fps:
            say(
                f"{clip.name}: has {source.fps:g} frames/s, and the model learned {fps:g}: "
                "what moves is too fast for it"
            )
        if source.fps <= fps * SAME_RATE:
            return source
        say(f"{clip.name}: of its {source.fps:g} frames/s {fps:g} are taken, as many as the model learns")
        return DerivedSource(source, partial(at_rate, fps=fps), fps=fps, frame_count=None)

    return Clip(name=clip.name, source=opened, fps=clip.fps, taken_from=f"{clip.identity}, {fps:g} frames/s")


def at_one_rate(clips: Sequence[Clip], fps: float | None, say: Callable[[str], None]) -> list[Clip]:
    """The clips at the rate that a model is to learn, see `at_fps`: `fps`, or the lowest of theirs.

    A folder of images without times counts as having that rate. Raises `UsageError` where a clip has fewer
    frames a second than `fps`, and as opening it does.
    """
    rates = [_fps_of(clip) for clip in clips]
    known = [rate for rate in rates if rate is not None]
    if fps is None and not known:
        return list(clips)
    wanted = min(known) if fps is None else fps
    made = []
    for clip, rate in zip(clips, rates, strict=True):
        if rate is None:
            made.append(replace(clip, fps=wanted))
        elif rate * SAME_RATE < wanted:
            raise UsageError(
                f"{clip.name}: has {rate:g} frames/s, not {wanted:g}: none can be made up; "
                "give a lower rate, or other footage"
            )
        else:
            made.append(clip if rate <= wanted * SAME_RATE else at_fps(clip, wanted, say))
    return made


def _fps_of(clip: Clip) -> float | None:
    if not _has_times(clip):
        return None
    with clip.open() as source:
        return source.fps


def _has_times(clip: Clip) -> bool:
    """Whether its frame rate is known: a folder of images has none, unless somebody knows it."""
    return clip.fps is not None or not (isinstance(clip.source, Path) and clip.source.is_dir())


def every(clip: Clip, step: int, first: int = 0) -> Clip:
    """The clip's frames `first`, `first + step` and so on, numbered anew, with their labels; without masks.

    first: 0 to `step - 1`; if not 0, the clip's name says so.
    """

    def choose(frames: Iterator[Frame]) -> Iterator[Frame]:
        for number, frame in enumerate(islice(frames, first, None, step)):
            yield Frame(number, frame.time, frame.rgb)

    def opened(size: tuple[int, int] | None = None) -> VideoSource:
        source = clip.open(size)
        count = None if source.frame_count is None else -(-(source.frame_count - first) // step)
        return DerivedSource(source, choose, fps=source.fps / step, frame_count=count)

    return Clip(
        name=f"{clip.name} from {first}" if first else clip.name,
        source=opened,
        fps=None if clip.fps is None else clip.fps / step,
        labels=None if clip.labels is None else clip.labels[first::step],
    )
