"""The `latentwatch` command: wires the commands together and turns errors into one line."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from latentwatch.cli.bench import bench
from latentwatch.cli.calibrate import calibrate
from latentwatch.cli.corrupt import corrupt
from latentwatch.cli.demo import demo
from latentwatch.cli.doctor import doctor
from latentwatch.cli.enrol import enrol
from latentwatch.cli.evaluate import evaluate
from latentwatch.cli.events import events
from latentwatch.cli.export import export
from latentwatch.cli.info import info
from latentwatch.cli.learn import learn, rollback, versions
from latentwatch.cli.quantise import quantise
from latentwatch.cli.reproduce import reproduce
from latentwatch.cli.score import score
from latentwatch.cli.streams import streams
from latentwatch.cli.train import train
from latentwatch.cli.watch import watch
from latentwatch.errors import LatentwatchError
from latentwatch.video.address import mask_logs

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Learns what normal looks like in front of one camera, and says when something is not.",
)
for command in (
    train,
    enrol,
    score,
    calibrate,
    watch,
    doctor,
    learn,
    versions,
    rollback,
    evaluate,
    reproduce,
    corrupt,
    export,
    quantise,
    streams,
    bench,
    info,
    demo,
):
    app.command()(command)
app.add_typer(events, name="events")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"latentwatch {version('latentwatch')}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Say which version this is; then stop."
        ),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Runs the command line; exit code 0, 1 for a failure, 2 for wrong use, 130 for Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    mask_logs(logging.getLogger().handlers)
    try:
        app()
    except LatentwatchError as error:
        print(f"latentwatch: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
