"""`latentwatch streams`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import EngineChoice, ScoringFormat, let_idle_threads_sleep


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
) -> None:
    """Measure how many cameras this machine can watch with a model: throughput, latency, drops, and costs.

    Example: latentwatch streams front-door.lw --source recordings/monday.mp4
    """
    let_idle_threads_sleep()
    from latentwatch.bundle.bundle import load_bundle
    from latentwatch.engines.choose import open_engine
    from latentwatch.errors import UsageError
    from latentwatch.experiments.streams.run import StreamsPlan, measure_streams
    from latentwatch.experiments.streams.steps import PARTS, measure_steps
    from latentwatch.scoring.detector import Detector

    # Files and folders are this machine's business: the result names the command without them.
    if steps:
        if steps < PARTS:
            raise UsageError(f"--steps {steps}: give {PARTS} or more")
        command = f"latentwatch streams --steps {steps} --engine {engine}"
        print(f"results: {measure_steps(steps, engine, to, command)}")
        return
    if model is None or source is None:
        raise UsageError("a model file and --source are needed, or --steps; see 'latentwatch streams --help'")
    counts = [round(each) for each in _numbers("--streams", numbers, 256)]
    rates = _numbers("--fps", fps, 240)
    network, description = load_bundle(model)
    plan = StreamsPlan(
        detector=Detector(network, description.calibration, engine=open_engine(network, engine, bf16=bf16)),
        source=source,
        streams=counts,
        rates=rates,
        seconds=seconds,
        wait=wait / 1000,
        results=to,
        command=(
            f"latentwatch streams MODEL --source FILE --streams {numbers} --fps {fps} --seconds {seconds:g} "
            f"--wait {wait:g} --engine {engine}"
        ),
    )
    print(f"results: {measure_streams(plan)}")


def _numbers(option: str, text: str, most: int) -> list[float]:
    from latentwatch.errors import UsageError

    try:
        numbers = [float(each) for each in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or not all(1 <= number <= most for number in numbers):
        raise UsageError(f"{option} {text}: expected numbers from 1 to {most}, such as 1,2,4")
    return numbers
