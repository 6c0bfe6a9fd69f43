"""`latentwatch events`: list, show, label, picture, unblur, problems."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from latentwatch.cli.event_store import opened_store
from latentwatch.cli.options import SettingsFile, camera_in, needs_extra
from latentwatch.errors import LatentwatchError

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
    with _store(settings) as (store, loaded):
        found = store.newest(last, camera)
        if camera is not None and not found:  # one that the settings no longer name may still have events
            camera_in(settings, loaded, camera)
        print(f"{'id':10}{'camera':18}{'start':21}{'seconds':>8}{'level':>7}  {'state':6}label")
        for each in found:
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
        clips = ClipStore(loaded.clips_url, store.owner, loaded.unsent)
        shown = {
            column.name: getattr(found, column.name)
            for column in found.__table__.columns
            if column.name != "heat"  # numbers that say nothing; see 'events picture'
        }
        for name in ("snapshot", "clip"):
            shown[name] = clips.where(shown[name]) if shown[name] else None
        shown["unblurred"] = [
            {"at": each.at, "who": each.who, "host": each.host, "file": each.file}
            for each in store.unblurrings(found.id)
        ]
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


@events.command("picture")
def draw_event(
    settings: SettingsFile,
    event: EventId,
    to: Annotated[Path, typer.Option(help="The picture to write (.jpg or .png).", show_default=False)],
) -> None:
    """Draw where an event was: its snapshot with heat map and boxes.

    Example: latentwatch events picture cameras.yaml 3f2a --to where.jpg
    """
    with _store(settings) as (store, loaded):
        from latentwatch.monitor.clips import ClipStore
        from latentwatch.monitor.heat import save_place

        save_place(store.get(event), ClipStore(loaded.clips_url, store.owner, loaded.unsent), to)
        print(f"{to}: written")


@events.command("unblur")
def unblur_event(
    settings: SettingsFile,
    event: EventId,
    to: Annotated[Path, typer.Option(help="The new file to write it to.", show_default=False)],
    snapshot: Annotated[bool, typer.Option("--snapshot", help="The snapshot instead of the clip.")] = False,
) -> None:
    """Decrypt the original of a blurred clip. Who did so, and when, is recorded with the event.

    Example: CLIP_KEY=… latentwatch events unblur cameras.yaml 3f2a --to evidence.mp4
    """
    with _store(settings) as (store, loaded):
        from latentwatch.monitor.clips import ClipStore
        from latentwatch.monitor.unblur import unblur

        clips = ClipStore(loaded.clips_url, store.owner, loaded.unsent)
        unblur(store, clips, loaded.privacy, event, to, snapshot=snapshot)
        print(f"{to}: written; that you asked for it is recorded")


@events.command("problems")
def list_problems(
    settings: SettingsFile,
    camera: Annotated[str | None, typer.Option(help="Of this camera alone.", show_default=False)] = None,
    last: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 20,
) -> None:
    """List when cameras saw badly: covered, moved, frozen and so on. These are no events.

    Example: latentwatch events problems cameras.yaml
    """
    with _store(settings) as (store, loaded):
        found = store.newest_problems(last, camera)
        if camera is not None and not found:
            camera_in(settings, loaded, camera)
        print(f"{'camera':18}{'problem':14}{'start':21}end")
        for each in found:
            end = "goes on" if each.end is None else _local(each.end)
            print(f"{each.camera:18}{each.problem:14}{_local(each.start):21}{end}")


@contextmanager
def _store(settings: Path) -> "Iterator[tuple[EventStore, Settings]]":
    with needs_extra("monitor"):
        from latentwatch.monitor.settings_file import load_settings

    loaded = load_settings(settings)
    if not loaded.has_store:
        raise LatentwatchError(
            f"{loaded.folder}: no events are there; 'latentwatch watch {settings}' makes them"
        )
    with opened_store(loaded) as store:
        yield store, loaded


def _local(seconds: float) -> str:
    from datetime import datetime

    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
