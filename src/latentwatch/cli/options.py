"""Options that several commands share."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from latentwatch.engines.names import Choice
from latentwatch.errors import MissingPackageError, UsageError, installing
from latentwatch.models.presets import TABLE1, WIDTHS, Architecture, Motion

if TYPE_CHECKING:
    from latentwatch.baselines.scorer import BaselineSettings
    from latentwatch.monitor.settings import Camera, Settings
    from latentwatch.training.settings import TrainingSettings

SettingsFile = Annotated[Path, typer.Argument(help="The settings file of 'watch'.", show_default=False)]
Model = Annotated[Path, typer.Argument(help="Model file made by 'latentwatch train'.", show_default=False)]
Width = Annotated[str, typer.Option(help=f"Width of the networks: {', '.join(WIDTHS)}.")]
Epochs = Annotated[
    int | None,
    typer.Option(help="Passes over the footage; 10 in form joint, 50 in the paper's, 16 in fast.", min=2),
]
FormName = Literal["paper", "joint", "fast"]
FORM_HELP = (
    "Form of training: 'joint' (one phase, the code's variance kept), the paper's two phases, or 'fast' for "
    "a first look."
)
Form = Annotated[FormName, typer.Option(help=FORM_HELP)]
DEFAULT_FORM: FormName = "joint"
"""The form of training that the default width was chosen with."""

Compile = Annotated[
    bool,
    typer.Option(
        "--compile", help="Fuse the networks first: faster epochs, for a C++ compiler and a minute."
    ),
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint.")]

EngineChoice = Annotated[
    Choice, typer.Option(help="What runs the networks; 'auto' is the fastest that is installed.")
]
Corrupt = Annotated[
    str | None,
    typer.Option(
        help="Change the frames first, to test: such as rain=heavy,brightness=0.7 (see docs/robustness.md).",
        show_default=False,
    ),
]
ScoringFormat = Annotated[
    bool | None,
    typer.Option(
        "--bf16/--fp32", help="Number format; without it, bf16 where the CPU has it (onnx and torch: fp32)."
    ),
]

Int8 = Annotated[bool, typer.Option("--int8", help="Score in int8, by what 'latentwatch quantise' made.")]


def architecture(preset: str, width: str, size: str | None = None, motion: Motion = "conv3d") -> Architecture:
    """A Table 1 preset at a width, and at another input size `HEIGHTxWIDTH` if given.

    Raises `UsageError` for an unknown preset or width, or a size that does not fit.
    """
    from pydantic import ValidationError

    if preset not in TABLE1:
        raise UsageError(f"--preset {preset}: no such preset; known are {', '.join(TABLE1)}")
    if width not in WIDTHS:
        raise UsageError(f"--width {width}: no such width; known are {', '.join(WIDTHS)}")
    settings = {**TABLE1[preset], "base_width": WIDTHS[width], "motion": motion} | _parsed(size)
    try:
        return Architecture.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        side = {"height": "height: ", "width_px": "width: "}.get(str(*first["loc"][:1]), "")
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"--size {size}: {side}{reason[0].lower()}{reason[1:]}") from error


def baseline_settings(system: str, preset: str, width: str | None, size: str | None) -> "BaselineSettings":
    """A baseline at a preset's input size, or another `HEIGHTxWIDTH`, and at a width (default: its paper's).

    Raises `UsageError` for an unknown system, preset or width, or a size that is out of range.
    """
    from pydantic import ValidationError

    from latentwatch.baselines.registry import SHARES, SYSTEMS
    from latentwatch.baselines.scorer import BaselineSettings

    if system not in SYSTEMS:
        raise UsageError(f"--model {system}: no such system; known are decoupled, {', '.join(SYSTEMS)}")
    if preset not in TABLE1:
        raise UsageError(f"--preset {preset}: no such preset; known are {', '.join(TABLE1)}")
    width = width or "paper"
    if width not in SHARES:
        raise UsageError(f"--width {width}: no such width; known are {', '.join(SHARES)}")
    settings = {name: TABLE1[preset][name] for name in ("height", "width_px")} | _parsed(size)
    try:
        return BaselineSettings(system=system, share=SHARES[width], **settings)
    except ValidationError as error:
        raise UsageError(f"--size {size}: {error.errors()[0]['msg']}") from error


def refuse(system: str, given: dict[str, bool]) -> None:
    """Raises `UsageError` naming the first option that was given, where a baseline has no use for it."""
    for option, is_given in given.items():
        if is_given:
            raise UsageError(f"{option}: not for {system}; leave it away")


def _parsed(size: str | None) -> dict[str, int]:
    if size is None:
        return {}
    found = re.fullmatch(r"(\d+)x(\d+)", size)
    if not found:
        raise UsageError(f"--size {size}: expected HEIGHTxWIDTH in pixels, such as 128x192")
    return {"height": int(found[1]), "width_px": int(found[2])}


def training_settings(form: str, epochs: int | None, **changes: Any) -> "TrainingSettings":
    """The settings of a form of training, with other epochs if given."""
    from latentwatch.training.settings import FORMS

    if epochs is not None:
        changes["epochs"] = epochs
    return FORMS[form].model_copy(update=changes)


def camera_in(path: Path, settings: "Settings", name: str) -> "Camera":
    """The camera called `name` in the settings file `path`. Raises `UsageError` where there is none."""
    if name not in settings.cameras:
        raise UsageError(f"{path}: no camera {name}; known are {', '.join(settings.cameras)}")
    return settings.cameras[name]


@contextmanager
def needs_extra(extra: str) -> Iterator[None]:
    """Imports what an extra of the package brings. Raises `MissingPackageError` where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("latentwatch"):
            raise
        raise MissingPackageError(f"{error.name} is not installed; {installing(extra)}") from error


def let_idle_threads_sleep() -> None:
    """For live cameras; call it before PyTorch is imported. A setting of the user's own stays.

    Its threads would else spin while they wait for the next frame: in the load test of `streams` a third of
    sixteen cameras' frames were lost to that.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
