"""A very long stream: does the time of a step, or memory, grow with the length of the stream?"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch

from latentwatch.bundle.bundle import Calibration
from latentwatch.engines.choose import open_engine
from latentwatch.engines.names import Choice
from latentwatch.errors import StoppedError
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, make_folder, write_result
from latentwatch.experiments.streams.machine import resident_mib
from latentwatch.experiments.streams.plots import plot_steps
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture
from latentwatch.scoring.detector import Detector
from latentwatch.video.frame import Frame

NAME = "steps"

ARCHITECTURE = Architecture(height=16, width_px=16, k=8, blocks=2, base_width=2)
"""So small that a million steps take minutes; what is kept from step to step is the same but for its size."""

PARTS = 20
"""Measurements over the length of the stream."""


@dataclass(frozen=True)
class Part:
    """One part of the stream.

    steps: frames from the start of the stream to the end of the part. cpu_us: processor time of a step, mean
    of the part, in microseconds. memory_mib: resident memory of the program at the end of the part.
    """

    steps: int
    cpu_us: float
    memory_mib: float


def measure_steps(
    steps: int,
    engine: Choice,
    results: Path,
    command: str,
    *,
    bf16: bool | None = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Scores `steps` frames of noise as one stream with a small untrained model; writes `steps.json`, `.md`
    and `.png` into `results`, and gives the page.

    bf16: see `open_engine`. Raises `StoppedError` on Ctrl-C, with what was measured in the page.
    """
    make_folder(results)
    torch.manual_seed(0)
    model = Decoupled(ARCHITECTURE).eval()
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    detector = Detector(model, calibration, engine=open_engine(model, engine, bf16=bf16))
    noise = np.random.default_rng(0).integers(0, 256, (64, *ARCHITECTURE.size, 3), dtype=np.uint8)
    for index in range(200):  # engines take their memory with their first frames
        detector.step(Frame(index, index / 10, noise[index % len(noise)]))
    detector.reset()
    parts: list[Part] = []
    ends = [steps * (number + 1) // PARTS for number in range(PARTS)]
    done = 0
    began = time.monotonic()
    try:
        for end in ends:
            cpu = time.process_time()
            for index in range(done, end):
                detector.step(Frame(index, index / 10, noise[index % len(noise)]))
            cpu = time.process_time() - cpu
            parts.append(Part(end, 1e6 * cpu / (end - done), resident_mib()))
            done = end
            left = (time.monotonic() - began) / done * (steps - done) / 60
            say(
                f"{done} steps: {parts[-1].cpu_us:.0f} microseconds a step, "
                f"{parts[-1].memory_mib:.1f} MiB; about {left:.1f} min left"
            )
    except KeyboardInterrupt:
        kept = f"; they are in {_write(parts, detector, results, command)}" if parts else ""
        raise StoppedError(f"stopped after {done} of {steps} measured steps{kept}") from None
    return _write(parts, detector, results, command)


def _write(parts: Sequence[Part], detector: Detector, results: Path, command: str) -> Path:
    plot_steps(
        [part.steps for part in parts],
        [part.cpu_us for part in parts],
        [part.memory_mib for part in parts],
        results / f"{NAME}.png",
    )
    half = max(len(parts) // 2, 1)
    first, last = parts[:half], parts[-half:]
    ratio = _median(last) / _median(first)
    growth = parts[-1].memory_mib - parts[0].memory_mib
    c, h, w = ARCHITECTURE.code_shape
    result = ResultFile(
        name=NAME,
        command=command,
        protocol=(
            f"one stream of {parts[-1].steps} frames of noise, code {c}x{h}x{w}, untrained weights; mean "
            "processor time of a step in each part of the stream, and resident memory at its end; the "
            "ratio is the median part of the second half over that of the first, the growth is from the end "
            "of the first part on"
        ),
        settings={
            "engine": str(detector.engine),
            "threads": torch.get_num_threads(),
            "k": ARCHITECTURE.k,
            "parts": len(parts),
        },
        remarks=[
            f"Over {parts[-1].steps} steps the time of a step changed by a factor of {ratio:.3f}, and memory "
            f"by {growth:+.1f} MiB."
        ],
        rows=[
            _row("steps", parts[-1].steps),
            _row("cpu_us_first_half", _median(first)),
            _row("cpu_us_second_half", _median(last)),
            _row("ratio", ratio),
            _row("memory_mib_first", parts[0].memory_mib),
            _row("memory_mib_last", parts[-1].memory_mib),
        ],
        **describe_run(),
    )
    return write_result(result, results, {f"{NAME}.png": "Processor time of a step, and memory."})


def _median(parts: Sequence[Part]) -> float:
    return median(part.cpu_us for part in parts)


def _row(metric: str, value: float) -> Row:
    return Row(preset="small code", dataset="noise", score="z_mse", metric=metric, value=value, seeds=1)
