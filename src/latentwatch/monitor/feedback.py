"""What people say of events: kept in the store, and learned from."""

from latentwatch.monitor.model import Event, Label
from latentwatch.monitor.reservoir import events_folder, take_label
from latentwatch.monitor.settings import Settings
from latentwatch.monitor.store import EventStore


def label_event(
    store: EventStore, settings: Settings, event_id: str, label: Label | None
) -> tuple[Event, bool]:
    """Keeps a label; gives the event, and whether its frames were moved, see `take_label`.

    Raises as `EventStore.label` and `take_label` do.
    """
    event = store.label(event_id, label)
    camera = settings.cameras.get(event.camera)
    return event, camera is not None and take_label(camera.model, event.id, label)


def take_labels(store: EventStore, settings: Settings) -> int:
    """Moves the frames of all events that wait where their labels say; returns how many were moved.

    An event may have been labelled while it went on, or in the database itself.
    """
    moved = 0
    for camera in settings.cameras.values():
        for path in events_folder(camera.model).glob("*.mkv"):
            label = store.label_of(path.stem)
            moved += label is not None and take_label(camera.model, path.stem, label)
    return moved
