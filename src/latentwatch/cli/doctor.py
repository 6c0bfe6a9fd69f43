"""`latentwatch doctor`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import EngineChoice, needs_extra


def doctor(
    settings: Annotated[
        Path, typer.Argument(help="Settings file (YAML), see docs/watching.md.", show_default=False)
    ],
    engine: EngineChoice = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Check cameras, models, speed, disk, database and channels of a settings file, and say what to do.

    Exit code 1 where there is a problem; warnings are none. Nobody is told anything.

    Example: latentwatch doctor cameras.yaml
    """
    import json
    import logging

    with needs_extra("monitor"):
        from latentwatch.monitor.doctor import examine
        from latentwatch.monitor.settings_file import load_settings

    logging.getLogger("latentwatch").setLevel(logging.ERROR)  # what matters is among the findings
    is_well = True
    for finding in examine(load_settings(settings), engine):
        is_well = is_well and finding.verdict != "problem"
        line = f"{finding.verdict:8} {finding.what}: {finding.text}"
        print(json.dumps(vars(finding)) if as_json else line, flush=True)
    raise typer.Exit(0 if is_well else 1)
