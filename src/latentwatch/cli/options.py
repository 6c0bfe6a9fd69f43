"""Options that several commands share."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError

from latentwatch.errors import UsageError
from latentwatch.models.presets import TABLE1, WIDTHS, Architecture

Model = Annotated[Path, typer.Argument(help="Model file made by 'latentwatch train'.", show_default=False)]
Width = Annotated[str, typer.Option(help=f"Width of the networks: {', '.join(WIDTHS)}.")]
Epochs = Annotated[int, typer.Option(help="Passes over the footage; the paper uses 50.", min=2)]
LearningRate = Annotated[float, typer.Option(help="Adam's first learning rate; the paper's is 1e-4.")]
LatentGradient = Annotated[
    Literal["late", "stop", "full"],
    typer.Option(
        help="Does the prediction loss reach the encoder? 'full': always, as Eq. 1 reads; 'late': in phase "
        "two alone; 'stop': never."
    ),
]
Compile = Annotated[
    bool,
    typer.Option(
        "--compile", help="Fuse the networks first: faster epochs, for a C++ compiler and a minute."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]


def architecture(preset: str, width: str, size: str | None = None) -> Architecture:
    """A Table 1 preset at a width, and at another input size `HEIGHTxWIDTH` if given.

    Raises `UsageError` for an unknown preset or width, or a size that does not fit.
    """
    if preset not in TABLE1:
        raise UsageError(f"--preset {preset}: no such preset; known are {', '.join(TABLE1)}")
    if width not in WIDTHS:
        raise UsageError(f"--width {width}: no such width; known are {', '.join(WIDTHS)}")
    settings = {**TABLE1[preset], "base_width": WIDTHS[width]}
    if size is not None:
        found = re.fullmatch(r"(\d+)x(\d+)", size)
        if not found:
            raise UsageError(f"--size {size}: expected HEIGHTxWIDTH in pixels, such as 128x192")
        settings |= {"height": int(found[1]), "width_px": int(found[2])}
    try:
        return Architecture.model_validate(settings)
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"--size {size}: {reason}") from error
