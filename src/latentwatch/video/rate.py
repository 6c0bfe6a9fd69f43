"""Frames at the rate that a model was trained at, from a camera that has another."""

from collections.abc import Iterable, Iterator

from latentwatch.video.frame import Frame

_TINY = 1e-6
"""Seconds by which a time stamp may be off through rounding."""


def at_rate(frames: Iterable[Frame], fps: float) -> Iterator[Frame]:
    """The frames nearest to the ticks of a clock of `fps` ticks a second, by their time stamps.

    A camera at 25 frames a second read at 10 gives every 2.5th frame: two and three apart by turns. The clock
    starts with the first frame, and anew where time stamps go back. Jitter of up to a sixth of a frame loses
    no tick. A source slower than `fps` gives all its frames: none is made up. Frames keep index and time.
    """
    start = previous = 0.0
    tick = 0
    first = True
    for frame in frames:
        if first or frame.time < previous:
            first, tick = False, 0
            start = previous = frame.time
        # The next frame is expected as far off as the last one: is this one the nearer to the tick?
        if frame.time + (frame.time - previous) / 2 >= start + tick / fps - _TINY:
            yield frame
            # Ticks that a pause left without a frame are not made up for.
            tick = max(tick, int((frame.time - start) * fps + _TINY)) + 1
        previous = frame.time
