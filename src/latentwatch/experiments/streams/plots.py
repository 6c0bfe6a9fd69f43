"""The pictures of the load test and of the long run."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from latentwatch.evaluation.plots import BLUE, GREEN, ORANGE, PURPLE, SKY
from latentwatch.experiments.streams.costs import STAGES, Cost
from latentwatch.experiments.streams.load import Load

YELLOW = "#E69F00"  # of Okabe and Ito, as the others


def plot_loads(loads: Sequence[Load], costs: Sequence[Cost], path: Path) -> None:
    """Left: latency against frames scored a second, a line for each rate of the cameras, points by number of
    cameras, hollow where frames were lost. Right: processor time of a frame by stage and size of batch.
    """
    figure = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for fps, colour in zip(sorted({load.fps for load in loads}), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        points = [load for load in loads if load.fps == fps]
        rates = [load.scored_fps for load in points]
        for values, style, name in (
            ([load.p50_ms for load in points], "-", "median"),
            ([load.p99_ms for load in points], ":", "99%"),
        ):
            left.plot(rates, values, style, color=colour, label=f"cameras at {fps:g} frames/s, {name}")
            for load, value in zip(points, values, strict=True):
                face = colour if load.kept_up else "white"
                left.plot(load.scored_fps, value, "o", color=colour, markerfacecolor=face, markersize=5)
        for load in points:
            left.annotate(
                str(load.streams),
                (load.scored_fps, load.p50_ms),
                xytext=(3, -10),
                textcoords="offset points",
                fontsize=8,
            )
    left.set(xlabel="frames scored a second, all cameras", ylabel="latency, arrival to result (ms)")
    left.set_yscale("log")
    left.yaxis.set_major_formatter("{x:g}")
    left.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    left.yaxis.set_minor_formatter(NullFormatter())
    left.set_title("by number of cameras; hollow: frames were lost", fontsize=9)
    left.legend(frameon=False, fontsize=8)
    batches = sorted({cost.batch for cost in costs})
    below = [0.0] * len(batches)
    for stage, colour in zip(STAGES, (BLUE, YELLOW, ORANGE, GREEN, SKY, PURPLE), strict=True):
        heights = [cost.cpu_ms for cost in costs if cost.stage == stage]
        right.bar(
            [str(batch) for batch in batches], heights, bottom=below, color=colour, label=stage, width=0.6
        )
        below = [low + height for low, height in zip(below, heights, strict=True)]
    right.set(xlabel="frames in a batch", ylabel="processor time of a frame (ms)")
    right.set_ylim(0, 1.45 * max(below))
    right.legend(frameon=False, fontsize=8, ncols=2, loc="upper center")
    figure.savefig(path, dpi=150)


def plot_steps(
    steps: Sequence[int], cpu_us: Sequence[float], memory_mib: Sequence[float], path: Path
) -> None:
    """Processor time of a step, in microseconds, and memory against the length of the stream, both from 0."""
    figure = Figure(figsize=(9, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(steps, cpu_us, "o-", color=BLUE, markersize=3)
    left.set(ylabel="processor time of a step (µs)")
    right.plot(steps, memory_mib, "o-", color=ORANGE, markersize=3)
    right.set(ylabel="resident memory (MiB)")
    for axes, values in ((left, cpu_us), (right, memory_mib)):
        axes.set(xlabel="steps since the start of the stream", xlim=(0, None), ylim=(0, 1.2 * max(values)))
    figure.savefig(path, dpi=150)
