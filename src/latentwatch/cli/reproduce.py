"""`latentwatch reproduce`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from latentwatch.cli.options import Compile, Epochs, Width, architecture, training_settings


def reproduce(
    name: Annotated[
        str, typer.Argument(help="The experiment: ped2 or fig7 (moving MNIST).", show_default=False)
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds the data set.")],
    seeds: Annotated[int, typer.Option(help="How many seeds; the paper uses 4.", min=1)] = 4,
    width: Width = "small",
    form: Annotated[
        Literal["paper", "joint", "fast", "both"],
        typer.Option(help="Form of training, see 'train'; 'both' for ped2 alone."),
    ] = "paper",
    epochs: Epochs = None,
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
    from latentwatch.experiments.moving_mnist import reproduce_moving_mnist
    from latentwatch.experiments.ped2 import reproduce_ped2
    from latentwatch.experiments.seeds import Plan

    experiments = {"ped2": ("ped2", reproduce_ped2), "fig7": ("moving-mnist", reproduce_moving_mnist)}
    if name not in experiments:
        raise UsageError(f"{name}: no such experiment; known are {', '.join(experiments)}")
    preset, run = experiments[name]
    if name == "fig7" and form == "both":
        raise UsageError("--form both: fig7 shows one form; give paper or fast")
    forms = ("paper", "fast") if form == "both" else (form,)
    # Folders are this machine's business: the result names the command without them.
    command = f"latentwatch reproduce {name} --data DIR --seeds {seeds} --width {width} --form {form}"
    if epochs is not None:
        command += f" --epochs {epochs}"
    plan = Plan(
        data=data,
        architecture=architecture(preset, width),
        preset=f"{preset}/{width}",
        forms={each: training_settings(each, epochs) for each in forms},
        seeds=seeds,
        command=command,
        compiled=compiled,
        runs=runs,
        results=results,
    )
    print(f"results: {run(plan)}")
