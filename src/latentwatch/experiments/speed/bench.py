"""`latentwatch bench`: measures, and writes the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch

from latentwatch.baselines.registry import SYSTEMS
from latentwatch.bundle.bundle import Calibration
from latentwatch.engines.choose import open_engine
from latentwatch.errors import StoppedError
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, make_folder, write_result
from latentwatch.experiments.speed import costs
from latentwatch.experiments.speed.end_to_end import SIZES, run_through, street_film
from latentwatch.experiments.speed.measured import SHIPPED, Measured
from latentwatch.experiments.speed.page import plot_speed, tables
from latentwatch.experiments.speed.parts import part_runners
from latentwatch.experiments.speed.race import Lap, Times, race
from latentwatch.experiments.speed.rows import speed_rows
from latentwatch.experiments.speed.systems import (
    OURS,
    Int8Graphs,
    Racer,
    formats,
    int8_graphs,
    racers,
    street_frames,
    use_threads,
    warmed,
)
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import WIDTHS, preset
from latentwatch.scoring.detector import Detector

Section = Literal["race", "parts", "end-to-end"]

Tell = Callable[[str, int, int], None]
"""Is told which section is at work, how many of its steps are done, and of how many."""

FILM_RUNS = 3


@dataclass(frozen=True)
class BenchPlan:
    """What to measure.

    rounds: turns of each runner; seconds: about how long a turn is. datasets: of Table 1, whose sizes
    race; widths: of ours; systems: of the others. memory: whether to measure it, which starts a process
    for each. film_frames: length of the films. only: one section, None for all. threads: of all engines,
    all cores if None.
    """

    rounds: int
    seconds: float
    datasets: tuple[str, ...]
    widths: tuple[str, ...]
    systems: tuple[str, ...]
    memory: bool
    film_frames: int
    only: Section | None
    threads: int | None
    results: Path
    command: str
    status: Literal["measured", "quick"] = "measured"

    @property
    def name(self) -> str:
        """Of the result: `speed`, and what sets a partial one apart, so that it never replaces the whole."""
        parts = ["speed", *([self.only] if self.only else []), *(["quick"] if self.status == "quick" else [])]
        return "-".join(parts)


def full_plan(results: Path, command: str, **changes: object) -> BenchPlan:
    """The plan whose figures count."""
    plan = {
        "rounds": 5,
        "seconds": 0.3,
        "datasets": ("ped2", "ped1", "avenue"),
        "widths": tuple(WIDTHS),
        "systems": tuple(SYSTEMS),
        "memory": True,
        "film_frames": 150,
    }
    return BenchPlan(**{**plan, **changes}, results=results, command=command)  # type: ignore[arg-type]


def quick_plan(results: Path, command: str, **changes: object) -> BenchPlan:
    """One input size, two rounds, short films, no memory: to see that all works."""
    plan = {
        "rounds": 2,
        "seconds": 0.05,
        "datasets": ("ped2",),
        "memory": False,
        "film_frames": 30,
        "status": "quick",
    }
    return full_plan(results, command, **{**plan, **changes})


def run_bench(plan: BenchPlan, tell: Tell) -> tuple[Measured, Path]:
    """Measures all that `plan` asks for and writes `NAME.json`, `NAME.md` and, of a race, `NAME.png`.

    Raises `MissingPackageError` without openvino, `LatentwatchError` where the folder cannot be made, and
    `StoppedError` on Ctrl-C, with all finished rounds in the page.
    """
    threads = use_threads(plan.threads)
    formats()  # asks for openvino before anything takes time
    make_folder(plan.results)
    measured = Measured()
    sections = {"race": measure_race, "parts": _parts, "end-to-end": _end_to_end}
    try:
        for name, section in sections.items():
            if plan.only in (None, name):
                section(plan, measured, tell)
    except KeyboardInterrupt:
        if not (measured.race.rounds or measured.parts.rounds or measured.films):
            raise StoppedError("stopped before a round was finished: nothing is written") from None
        page = _write(plan, measured, threads)
        raise StoppedError(f"stopped; the finished rounds are in {page}") from None
    return measured, _write(plan, measured, threads)


def measure_race(plan: BenchPlan, measured: Measured, tell: Tell) -> None:
    """Adds to `measured` the race of all systems, their arithmetic and, if asked for, their memory.

    Uses as many threads as PyTorch does. Raises `MissingPackageError` without openvino.
    """
    entries = racers(plan.datasets, plan.widths, plan.systems)
    runners: dict[str, Lap] = {}
    graphs: dict[Racer, Int8Graphs] = {}
    for done, racer in enumerate(entries):
        tell("making the systems ready", done, len(entries))
        if racer.precision == "int8":
            network = racer.network()
            assert isinstance(network, Decoupled)
            graphs[racer] = int8_graphs(network)
        scorer = racer.scorer(graphs.get(racer))
        runners[str(racer)] = warmed(scorer, street_frames(scorer.size))
    measured.racers = entries
    # Of int8 PyTorch has no product that counts as the machine's best.
    for precision in dict.fromkeys(racer.precision for racer in entries if racer.precision != "int8"):
        measured.peaks[precision] = costs.machine_peak(precision)
    if "bf16" not in measured.peaks:
        measured.peaks["bf16"] = costs.machine_peak("bf16", size=512)  # emulated, thus slow
    _rounds("race", runners, measured.race, plan, tell)
    on_torch = [racer for racer in entries if racer.runs_on == "torch fp32"]
    for done, racer in enumerate(on_torch):
        tell("counting arithmetic", done, len(on_torch))
        measured.costs[racer] = costs.arithmetic(racer)
    if plan.memory:
        _memory(measured, graphs, tell)


def _memory(measured: Measured, graphs: Mapping[Racer, Int8Graphs], tell: Tell) -> None:
    """Of each system at the first input size, in a process of its own."""
    threads = torch.get_num_threads()
    measured.base_memory = costs.peak_memory(None, threads)
    first = [racer for racer in measured.racers if racer.dataset == measured.racers[0].dataset]
    for done, racer in enumerate(first):
        tell("measuring memory", done, len(first))
        found = costs.peak_memory(racer, threads, graphs.get(racer))
        if found is not None:
            measured.memory[racer] = found


def _parts(plan: BenchPlan, measured: Measured, tell: Tell) -> None:
    tell("making the parts ready", 0, 1)
    widths = sorted(plan.widths, key=lambda width: width != SHIPPED)
    runners = part_runners(widths)
    measured.part_list = list(runners)
    _rounds("parts", {str(part): lap for part, lap in runners.items()}, measured.parts, plan, tell)


def _rounds(name: str, runners: dict[str, Lap], times: Times, plan: BenchPlan, tell: Tell) -> None:
    total, done = len(runners) * plan.rounds, 0

    def after(_: str) -> None:
        nonlocal done
        done += 1
        tell(name, done, total)

    race(runners, times, rounds=plan.rounds, seconds=plan.seconds, after=after)


def _end_to_end(plan: BenchPlan, measured: Measured, tell: Tell) -> None:
    detectors = {}
    for width in plan.widths:
        model = Racer(OURS, width, "ped2", "torch").network()
        assert isinstance(model, Decoupled)
        limits = Calibration(threshold=1e30, place_threshold=1e30, pixel_threshold=1e30, frames=1)
        detectors[width] = Detector(model, limits, engine=open_engine(model))
    size = preset("ped2").size
    runs = FILM_RUNS * len(SIZES) * len(detectors)
    done = 0
    with TemporaryDirectory() as folder:
        films = {}
        for number, film_size in enumerate(SIZES):
            tell("filming the street", number, len(SIZES))
            films[film_size] = Path(folder) / f"{film_size[0]}.mp4"
            street_film(film_size, plan.film_frames, films[film_size])
        for _ in range(FILM_RUNS):
            for film_size, film in films.items():
                for width, detector in detectors.items():
                    run = run_through(film, detector, size)
                    measured.films.setdefault((width, film_size[0]), []).append(run)
                    done += 1
                    tell("end to end", done, runs)


def race_protocol(plan: BenchPlan) -> str:
    """How the systems race, for the page of a result."""
    return (
        "random weights, on which speed does not depend; each system gets one new frame at its "
        "input size and gives that frame's score, with all earlier frames seen; the systems take "
        f"turns of about {plan.seconds:g} s in random order; medians and quartiles over rounds, "
        "ratios of the same round; ours runs the encoder on the new frame and the motion step, no "
        "decoder; a baseline runs its whole network on the clip that ends with the new frame, at "
        "its own paper's width; in int8 there is ours alone"
    )


def _write(plan: BenchPlan, measured: Measured, threads: int) -> Path:
    plots = {}
    if measured.race.rounds:
        plot_speed(measured, plan.results / f"{plan.name}.png")
        plots[f"{plan.name}.png"] = "Frames a second: medians of the rounds, whiskers at the quartiles."
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=(
            f"{race_protocol(plan)}; arithmetic counts a multiply-add as two; peak: the best of 5 "
            "products of two square matrices on PyTorch; memory: at most resident in a process of its "
            f"own, libraries and conversion included; end to end: {FILM_RUNS} runs through an H.264 film "
            f"of {plan.film_frames} frames, decoder threads beside the rest, engine chosen as by 'auto'; "
            "the paper's figures are from another machine, with a GPU: only ratios compare"
        ),
        settings={
            "threads": threads,
            "rounds": max(measured.race.rounds, measured.parts.rounds),
            "seconds": plan.seconds,
            "torch": torch.__version__,
        }
        | {f"peak_gflop_s_{precision}": round(peak) for precision, peak in measured.peaks.items()}
        | ({"base_memory_mib": round(measured.base_memory)} if measured.base_memory else {}),
        rows=speed_rows(measured, plan.status),
        **describe_run(),
    )
    summary = [line for table in tables(measured) for line in table.markdown()]
    return write_result(result, plan.results, plots, [*summary, "## All figures", ""])
