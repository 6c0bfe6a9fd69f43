"""Measured results as files: `NAME.json`, and the page `NAME.md` made from it. Nobody edits either."""

import os
import platform
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from latentwatch.bundle.provenance import software
from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.intervals import with_interval
from latentwatch.evaluation.overview import write_overview
from latentwatch.evaluation.result_file import ResultFile, Row


def describe_run() -> dict[str, str]:
    """Version, commit, date and machine of this run, for a `ResultFile`."""
    made_by = software()
    return {
        "version": made_by["latentwatch"],
        "commit": made_by["commit"],
        "date": date.today().isoformat(),
        "machine": f"{os.cpu_count()} cores, {_processor()}",
    }


def make_folder(folder: Path) -> None:
    """Makes the folder of a result; called before the work, so that a wrong name does not cost the figures.

    Raises `LatentwatchError` where it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LatentwatchError(
            f"{folder}: cannot make this folder for the results: {error.strerror}; give another"
        ) from error


def write_result(
    result: ResultFile, folder: Path, plots: dict[str, str], summary: Sequence[str] = ()
) -> Path:
    """What `write_page` does, and the overview of a folder of results written anew; gives the page."""
    page = write_page(result, folder, plots, summary)
    write_overview(folder)
    return page


def write_page(result: ResultFile, folder: Path, plots: dict[str, str], summary: Sequence[str] = ()) -> Path:
    """Writes the JSON and the page into `folder`; gives the page.

    plots: captions of pictures in the folder, by file name. summary: lines of the page before all rows.
    """
    make_folder(folder)
    (folder / f"{result.name}.json").write_text(result.model_dump_json(indent=1) + "\n")
    quick = any(row.status == "quick" for row in result.rows)
    lines = [
        f"# {result.name}",
        "",
        *(["**Quick: a small network on little data, to show what this does. Not a result.**", ""] * quick),
        f"Made by `{result.command}` on {result.date} (version {result.version}, commit {result.commit}, "
        f"{result.machine}). Do not edit: the command writes this page.",
        "",
        f"Protocol: {result.protocol}.",
        "",
        "Settings: " + ", ".join(f"{key} {value}" for key, value in result.settings.items()) + ".",
        "",
        *(line for remark in result.remarks for line in (remark, "")),
        *summary,
        *_table(result.rows),
    ]
    for file, caption in plots.items():
        lines += ["", f"![{caption}]({file})", "", caption]
    page = folder / f"{result.name}.md"
    page.write_text("\n".join(lines) + "\n")
    return page


def _table(rows: Sequence[Row]) -> list[str]:
    engines = len({row.engine for row in rows}) > 1
    names = ["system", "preset", "data set", *["engine"] * engines, "score", "metric", "ours", "paper"]
    names += ["seeds", "minutes a seed", "status"]
    lines = [f"| {' | '.join(cells)} |" for cells in (names, ["---"] * len(names))]
    for row in rows:
        value = with_interval(row.value, row.ci95)
        paper = "" if row.paper is None else f"{row.paper:.1f}"
        seeds = str(row.seeds)
        if row.status == "quoted":  # the paper's, of which it does not always say how many seeds
            value, paper, seeds = "", value, ""
        minutes = "" if row.minutes_per_seed is None else f"{row.minutes_per_seed:.0f}"
        engine = [row.engine or ""] if engines else []
        cells = [row.system, row.preset, row.dataset, *engine, row.score, row.metric, value, paper]
        lines.append("| " + " | ".join([*cells, seeds, minutes, row.status]) + " |")
    return lines


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
