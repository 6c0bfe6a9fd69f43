"""`latentwatch reproduce`."""

from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from latentwatch.cli.options import DEFAULT_FORM, Compile, Epochs, architecture, training_settings
from latentwatch.models.presets import DEFAULT_WIDTH, WIDTHS

if TYPE_CHECKING:
    from latentwatch.experiments.experiment import Experiment
    from latentwatch.experiments.seeds import Plan


def reproduce(
    name: Annotated[
        str | None, typer.Argument(help="The experiment, see --list.", show_default=False)
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show all experiments: data, state, minutes; then stop.")
    ] = False,
    data: Annotated[Path | None, typer.Option(help="Folder that holds the data set.")] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="A small version, in minutes: few clips, 1 seed, 4 epochs.",
        ),
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(help="How many seeds; 4 as in the paper if not given.", min=1, show_default=False),
    ] = None,
    width: Annotated[
        str | None,
        typer.Option(
            help=f"Width of the networks: {', '.join(WIDTHS)}; {DEFAULT_WIDTH} if not given.",
            show_default=False,
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Another input size than Table 1's, HEIGHTxWIDTH.", show_default=False),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            help="Form of training, see 'train'; several for ped2 and engines, such as paper,joint; "
            f"{DEFAULT_FORM} if not given.",
            show_default=False,
        ),
    ] = None,
    epochs: Epochs = None,
    compiled: Compile = False,
    only: Annotated[
        Literal["accuracy", "faults", "load"] | None,
        typer.Option(help="live: measure this part alone, anew.", show_default=False),
    ] = None,
    minutes: Annotated[float, typer.Option(help="live: how long the load lasts.", min=0.1)] = 30,
    runs: Annotated[
        Path, typer.Option(help="Folder of checkpoints and models, shared by all experiments.")
    ] = Path("runs"),
    results: Annotated[
        Path, typer.Option("--to", help="Folder of the pages, the JSON files and the plots.")
    ] = Path("docs/results"),
) -> None:
    """Run an experiment of the paper end to end; go on where an earlier run was stopped.

    Example: latentwatch reproduce ped2 --data data/ped2
    """
    from latentwatch.datasets.registry import SOURCES
    from latentwatch.errors import StoppedError, UsageError
    from latentwatch.evaluation.results import make_folder
    from latentwatch.experiments.publish import published
    from latentwatch.experiments.registry import EXPERIMENTS, experiment
    from latentwatch.experiments.seeds import Plan
    from latentwatch.training.settings import FORMS

    seeds = seeds or (1 if quick else 4)
    width = width or DEFAULT_WIDTH
    form = form or DEFAULT_FORM
    forms = form.split(",")
    unknown = [each for each in forms if each not in FORMS]
    if unknown:
        raise UsageError(f"--form {unknown[0]}: no such form of training; known are {', '.join(FORMS)}")

    variant = ["quick"] if quick else unlike_default(size, width, form, epochs)
    # A form of training has a folder of its own in that of its network.
    network = ["quick"] if quick else unlike_default(size, width, DEFAULT_FORM, epochs)
    epochs = epochs or (4 if quick else None)

    def plan(each: "Experiment") -> Plan:
        # Folders are this machine's business: the result names the command without them.
        command = f"latentwatch reproduce {each.name}"
        command += " --data DIR" if any(name in SOURCES for name in each.datasets) else ""
        command += " --quick" if quick else ""
        command += f" --seeds {seeds} --width {width} --form {form}"
        command += f" --size {size}" if size else ""
        command += f" --epochs {epochs}" if epochs else ""
        command += " --compile" if compiled else ""
        return Plan(
            name="-".join([each.name, *variant]),
            data=data,
            architecture=architecture(each.preset, width, size),
            preset=f"{each.preset}/{width}" + (f" {size}" if size else ""),
            forms={part: training_settings(part, epochs) for part in forms},
            seeds=seeds,
            command=command,
            compiled=compiled,
            runs=runs / "-".join(network),
            results=results,
            quick=quick,
            only=only,
            minutes=minutes,
        )

    if listed:
        _print_list([(each, plan(each)) for each in EXPERIMENTS.values()])
        return
    if name is None:
        raise UsageError("say which experiment; 'latentwatch reproduce --list' shows all")
    chosen = experiment(name)
    if only and name != "live":
        raise UsageError(f"--only {only}: a part of live, not of {name}; leave it away")
    if size and chosen.any_of:
        raise UsageError(f"--size {size}: {name} takes each data set at its own size of Table 1")
    chosen.check_data(data)  # asks for data that is not there, before anything takes time
    make_folder(results)
    wanted = plan(chosen)
    print(
        f"{name}: about {ceil(chosen.minutes(wanted))} min, less what {wanted.runs} holds finished; "
        "Ctrl-C stops, the same command goes on"
    )
    try:
        page = published(chosen, wanted)
    except (KeyboardInterrupt, StoppedError) as error:
        raise StoppedError(f"stopped; the same command goes on (what is done is in {wanted.runs})") from error
    print(f"results: {page}")


def unlike_default(size: str | None, width: str, form: str, epochs: int | None) -> list[str]:
    """What the names of a result's files and of the folder of its models say of settings that are not the
    default ones.

    So a run with other settings neither overwrites the page of a run with them nor finds its models.
    """
    return [
        *([size] if size else []),
        *([f"width-{width}"] if width != DEFAULT_WIDTH else []),
        *([f"form-{form.replace(',', '-')}"] if form != DEFAULT_FORM else []),
        *([f"epochs-{epochs}"] if epochs else []),
    ]


def _print_list(experiments: "list[tuple[Experiment, Plan]]") -> None:
    from latentwatch.datasets.registry import SOURCES
    from latentwatch.experiments.experiment import state

    print(f"{'name':10}{'paper':16}{'data':14}{'minutes':>7}  {'state':32}what")
    for each, plan in experiments:
        print(
            f"{each.name:10}{each.paper:16}{_data_of(each):14}{ceil(each.minutes(plan)):7}  "
            f"{state(plan.name, plan.results):32}{each.about}"
        )
    print("minutes: about, on this machine, with these options, if nothing is done yet")
    for dataset in sorted({name for each, _ in experiments for name in each.datasets}):
        print(f"{dataset}: {SOURCES.get(dataset, 'made by the program')}")


def _data_of(experiment: "Experiment") -> str:
    return "those present" if experiment.any_of else experiment.dataset or "none"
