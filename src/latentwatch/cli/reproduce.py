"""`latentwatch reproduce`."""

from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import Compile, Epochs, LatentGradient, LearningRate, Width, architecture


def reproduce(
    name: Annotated[str, typer.Argument(help="The experiment: ped2.", show_default=False)],
    data: Annotated[Path, typer.Option(help="Folder that holds the data set.")],
    seeds: Annotated[int, typer.Option(help="How many seeds; the paper uses 4.", min=1)] = 4,
    width: Width = "small",
    epochs: Epochs = 50,
    learning_rate: LearningRate = 1e-4,
    latent_gradient: LatentGradient = "stop",
    compiled: Compile = False,
    runs: Annotated[Path, typer.Option(help="Folder of checkpoints and models.")] = Path("runs"),
    results: Annotated[Path, typer.Option(help="Folder of the page, the JSON and the plots.")] = Path(
        "docs/results"
    ),
) -> None:
    """Run an experiment of the paper end to end; go on where an earlier run was stopped.

    Example: latentwatch reproduce ped2 --data data/ped2
    """
    from latentwatch.errors import UsageError
    from latentwatch.experiments.ped2 import reproduce_ped2
    from latentwatch.training.module import TrainingSettings

    if name != "ped2":
        raise UsageError(f"{name}: no such experiment; known is ped2")
    settings = TrainingSettings(epochs=epochs, learning_rate=learning_rate, latent_gradient=latent_gradient)
    # Folders are this machine's business: the result names the command without them.
    command = (
        f"latentwatch reproduce {name} --data DIR --seeds {seeds} --width {width} --epochs {epochs} "
        f"--learning-rate {learning_rate:g} --latent-gradient {latent_gradient}"
    )
    page = reproduce_ped2(
        data,
        architecture("ped2", width),
        width,
        settings,
        seeds,
        command=command,
        compiled=compiled,
        runs=runs,
        results=results,
    )
    print(f"results: {page}")
