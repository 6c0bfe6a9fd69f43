"""The load test: throughput against latency for more and more cameras, and what bounds it."""

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from latentwatch.errors import StoppedError
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, make_folder, write_result
from latentwatch.evaluation.run import score_name
from latentwatch.experiments.streams.costs import FRAMES, ROUNDS, Cost, measure_costs
from latentwatch.experiments.streams.film import SIZE, camera_film
from latentwatch.experiments.streams.load import SETTLE, TOLERATED, Load, measure_load
from latentwatch.experiments.streams.page import cameras, load_remarks, load_rows
from latentwatch.experiments.streams.plots import plot_loads
from latentwatch.scoring.detector import Detector
from latentwatch.video.live import KEEP

NAME = "streams"


@dataclass(frozen=True)
class StreamsPlan:
    """What to measure.

    streams: numbers of cameras; rates: frames a second of each. seconds: for each pair of the two. wait:
    seconds, see `Scheduler`. results: folder of the page. command: how the page names the run. say: is told
    how it goes.
    """

    detector: Detector
    source: Path
    streams: Sequence[int]
    rates: Sequence[float]
    seconds: float
    wait: float
    results: Path
    command: str
    say: Callable[[str], None] = print


def measure_streams(plan: StreamsPlan) -> Path:
    """Measures all pairs and writes `streams.json`, `streams.md` and `streams.png`, anew after each.

    Gives the page. Raises `StoppedError` on Ctrl-C, with what was measured in the page; else as its parts do.
    """
    pairs = [(rate, number) for rate in sorted(plan.rates) for number in sorted(plan.streams)]
    loads: list[Load] = []
    page: Path | None = None
    try:
        with tempfile.TemporaryDirectory() as folder:
            plan.say(f"making ready, then {len(pairs)} measurements of {plan.seconds:g} s each")
            film = camera_film(plan.source, Path(folder))
            make_folder(plan.results)
            costs = measure_costs(plan.detector, film, sorted({1, max(plan.streams)}))
            began = time.monotonic()
            for rate, number in pairs:
                loads.append(
                    measure_load(
                        plan.detector, film, streams=number, fps=rate, seconds=plan.seconds, wait=plan.wait
                    )
                )
                page = _write(plan, costs, loads)
                left = (time.monotonic() - began) / len(loads) * (len(pairs) - len(loads))
                plan.say(f"{_line(loads[-1])}; about {left:.0f} s left")
    except KeyboardInterrupt:
        kept = f"the {len(loads)} measured are in {page}" if page else "nothing was measured yet"
        raise StoppedError(f"stopped at {len(loads)} of {len(pairs)} measurements; {kept}") from None
    assert page is not None
    return page


def _line(load: Load) -> str:
    return (
        f"{cameras(load.streams)} at {load.fps:g} frames/s: {load.scored_fps:.1f} frames/s scored, "
        f"{load.lost_percent:.1f}% lost, latency {load.p50_ms:.0f} ms (99%: {load.p99_ms:.0f} ms)"
    )


def _write(plan: StreamsPlan, costs: Sequence[Cost], loads: Sequence[Load]) -> Path:
    plot = f"{NAME}.png"
    plot_loads(loads, costs, plan.results / plot)
    architecture = plan.detector.architecture
    result = ResultFile(
        name=NAME,
        command=plan.command,
        protocol=(
            f"cameras are one film of {SIZE[1]}x{SIZE[0]} H.264, each decoded by itself, in real time, at "
            f"evenly spread moments; every frame is scored; at most {KEEP} frames of a camera wait, older "
            "ones are dropped; latency from the moment when a frame is due to its result; the first "
            f"{SETTLE:g} s do not count; kept up with: at most {TOLERATED:g}% of the frames lost; costs are "
            f"medians of {ROUNDS} rounds of {FRAMES} frames or more, measured before the cameras start"
        ),
        settings={
            "engine": str(plan.detector.engine),
            "threads": torch.get_num_threads(),
            "height": architecture.height,
            "width_px": architecture.width_px,
            "k": architecture.k,
            "blocks": architecture.blocks,
            "base_width": architecture.base_width,
            "wait_ms": round(1000 * plan.wait),
            "seconds": plan.seconds,
        },
        remarks=load_remarks(costs, loads),
        rows=load_rows(
            f"{architecture.height}x{architecture.width_px}",
            score_name(plan.detector.fusion),
            costs,
            loads,
        ),
        **describe_run(),
    )
    caption = "Latency against throughput, and the processor time of a frame by stage."
    return write_result(result, plan.results, {plot: caption})
