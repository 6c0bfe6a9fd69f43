"""`latentwatch score`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentwatch.cli.options import EngineChoice, Model, ScoringFormat


def score(
    model: Model,
    footage: Annotated[
        Path, typer.Argument(help="A video, a folder of images, or a folder of either.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("scores"),
    video: Annotated[
        bool, typer.Option("--video", help="Also write an annotated copy of the footage.")
    ] = False,
    boxes: Annotated[
        Literal["latent", "pixel"],
        typer.Option(
            help="Where boxes come from: the latent error map, or the pixel error (runs the decoder)."
        ),
    ] = "latent",
    engine: EngineChoice = "auto",
    bf16: ScoringFormat = None,
) -> None:
    """Score new footage: CSV, JSON and a plot for each clip, and an annotated video with --video.

    Example: latentwatch score front-door.lw tonight.mp4 --video --engine openvino
    """
    from latentwatch.bundle.bundle import load_bundle
    from latentwatch.datasets.folder import clips_in
    from latentwatch.engines.choose import open_engine
    from latentwatch.evaluation.score_files import score_to_files

    network, description = load_bundle(model)
    clips = clips_in(footage)
    runs_on = open_engine(network, engine, bf16=bf16)
    for clip in clips:
        summary = score_to_files(
            network,
            description.calibration,
            clip,
            output,
            engine=runs_on,
            video=video,
            pixel_boxes=boxes == "pixel",
        )
        print(
            f"{clip.name}: {summary.scored} of {summary.frames} frames scored, {summary.unusual} unusual "
            f"(above {description.calibration.threshold:.4g}), highest at {summary.peak_time:.1f} s"
            if summary.scored
            else f"{clip.name}: {summary.frames} frames, too few for a score "
            f"(the first comes with frame {network.architecture.span})"
        )
    print(f"results: {output} (engine: {runs_on})")
