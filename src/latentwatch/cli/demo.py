"""`latentwatch demo`."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    data: Annotated[
        Path | None, typer.Option(help="Folder of UCSD Ped2; without it, the built-in street is used.")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for everything.")] = Path(
        "demo-output"
    ),
    epochs: Annotated[int, typer.Option(help="Passes over the footage.", min=2)] = 7,
) -> None:
    """Learn a scene, judge new footage of it, and leave a report and an annotated video.

    Example: latentwatch demo
    """
    from latentwatch.datasets.registry import open_dataset
    from latentwatch.experiments.demo import run_demo

    done = run_demo(open_dataset("ped2" if data else "street", data), output, epochs=epochs)
    print(f"\nframe-level AUC {done.auc:.1f}%\nreport: {done.report}\nvideo:  {done.video}")
