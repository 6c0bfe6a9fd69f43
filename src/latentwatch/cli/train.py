"""`latentwatch train`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import (
    DEFAULT_FORM,
    FORM_HELP,
    Compile,
    Epochs,
    FormName,
    Resume,
    architecture,
    baseline_settings,
    refuse,
    training_settings,
)
from latentwatch.models.presets import DEFAULT_WIDTH, WIDTHS, Motion, Reconstruction


def train(
    footage: Annotated[
        list[Path],
        typer.Argument(
            help="Normal footage: video files, folders of images, or folders of either.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")] = Path("camera.lw"),
    system: Annotated[
        str,
        typer.Option(
            "--model",
            help="What learns: decoupled (ours) or conv-ae, future-frame, latent-auto, mem-ae, mnad.",
        ),
    ] = "decoupled",
    preset: Annotated[
        str,
        typer.Option(
            help="Input size, k and blocks as in the paper's Table 1; 'paper' is ped2 with the paper's width "
            "and form of training too."
        ),
    ] = "ped2",
    width: Annotated[
        str | None,
        typer.Option(
            help=f"Width of the networks: {', '.join(WIDTHS)}. Without it, {DEFAULT_WIDTH}; paper for other "
            "systems.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[str | None, typer.Option(help="Another input size, HEIGHTxWIDTH.")] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            help="Frames a second to learn, and then to watch; without it, the lowest rate of the footage.",
            min=1,
            max=240,
            show_default=False,
        ),
    ] = None,
    motion: Annotated[
        Motion, typer.Option(help="Motion model: the paper's, or one that it compares with (Table 5).")
    ] = "conv3d",
    loss: Annotated[
        Reconstruction, typer.Option(help="What reconstruction is judged by in training (Table 4).")
    ] = "mse",
    form: Annotated[
        FormName | None,
        typer.Option(help=f"{FORM_HELP} Without it, {DEFAULT_FORM}.", show_default=False),
    ] = None,
    epochs: Epochs = None,
    compiled: Compile = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and sampling.", min=0, max=2**32 - 1)] = 0,
    resume: Resume = False,
    devices: Annotated[int, typer.Option(help="Processes or GPUs; above 1 trains with DDP.", min=1)] = 1,
    bf16: Annotated[
        bool | None,
        typer.Option("--bf16/--fp32", help="Number format; without it, the one this machine is faster with."),
    ] = None,
) -> None:
    """Learn what is normal in front of one camera, from footage without labels.

    Example: latentwatch train recordings/ -o front-door.lw
    """
    from latentwatch.datasets.derived import at_one_rate
    from latentwatch.datasets.folder import clips_in
    from latentwatch.training.baseline import BaselineTraining, learn_baseline
    from latentwatch.training.camera import learn_camera

    clips = at_one_rate([clip for path in footage for clip in clips_in(path)], fps, print)
    if system == "decoupled":
        if preset == "paper":
            preset, width, form = "ped2", width or "paper", form or "paper"
        learn_camera(
            clips,
            output,
            architecture(preset, width or DEFAULT_WIDTH, size, motion),
            training_settings(form or DEFAULT_FORM, epochs, seed=seed, reconstruction=loss),
            resume=resume,
            devices=devices,
            bf16=bf16,
            compiled=compiled,
        )
    else:
        settings = baseline_settings(system, preset, width, size)
        refuse(
            system,
            {
                "--motion": motion != "conv3d",
                "--loss": loss != "mse",
                "--form": form is not None,
                "--compile": compiled,
                "--devices": devices > 1,
            },
        )
        learn_baseline(
            clips,
            output,
            settings,
            BaselineTraining(seed=seed) if epochs is None else BaselineTraining(seed=seed, epochs=epochs),
            resume=resume,
            bf16=bf16,
        )
    print(f"{output} is ready. Next: latentwatch score {output} NEW_FOOTAGE")
