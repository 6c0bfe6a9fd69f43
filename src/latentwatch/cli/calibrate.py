"""`latentwatch calibrate`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import EngineChoice, Model


def calibrate(
    model: Model,
    footage: Annotated[
        list[Path],
        typer.Argument(help="Normal footage that the model did not learn from.", show_default=False),
    ],
    per_day: Annotated[
        float,
        typer.Option("--false-alarms-per-day", help="How many false alarms a day are allowed.", min=1e-3),
    ] = 1,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            help="A polygon whose errors do not count, 'x,y x,y x,y' in shares of the picture. Repeat it.",
            show_default=False,
        ),
    ] = None,
    engine: EngineChoice = "auto",
) -> None:
    """Set a camera's alarms by a budget, "at most N false alarms a day", and say how sure that is.

    Example: latentwatch calibrate front-door.lw quiet-days/ --false-alarms-per-day 1
    """
    from latentwatch.datasets.folder import clips_in
    from latentwatch.monitor.budget import budget_file
    from latentwatch.monitor.calibrate import calibrate_camera
    from latentwatch.monitor.zones import parse_polygon

    polygons = [parse_polygon(text) for text in ignore or []]
    clips = [clip for path in footage for clip in clips_in(path)]
    print(calibrate_camera(model, clips, per_day, ignore=polygons, engine=engine))
    print(f"written: {budget_file(model)}")
