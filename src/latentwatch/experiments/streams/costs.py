"""What one frame costs, stage by stage, in processor time: what bounds the number of cameras."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np

from latentwatch.engines.stream import Codes, MotionStream
from latentwatch.errors import LatentwatchError
from latentwatch.scoring.detector import Detector
from latentwatch.video.source import open_video

STAGES = ("decode", "resize", "encode", "motion", "speed", "boxes")
"""decode: H.264 to RGB. encode: RGB to latent code, background subtraction counted in. motion: what the
motion model does for one more frame. speed: optical flow, where speed is a part of the score. boxes: error
map, score and boxes."""

FRAMES = 32
ROUNDS = 5


@dataclass(frozen=True)
class Cost:
    """Milliseconds of processor time for one frame in one of `STAGES`, in batches of `batch`.

    All threads are counted. What is not done in batches has the same cost in all.
    """

    stage: str
    batch: int
    cpu_ms: float


def measure_costs(detector: Detector, film: Path, batches: list[int]) -> list[Cost]:
    """The cost of each stage at each size of batch; medians of `ROUNDS` rounds.

    Raises `LatentwatchError` where the film has too few frames.
    """
    needed = max(FRAMES, *batches)
    with open_video(film) as source:
        frames = list(islice(source, needed))
    if len(frames) < needed:
        raise LatentwatchError(f"{film}: has {len(frames)} frames; {needed} or more are needed to measure on")

    pictures = np.stack([detector.prepare(frame) for frame in frames])
    codes = detector.engine.encode(pictures)
    motion_of_film, judge = _seen(detector.twin().motion, codes), detector.twin()
    ahead = [motion_of_film.push(code) for code in codes]
    speed_maps = [judge.speeds(picture) for picture in pictures]

    def decode() -> None:
        with open_video(film) as source:
            for _ in islice(source, needed):
                pass

    def shrink() -> None:
        for frame in frames:
            detector.prepare(frame)

    def speed() -> None:
        for picture in pictures:
            judge.speeds(picture)

    def boxes() -> None:
        for frame, code, predicted, speed_map in zip(frames, codes, ahead, speed_maps, strict=True):
            judge.judge(frame, code, predicted, speed_map)

    single = {
        stage: _cpu_ms(work) / needed
        for stage, work in (("decode", decode), ("resize", shrink), ("speed", speed), ("boxes", boxes))
    }
    costs = []
    for batch in batches:
        streams = [_seen(detector.twin().motion, codes) for _ in range(batch)]
        parts = [slice(start, start + batch) for start in range(0, needed - batch + 1, batch)]

        def encode(parts: list[slice] = parts) -> None:
            for part in parts:
                detector.engine.encode(pictures[part])

        def motion(parts: list[slice] = parts, streams: list[MotionStream] = streams) -> None:
            for part in parts:
                detector.engine.push_many(streams, codes[part])

        batched = {
            stage: _cpu_ms(work) / (len(parts) * batch)
            for stage, work in (("encode", encode), ("motion", motion))
        }
        costs += [Cost(stage, batch, (single | batched)[stage]) for stage in STAGES]
    return costs


def _seen(motion: MotionStream, codes: Codes) -> MotionStream:
    """The stream with all codes pushed, more than k: before that a motion model may have nothing to do."""
    for code in codes:
        motion.push(code)
    return motion


def _cpu_ms(work: Callable[[], None]) -> float:
    def once() -> float:
        began = time.process_time()
        work()
        return 1000 * (time.process_time() - began)

    once()  # warms up
    return median(once() for _ in range(ROUNDS))
