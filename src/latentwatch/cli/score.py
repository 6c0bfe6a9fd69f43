"""`latentwatch score`."""

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from latentwatch.cli.options import Corrupt, EngineChoice, Int8, Model, ScoringFormat, refuse


def score(
    model: Model,
    footage: Annotated[
        str,
        typer.Argument(
            help="A video, a folder of images, a folder of either, or a camera: rtsp://, http://, usb:0.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path("scores"),
    video: Annotated[
        bool, typer.Option("--video", help="Also write an annotated copy of the footage.")
    ] = False,
    seconds: Annotated[float, typer.Option(help="How long to score a live camera.", min=1)] = 60,
    boxes: Annotated[
        Literal["latent", "pixel"],
        typer.Option(
            help="Where boxes come from: the latent error map, or the pixel error (runs the decoder)."
        ),
    ] = "latent",
    engine: EngineChoice = "auto",
    bf16: ScoringFormat = None,
    int8: Int8 = False,
    corrupt: Corrupt = None,
) -> None:
    """Score new footage: CSV, JSON and a plot for each clip, and an annotated video with --video.

    Example: latentwatch score front-door.lw tonight.mp4 --video --engine openvino
    Example: latentwatch score front-door.lw rtsp://user:password@10.0.0.7/live --seconds 300
    """
    from latentwatch.bundle.file import fps_of, system_of
    from latentwatch.datasets.derived import at_fps, corrupted
    from latentwatch.datasets.folder import clips_at
    from latentwatch.evaluation.score_files import (
        check_file_names,
        check_footage_stays,
        score_baseline_to_files,
        score_to_files,
    )
    from latentwatch.scoring.baseline import load_baseline
    from latentwatch.scoring.camera import number_format, open_camera
    from latentwatch.video.corrupt import Corruption

    if system_of(model) == "decoupled":
        clips = clips_at(footage, seconds)
        detector = open_camera(model, engine, number_format(bf16, int8), pixel_boxes=boxes == "pixel")
        runs_on = str(detector.engine)
        threshold, needed = detector.threshold, detector.frames_needed
        score_one = partial(score_to_files, detector, video=video)
    else:
        scorer, facts = load_baseline(model)
        refuse(
            scorer.name,
            {
                "--video": video,
                "--boxes pixel": boxes == "pixel",
                f"--engine {engine}": engine not in ("auto", "torch"),
                "--bf16": bool(bf16),
                "--int8": int8,
            },
        )
        clips = clips_at(footage, seconds)
        threshold, needed, runs_on = facts.threshold, scorer.frames_needed, "torch fp32"
        score_one = partial(score_baseline_to_files, scorer, threshold)
    check_file_names(clips)
    if video:
        check_footage_stays(clips, output)
    fps = fps_of(model)
    clips = [at_fps(clip, fps, print) for clip in clips]
    if corrupt is not None:
        clips = [corrupted(clip, Corruption.parse(corrupt)) for clip in clips]
    for clip in clips:
        summary = score_one(clip, output)
        print(
            f"{clip.name}: {summary.scored} of {summary.frames} frames scored, {summary.unusual} unusual "
            f"(above {threshold:.4g}), highest at {summary.peak_time:.1f} s"
            if summary.scored
            else f"{clip.name}: {summary.frames} frames, too few for a score "
            f"(the first comes with frame {needed})"
        )
    print(f"results: {output} (engine: {runs_on})")
