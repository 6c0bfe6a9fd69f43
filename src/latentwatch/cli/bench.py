"""`latentwatch bench`."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def bench(
    rounds: Annotated[
        int | None,
        typer.Option(help="Turns of each system; 5, or 2 with --quick.", min=1, show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One input size, few and short turns: to see that all works.")
    ] = False,
    only: Annotated[
        Literal["race", "parts", "end-to-end"] | None,
        typer.Option(help="One section alone.", show_default=False),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads of all engines; all cores if not given.", min=1)
    ] = None,
    to: Annotated[Path, typer.Option(help="Folder of the page, the JSON and the plot.")] = Path(
        "docs/results"
    ),
) -> None:
    """Measure frames a second: ours against the systems of the paper's Table 3, in parts, and from a file.

    On PyTorch, ONNX Runtime and OpenVINO, in bf16 where the CPU has it, and ours in int8 where NNCF is there.

    Example: latentwatch bench --quick --to bench-output
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from latentwatch.experiments.speed.bench import full_plan, quick_plan, run_bench
    from latentwatch.experiments.speed.page import tables

    options = {"rounds": rounds, "only": only, "threads": threads}
    command = "latentwatch bench" + (" --quick" if quick else "")
    command += "".join(f" --{name} {value}" for name, value in options.items() if value is not None)
    changes: dict[str, object] = {"only": only, "threads": threads}
    if rounds is not None:
        changes["rounds"] = rounds
    plan = (quick_plan if quick else full_plan)(to, command, **changes)
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        tasks = {}

        def tell(section: str, done: int, total: int) -> None:
            if section not in tasks:
                tasks[section] = progress.add_task(section, total=total)
            progress.update(tasks[section], completed=done)

        measured, page = run_bench(plan, tell)
    for each in tables(measured):
        shown = Table(*each.header, title=each.title, title_justify="left")
        for row in each.rows:
            shown.add_row(*row)
        console.print(shown)
    console.print(f"results: {page}")
