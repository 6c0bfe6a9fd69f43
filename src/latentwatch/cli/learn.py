"""`latentwatch learn`, `latentwatch versions` and `latentwatch rollback`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from latentwatch.cli.event_store import opened_store
from latentwatch.cli.options import EngineChoice, SettingsFile, camera_in, needs_extra
from latentwatch.errors import LatentwatchError, StoppedError

if TYPE_CHECKING:
    from latentwatch.monitor.settings import Settings


def learn(
    settings: SettingsFile,
    camera: Annotated[str | None, typer.Option(help="This camera alone.", show_default=False)] = None,
    engine: EngineChoice = "auto",
) -> None:
    """Let models go on learning from the normal footage of late; adopted only where they are no worse.

    Ctrl-C stops it; the same command goes on.

    Example: latentwatch learn cameras.yaml --camera front-door
    """
    with needs_extra("monitor"):
        from latentwatch.monitor.feedback import take_labels
        from latentwatch.monitor.learner import learn_camera_more

    loaded = _load(settings)
    chosen = loaded.cameras if camera is None else {camera: camera_in(settings, loaded, camera)}
    if loaded.has_store:
        with opened_store(loaded) as store:
            moved = take_labels(store, loaded)
        if moved:
            print(f"{moved} labelled events taken in")
    failed: LatentwatchError | None = None
    for name, each in chosen.items():
        try:
            learn_camera_more(name, each, engine, partial(_say, name))
        except (KeyboardInterrupt, StoppedError) as error:
            raise StoppedError("stopped; the same command goes on where it was") from error
        except LatentwatchError as error:
            failed = type(error)(f"camera {name}: {error}")
            if len(chosen) > 1:
                print(f"{name}: {error}")
    if failed is not None:
        raise failed


def versions(
    settings: SettingsFile,
    camera: Annotated[str | None, typer.Option(help="This camera alone.", show_default=False)] = None,
) -> None:
    """Show the versions of each camera's model, and what became of the last time of learning.

    Example: latentwatch versions cameras.yaml
    """
    with needs_extra("monitor"):
        from latentwatch.monitor.learn import last_verdict
        from latentwatch.monitor.versions import in_use, versions_of

    loaded = _load(settings)
    chosen = loaded.cameras if camera is None else {camera: camera_in(settings, loaded, camera)}
    for name, each in chosen.items():
        now = in_use(each.model)
        kept = versions_of(each.model)
        if not kept:
            print(f"{name}: no versions kept; 'latentwatch learn' makes some")
        for version in kept:
            mark = "  <- in use" if version.number == now else ""
            print(f"{name}: {version.number:4}  {version.made}  {version.about}{mark}")
        verdict = last_verdict(each.model)
        if verdict is not None:
            print(f"{name}: last learning {verdict}")


def rollback(
    settings: SettingsFile,
    camera: Annotated[str, typer.Argument(help="Name of the camera.", show_default=False)],
    to: Annotated[
        int | None,
        typer.Option("--to", help="Number of the version; without it, the one before.", show_default=False),
    ] = None,
) -> None:
    """Go back to an earlier version of a camera's model, with its budget and its health.

    Example: latentwatch rollback cameras.yaml front-door --to 1
    """
    with needs_extra("monitor"):
        from latentwatch.monitor.versions import roll_back

    number = roll_back(camera_in(settings, _load(settings), camera).model, to)
    print(f"{camera}: version {number} is in use")


def _say(camera: str, line: str) -> None:
    print(f"{camera}: {line}")


def _load(path: Path) -> "Settings":
    with needs_extra("monitor"):
        from latentwatch.monitor.settings_file import load_settings

    return load_settings(path)
