"""The rows of `speed.json`."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Literal

from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.speed.end_to_end import STAGES, Run
from latentwatch.experiments.speed.measured import TABLE3, Measured
from latentwatch.experiments.speed.race import Spread, spread
from latentwatch.experiments.speed.systems import OURS, Racer


def speed_rows(measured: Measured, status: Literal["measured", "quick"]) -> list[Row]:
    """One row for each figure.

    Metrics: fps, frames a second; ratio, frames a second of ours over this system's; gflop, billions of
    operations a frame; parameters_million; memory_mib; peak_percent, share of peak_gflop_s; ms_NAME of a
    part; speedup of a part over its slow form; fps_end_to_end and ms_STAGE of a film.
    """
    rows: list[Row] = []

    def add(metric: str, value: float | Spread, **facts: Any) -> None:
        if isinstance(value, Spread):
            facts["quartiles"] = (value.low, value.high)
            value = value.median
        facts = {"preset": "none", "dataset": "none", "score": "none", "seeds": 1, "status": status, **facts}
        rows.append(Row(metric=metric, value=value, **facts))

    for precision, peak in measured.peaks.items():
        add("peak_gflop_s", peak, system="machine", engine=f"torch {precision}")
    if measured.race.rounds:
        _add_race(measured, add)
    for part in measured.part_list if measured.parts.rounds else ():
        facts = {"preset": f"{part.width} k={part.k}", "dataset": "ped2", "engine": part.engine}
        add(f"ms_{part.name}", spread([1000 * each for each in measured.parts.seconds[str(part)]]), **facts)
    for name, ratios in (("step", measured.step_ratios()), ("whole", measured.whole_ratios())):
        for part, ratio in ratios:
            facts = {"preset": f"{part.width} k={part.k}", "dataset": "ped2", "engine": part.engine}
            add(f"speedup_{name}", ratio, **facts)
    for (width, height), runs in measured.films.items():
        facts = {"preset": width, "dataset": f"street at {height} lines", "score": "z_mse"}
        add("fps_end_to_end", spread([1 / run.total for run in runs]), **facts)
        for stage in STAGES:
            add(f"ms_{stage}", stage_ms(runs, stage), **facts)
    return rows


def stage_ms(runs: Sequence[Run], stage: str) -> float:
    """Milliseconds a frame of one of `STAGES`, the median of some runs."""
    return 1000 * median(float(getattr(run, stage)) for run in runs)


def _add_race(measured: Measured, add: Any) -> None:
    def facts(racer: Racer) -> dict[str, Any]:
        return {
            "system": racer.system,
            "preset": f"{racer.dataset}/{racer.width}",
            "dataset": racer.size,
            "engine": racer.runs_on,
            "score": "z_mse" if racer.is_ours else "its own",
        }

    for racer in measured.racers:
        add("fps", measured.fps(racer), **facts(racer), paper=paper_fps(racer))
        share = measured.share(racer)
        if share is not None:
            add("peak_percent", share, **facts(racer))
        if racer in measured.memory:
            add("memory_mib", measured.memory[racer], **facts(racer))
    for racer, cost in measured.costs.items():
        add("gflop", cost.gflop, **facts(racer))
        add("parameters_million", cost.parameters, **facts(racer))
    for ours, theirs, ratio in measured.ratios():
        paper = TABLE3[ours.dataset]
        quoted = paper[OURS] / paper[theirs.system] if theirs.system in paper else None
        preset = {"preset": f"{ours.dataset}/{ours.width}"}
        add("ratio", ratio, **facts(theirs) | preset, paper=quoted)
    for dataset, quoted_fps in TABLE3.items():
        for system, fps in quoted_fps.items():
            add("fps", fps, system=system, preset="GTX 1080 Ti", dataset=dataset, status="quoted")


def paper_fps(racer: Racer) -> float | None:
    """What Table 3 has for the system, on the paper's machine."""
    return TABLE3[racer.dataset].get(racer.system)
