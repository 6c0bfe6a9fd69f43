"""`latentwatch enrol`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import (
    DEFAULT_FORM,
    Epochs,
    Form,
    Width,
    architecture,
    camera_in,
    needs_extra,
    training_settings,
)
from latentwatch.models.presets import DEFAULT_WIDTH


def enrol(
    camera: Annotated[
        str,
        typer.Argument(
            help="The camera's address, such as rtsp://host/path, or its name in --settings.",
            show_default=False,
        ),
    ],
    duration: Annotated[
        str, typer.Option("--for", help="How much usable footage to see, such as 90m, 24h or 7d.")
    ] = "24h",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Model file to write; with --settings, the camera's own."),
    ] = None,
    settings: Annotated[
        Path | None,
        typer.Option(help="Settings file of 'watch', which names the camera.", show_default=False),
    ] = None,
    preset: Annotated[str, typer.Option(help="Input size, k and blocks as in the paper's Table 1.")] = "ped2",
    width: Width = DEFAULT_WIDTH,
    size: Annotated[str | None, typer.Option(help="Another input size, HEIGHTxWIDTH.")] = None,
    fps: Annotated[float, typer.Option(help="Frames a second to learn and watch.", min=1, max=60)] = 10,
    gigabytes: Annotated[float, typer.Option(help="Most that the footage takes on the disk.", min=0.01)] = 2,
    per_day: Annotated[
        float,
        typer.Option(
            "--false-alarms-per-day",
            help="How many are allowed; with --settings, the camera's own.",
            min=1e-3,
        ),
    ] = 1,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A polygon whose errors do not count, see 'calibrate'.", show_default=False),
    ] = None,
    form: Form = DEFAULT_FORM,
    epochs: Epochs = None,
) -> None:
    """Record a new camera, learn what is normal there, and set its budget of false alarms.

    Ctrl-C stops it; the same command goes on.

    Example: latentwatch enrol rtsp://192.168.1.20/live --for 24h -o front-door.lw
    """
    from latentwatch.errors import UsageError

    with needs_extra("monitor"):
        from latentwatch.monitor.duration import parse_duration
        from latentwatch.monitor.enrol import Enrolment, enrol_camera
        from latentwatch.monitor.settings_file import load_settings
        from latentwatch.monitor.zones import parse_polygon
    from latentwatch.video.address import parse_address

    polygons = [parse_polygon(text) for text in ignore or []]
    transport, loop = Enrolment.transport, Enrolment.loop
    if settings is not None:
        chosen = camera_in(settings, load_settings(settings), camera)
        camera, output = chosen.url.get_secret_value(), output or chosen.model
        per_day, polygons = chosen.false_alarms_per_day, [list(each) for each in chosen.ignore]
        transport, loop = chosen.transport, chosen.loop
    address = parse_address(camera)
    if address.kind == "file" and not Path(address.url).exists():
        hint = "" if settings else "; the name of a camera needs --settings"
        raise UsageError(f"{camera}: no such file; check the path{hint}")
    try:
        seconds = parse_duration(duration)
    except ValueError as error:
        raise UsageError(f"--for {error}") from error
    model = output or Path("camera.lw")
    enrolment = Enrolment(
        seconds=seconds,
        architecture=architecture(preset, width, size),
        training=training_settings(form, epochs),
        fps=fps,
        gigabytes=gigabytes,
        per_day=per_day,
        ignore=polygons,
        transport=transport,
        loop=loop,
    )
    enrol_camera(address, model, enrolment)
    print(f"{model} is ready. Next: latentwatch watch cameras.yaml")
