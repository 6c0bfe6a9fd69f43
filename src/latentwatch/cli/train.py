"""`latentwatch train`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import Compile, Epochs, Form, Resume, Width, architecture, training_settings


def train(
    footage: Annotated[
        list[Path],
        typer.Argument(
            help="Normal footage: video files, folders of images, or folders of either.", show_default=False
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")] = Path("camera.lw"),
    preset: Annotated[str, typer.Option(help="Input size, k and blocks as in the paper's Table 1.")] = "ped2",
    width: Width = "small",
    size: Annotated[str | None, typer.Option(help="Another input size, HEIGHTxWIDTH.")] = None,
    form: Form = "paper",
    epochs: Epochs = None,
    compiled: Compile = False,
    seed: Annotated[int, typer.Option(help="Seed of weights and sampling.")] = 0,
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
    from latentwatch.datasets.folder import clips_in
    from latentwatch.training.camera import learn_camera

    clips = [clip for path in footage for clip in clips_in(path)]
    learn_camera(
        clips,
        output,
        architecture(preset, width, size),
        training_settings(form, epochs, seed=seed),
        resume=resume,
        devices=devices,
        bf16=bf16,
        compiled=compiled,
    )
    print(f"{output} is ready. Next: latentwatch score {output} NEW_FOOTAGE")
