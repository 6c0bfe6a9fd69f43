"""A video file in, scores out: how many frames a second, and where the time goes."""

import time
from dataclasses import dataclass
from pathlib import Path

from latentwatch.experiments.speed.systems import street_frames
from latentwatch.scoring.detector import Detector
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter

SIZES = ((240, 360), (1080, 1920))
"""Height and width of the films in pixels."""

STAGES = ("decode", "resize", "score")

FPS = 25.0


@dataclass(frozen=True)
class Run:
    """Seconds a frame of one run through a film, from opening the file to the last score, and of its stages.

    The decoder works on threads of its own beside the other stages: `decode` is the wait for it, with the
    conversion to RGB.
    """

    total: float
    decode: float
    resize: float
    score: float


def street_film(size: tuple[int, int], frames: int, path: Path) -> None:
    """Writes an H.264 film of the street; it runs to and fro, since large pictures take long to draw."""
    drawn = street_frames(size, min(frames, 12))
    there_and_back = drawn + drawn[-2:0:-1]
    with VideoWriter(path, FPS) as writer:
        for index in range(frames):
            writer.write(there_and_back[index % len(there_and_back)])


def run_through(film: Path, detector: Detector, size: tuple[int, int]) -> Run:
    """Scores a whole film. size: the model's input size, `(height, width)`."""
    detector.reset()
    resizing = scoring = 0.0
    frames = 0
    began = time.perf_counter()
    with open_video(film) as source:
        for frame in source:
            there = time.perf_counter()
            small = Frame(frame.index, frame.time, resize(frame.rgb, size))
            resized = time.perf_counter()
            detector.step(small)
            resizing += resized - there
            scoring += time.perf_counter() - resized
            frames += 1
    total = time.perf_counter() - began
    parts = (total, total - resizing - scoring, resizing, scoring)
    return Run(*(part / frames for part in parts))
