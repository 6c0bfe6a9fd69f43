"""`latentwatch quantise`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import Model


def quantise(
    model: Model,
    footage: Annotated[
        list[Path], typer.Argument(help="The footage that the model was trained on.", show_default=False)
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write; 'score --int8' looks for MODEL.int8.", show_default=False
        ),
    ] = None,
) -> None:
    """Make the int8 form of a model, for `score --int8`; refused where it predicts worse than the model.

    Example: latentwatch quantise front-door.lw recordings/
    """
    from latentwatch.datasets.folder import clips_in
    from latentwatch.training.quantise import quantise_camera

    made = quantise_camera(model, [clip for path in footage for clip in clips_in(path)], output)
    trial = made.trial
    before, after = trial.relative_error
    median, largest = trial.score_shift
    print(
        f"{trial.frames} held-out frames, relative prediction error: "
        f"{before:.4f} in fp32, {after:.4f} in int8"
    )
    print(f"the score of a frame moved by {median:.1%} (median), {largest:.1%} at most")
    print(f"written: {made.file}")
