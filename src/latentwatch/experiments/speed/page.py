"""What a bench says: tables for the terminal and for the page, and the picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from latentwatch.evaluation.plots import BLUE, GREEN, ORANGE, PURPLE
from latentwatch.experiments.speed.end_to_end import STAGES
from latentwatch.experiments.speed.measured import NAMES, SHIPPED, TABLE3, Measured, targets
from latentwatch.experiments.speed.parts import BASELINE, Part
from latentwatch.experiments.speed.race import Spread, spread
from latentwatch.experiments.speed.rows import stage_ms
from latentwatch.experiments.speed.systems import OURS, Racer

COLOURS = (BLUE, ORANGE, GREEN, PURPLE)
"""Of the engines and formats in the plot; there are four at most."""


@dataclass(frozen=True)
class Table:
    """Cells as text, under a title."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> list[str]:
        """The table as lines of Markdown."""
        lines = [f"## {self.title}", ""]
        for row in (self.header, ["---"] * len(self.header), *self.rows):
            lines.append("| " + " | ".join(row) + " |")
        return [*lines, ""]


def tables(measured: Measured) -> list[Table]:
    """Whatever was measured, the targets first."""
    made = []
    wanted = targets(measured)
    if wanted:
        rows = [
            [each.what, f"{each.wanted:g}", spread_text(each.ratio), "met" if each.met else "missed"]
            for each in wanted
        ]
        made.append(Table(f"Targets (width {SHIPPED})", ("ratio", "wanted", "measured", ""), rows))
    if measured.race.rounds:
        made += [_race(measured), _ratios(measured), table3(measured)]
    if measured.parts.rounds:
        made += [_parts(measured), _whole(measured)]
    if measured.films:
        made.append(_films(measured))
    return made


def spread_text(value: Spread) -> str:
    """The median, and the quartiles in brackets."""
    return f"{_short(value.median)} ({_short(value.low)} to {_short(value.high)})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _optional(value: float | None) -> str:
    return "" if value is None else _short(value)


def _race(measured: Measured) -> Table:
    rows = []
    for racer in measured.racers:
        cost = measured.cost(racer)
        rows.append(
            [
                racer.system,
                f"{racer.dataset}/{racer.width}",
                racer.size,
                racer.runs_on,
                spread_text(measured.fps(racer)),
                _optional(cost.gflop if cost else None),
                _optional(cost.parameters if cost else None),
                _optional(measured.memory.get(racer)),
                _optional(measured.share(racer)),
            ]
        )
    header = ("system", "preset", "input", "engine", "frames/s (quartiles)", "GFLOP a frame")
    return Table("The race", (*header, "million parameters", "peak MiB", "% of peak"), rows)


def _ratios(measured: Measured) -> Table:
    rows = []
    for ours, theirs, ratio in measured.ratios():
        paper = TABLE3[ours.dataset]
        quoted = f"{paper[OURS] / paper[theirs.system]:.3g}" if theirs.system in paper else ""
        cells = [f"{ours.dataset}/{ours.width}", theirs.system, ours.size, ours.runs_on, spread_text(ratio)]
        rows.append([*cells, quoted])
    header = ("ours", "over", "input", "engine", "ratio of frames/s (quartiles)", "paper's ratio")
    return Table("Ours over theirs", header, rows)


def table3(measured: Measured, width: str = SHIPPED) -> Table:
    """Frames a second in the paper's form, ours at `width`.

    Where two data sets have one input size and k, both get its figures.
    """
    rows = []
    for dataset, quoted in TABLE3.items():
        rows.append([dataset, "paper, GTX 1080 Ti", *(str(quoted[system]) for system in NAMES)])
        for runs_on in dict.fromkeys(racer.runs_on for racer in measured.racers):
            found = [_find(measured, dataset, system, runs_on, width) for system in NAMES]
            if any(found):
                cells = [_short(measured.fps(racer).median) if racer else "" for racer in found]
                rows.append([dataset, f"here, {runs_on}", *cells])
    return Table(f"Table 3: frames/s (ours: width {width})", ("data set", "where", *NAMES.values()), rows)


def table3_ratios(measured: Measured, width: str) -> Table:
    """Frames a second of ours at `width` over each other system's, beside the paper's ratios."""
    others = [system for system in NAMES if system != OURS]
    found = {
        (ours.dataset, ours.runs_on, theirs.system): ratio
        for ours, theirs, ratio in measured.ratios()
        if ours.width == width
    }
    rows = []
    for dataset, quoted in TABLE3.items():
        rows.append(
            [dataset, "paper, GTX 1080 Ti", *(_short(quoted[OURS] / quoted[each]) for each in others)]
        )
        for runs_on in dict.fromkeys(racer.runs_on for racer in measured.racers):
            ratios = [found.get((_stand_in(dataset), runs_on, each)) for each in others]
            if any(ratios):
                rows.append(
                    [dataset, f"here, {runs_on}", *(spread_text(each) if each else "" for each in ratios)]
                )
    names = [NAMES[each] for each in others]
    return Table("Ours over theirs: ratio of frames/s (quartiles)", ("data set", "where", *names), rows)


def _stand_in(dataset: str) -> str:
    return {"shanghaitech": "avenue"}.get(dataset, dataset)  # the same line of Table 1


def _find(measured: Measured, dataset: str, system: str, runs_on: str, width: str) -> Racer | None:
    stand_in = _stand_in(dataset)
    size = next((racer.size for racer in measured.racers if racer.dataset == stand_in), None)
    for racer in measured.racers:
        same = (racer.system, racer.size, racer.runs_on) == (system, size, runs_on)
        if same and (not racer.is_ours or (racer.dataset, racer.width) == (stand_in, width)):
            return racer
    return None


def _parts(measured: Measured) -> Table:
    ratios = dict(measured.step_ratios())
    encoders = dict(measured.encoder_ratios())
    rows = []
    for step in (part for part in measured.part_list if part.name == "step"):
        parts = [Part(name, step.width, step.k, step.engine) for name in ("encoder", "dense", "step")]
        cells = [_short(_ms(measured, part)) if part in measured.part_list else "" for part in parts]
        for ratio in (ratios.get(step), encoders.get(parts[0])):
            cells.append(spread_text(ratio) if ratio else "")
        rows.append([step.width, str(step.k), step.engine, *cells])
    header = ("width", "k", "engine", "encoder ms", "dense motion ms", "motion step ms", "dense over step")
    return Table("Parts of ours, 128x192", (*header, "encoder: k = 6 over k = 8"), rows)


def _whole(measured: Measured) -> Table:
    rows = []
    for part, ratio in measured.whole_ratios():
        slow = Part("whole", part.width, part.k, BASELINE)
        milliseconds = [_short(_ms(measured, each)) for each in (part, slow)]
        rows.append([part.width, part.engine, *milliseconds, spread_text(ratio)])
    header = ("width", "engine", "ms a frame", f"ms on {BASELINE}", "speed-up (quartiles)")
    return Table("A frame in, a score out: engines, the same weights", header, rows)


def _ms(measured: Measured, part: Part) -> float:
    return 1000 * spread(measured.parts.seconds[str(part)]).median


def _films(measured: Measured) -> Table:
    rows = []
    for (width, height), runs in measured.films.items():
        fps = spread([1 / run.total for run in runs])
        stages = [f"{stage_ms(runs, stage):.2f}" for stage in STAGES]
        rows.append([width, f"{height}", spread_text(fps), *stages])
    header = ("width", "lines of the film", "frames/s (quartiles)", *(f"{stage} ms" for stage in STAGES))
    return Table("End to end: H.264 file in, scores out", header, rows)


def plot_speed(measured: Measured, path: Path) -> None:
    """Frames a second of each system, bars by engine, whiskers at the quartiles; one panel an input size."""
    sizes = list(dict.fromkeys(racer.size for racer in measured.racers))
    engines = list(dict.fromkeys(racer.runs_on for racer in measured.racers))
    entries = {
        size: list(dict.fromkeys(_label(racer) for racer in measured.racers if racer.size == size))
        for size in sizes
    }
    height = 1.1 + 0.34 * max(len(names) for names in entries.values())
    figure = Figure(figsize=(5.2 * len(sizes), height), layout="constrained")
    panels = figure.subplots(1, len(sizes), squeeze=False)[0]
    thickness = 0.8 / len(engines)
    for axes, size in zip(panels, sizes, strict=True):
        for number, (engine, colour) in enumerate(zip(engines, COLOURS, strict=False)):
            here = [racer for racer in measured.racers if (racer.size, racer.runs_on) == (size, engine)]
            places = np.array([entries[size].index(_label(racer)) for racer in here])
            rates = [measured.fps(racer) for racer in here]
            whiskers = [
                [each.median - each.low for each in rates],
                [each.high - each.median for each in rates],
            ]
            axes.barh(
                places + (number - (len(engines) - 1) / 2) * thickness,
                [each.median for each in rates],
                thickness,
                color=colour,
                label=engine,
                xerr=whiskers,
                error_kw={"linewidth": 1},
            )
        axes.set_yticks(range(len(entries[size])), entries[size])
        axes.invert_yaxis()
        axes.set(xscale="log", xlabel="frames a second (log scale)", title=f"input {size}")
    # All panels have the same engines, so the last one's stand for all.
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=len(engines))
    figure.savefig(path, dpi=150)


def _label(racer: Racer) -> str:
    return f"ours {racer.width}, {racer.dataset}" if racer.is_ours else racer.system
