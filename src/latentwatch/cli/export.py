"""`latentwatch export`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentwatch.cli.options import Model


def export(
    model: Model,
    to: Annotated[Literal["onnx", "openvino"], typer.Option(help="Form of the files.", show_default=False)],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write; without it, MODEL-FORM.", show_default=False),
    ] = None,
) -> None:
    """Write the encoder and the motion model for use without PyTorch, and a JSON that says how.

    Example: latentwatch export front-door.lw --to onnx
    """
    from latentwatch.bundle.bundle import load_bundle
    from latentwatch.engines.export import export_model

    network, description = load_bundle(model)
    written = export_model(
        network,
        to,
        output or model.with_name(f"{model.stem}-{to}"),
        source=model,
        fps=description.fps,
        thresholds=description.calibration.model_dump(include={"threshold", "place_threshold"}),
    )
    print(f"{written} says what is in {written.parent} and how to use it")
