"""`latentwatch streams`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import EngineChoice, Int8, ScoringFormat, let_idle_threads_sleep


def streams(
    model: Annotated[
        Path | None,
        typer.Argument(help="Model file made by 'latentwatch train'; not for --steps.", show_default=False),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(help="What the cameras show: a video or a folder of images.", show_default=False),
    ] = None,
    numbers: Annotated[
        str, typer.Option("--streams", help="Numbers of cameras to try, with commas.")
    ] = "1,2,4,6,8,16",
    fps: Annotated[str, typer.Option(help="Frames a second of each camera, with commas.")] = "10,25",
    seconds: Annotated[float, typer.Option(help="How long to measure each pair.", min=1)] = 10,
    wait: Annotated[
        float, typer.Option(help="Milliseconds that a frame may wait for others.", min=0, max=1000)
    ] = 20,
    steps: Annotated[
        int,
        typer.Option(
            help="Instead: so many steps of a small model, for memory and time over a long stream.", min=0
        ),
    ] = 0,
    to: Annotated[Path, typer.Option(help="Folder of the page, the JSON and the plot.")] = Path(
        "docs/results"
    ),
    engine: EngineChoice = "auto",
    bf16: ScoringFormat = None,
    int8: Int8 = False,
) -> None:
    """Measure how many cameras this machine can watch with a model: throughput, latency, drops, and costs.

    Example: latentwatch streams front-door.lw --source recordings/monday.mp4
    """
    let_idle_threads_sleep()
    from latentwatch.errors import UsageError
    from latentwatch.experiments.streams.run import StreamsPlan, measure_streams
    from latentwatch.experiments.streams.steps import PARTS, measure_steps
    from latentwatch.scoring.camera import number_format, open_camera

    # Files and folders are this machine's business: the result names the command without them.
    precision = number_format(bf16, int8)
    runs_on = f"--engine {engine}" + (f" --{precision}" if precision else "")
    if steps:
        if steps < PARTS:
            raise UsageError(f"--steps {steps}: give {PARTS} or more")
        if model or source:
            raise UsageError("--steps: takes a model of its own; leave MODEL and --source out")
        if int8:
            raise UsageError("--steps: its model has no int8 form; leave --int8 out")
        command = f"latentwatch streams --steps {steps} {runs_on}"
        print(f"results: {measure_steps(steps, engine, to, command, bf16=bf16)}")
        return
    if model is None or source is None:
        raise UsageError("a model file and --source are needed, or --steps; see 'latentwatch streams --help'")
    counts = [int(each) for each in _numbers("--streams", numbers, 256, whole=True)]
    rates = _numbers("--fps", fps, 240)
    plan = StreamsPlan(
        detector=open_camera(model, engine, precision),
        source=source,
        streams=counts,
        rates=rates,
        seconds=seconds,
        wait=wait / 1000,
        results=to,
        command=(
            f"latentwatch streams MODEL --source FILE --streams {numbers} --fps {fps} --seconds {seconds:g} "
            f"--wait {wait:g} {runs_on}"
        ),
    )
    print(f"results: {measure_streams(plan)}")


def _numbers(option: str, text: str, most: int, *, whole: bool = False) -> list[float]:
    from latentwatch.errors import UsageError

    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    in_range = numbers and all(1 <= number <= most for number in numbers)
    if not in_range or (whole and not all(number.is_integer() for number in numbers)):
        kind = "whole numbers" if whole else "numbers"
        raise UsageError(f"{option} {text}: expected {kind} from 1 to {most}, such as 1,2,4")
    return numbers
