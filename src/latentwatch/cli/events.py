"""`latentwatch events`: list, show, label."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from latentwatch.cli.options import SettingsFile, needs_extra

if TYPE_CHECKING:
    from latentwatch.monitor.settings import Settings
    from latentwatch.monitor.store import EventStore

events = typer.Typer(no_args_is_help=True, help="Look at recorded events, and say what they were.")

EventId = Annotated[str, typer.Argument(help="The event's id, or how it begins.", show_default=False)]


@events.command("list")
def list_events(
    settings: SettingsFile,
    camera: Annotated[str | None, typer.Option(help="Of this camera alone.", show_default=False)] = None,
    last: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
) -> None:
    """List the newest events.

    Example: latentwatch events list cameras.yaml --camera front-door
    """
    with _store(settings) as (store, _):
        print(f"{'id':10}{'camera':18}{'start':21}{'seconds':>8}{'level':>7}  {'state':6}label")
        for each in store.newest(last, camera):
            print(
                f"{each.id[:8]:10}{each.camera:18}{_local(each.start):21}{each.seconds:8.1f}"
                f"{each.level:7.2f}  {each.state:6}{each.label or ''}"
            )


@events.command("show")
def show_event(settings: SettingsFile, event: EventId) -> None:
    """Show all of an event as JSON, and where its clip and snapshot are.

    Example: latentwatch events show cameras.yaml 3f2a
    """
    import json

    from latentwatch.monitor.clips import ClipStore

    with _store(settings) as (store, loaded):
        found = store.get(event)
        clips = ClipStore(loaded.clips_url, store.owner)
        shown = {column.name: getattr(found, column.name) for column in found.__table__.columns}
        for name in ("snapshot", "clip"):
            shown[name] = clips.where(shown[name]) if shown[name] else None
        print(json.dumps(shown, indent=1))


@events.command("label")
def label_event(
    settings: SettingsFile,
    event: EventId,
    label: Annotated[Literal["normal", "anomaly", "none"], typer.Argument(help="What it was.")],
) -> None:
    """Say what an event was: normal (a false alarm) or an anomaly; none takes it back.

    Where the camera learns over time, the frames of a normal event are learned from.

    Example: latentwatch events label cameras.yaml 3f2a normal
    """
    with _store(settings) as (store, loaded):
        from latentwatch.monitor.feedback import label_event as keep_label

        found, moved = keep_label(store, loaded, event, None if label == "none" else label)
        learned = "; its frames will be learned from" if moved and label == "normal" else ""
        print(f"{found.id[:8]} ({found.camera}, {_local(found.start)}): {found.label or 'no label'}{learned}")


@contextmanager
def _store(settings: Path) -> "Iterator[tuple[EventStore, Settings]]":
    with needs_extra("monitor"):
        from latentwatch.monitor.settings_file import load_settings
        from latentwatch.monitor.store import EventStore

    loaded = load_settings(settings)
    store = EventStore(loaded.store_url)
    try:
        yield store, loaded
    finally:
        store.close()


def _local(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
