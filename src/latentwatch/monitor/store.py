"""Events, cameras' problems, and the messages about both, in a database.

An event and its messages are written in one transaction, and a message is sent after that, so that whatever
was announced is in the store. A file is written before the row that names it, and removed before that row:
whatever moment the program dies at, `recover` finds the files that no row names.
"""

import logging
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, func, select, update
from sqlalchemy.orm import Session

from latentwatch.errors import UsageError
from latentwatch.monitor.clips import ORIGINAL, ClipStore
from latentwatch.monitor.database import open_database
from latentwatch.monitor.model import Announced, CameraProblem, Event, Kind, Label, Message, Owner, Unblurring
from latentwatch.monitor.removal import Place, Removal, Told
from latentwatch.monitor.settings import Keep

log = logging.getLogger(__name__)

_WAITS = and_(Message.delivered.is_(None), Message.failed.is_(False))


@dataclass(frozen=True)
class Recovered:
    """What `recover` found after an unclean end: events that were going on, files that no event names."""

    events: int
    files: int


class EventStore:
    """Reads and writes events; may be used from several threads. Raises as `open_database` does."""

    def __init__(self, url: str) -> None:
        self.engine: Engine = open_database(url)
        with Session(self.engine) as session:
            self.owner = session.scalars(select(Owner.id)).one()

    def close(self) -> None:
        """Lets go of the database."""
        self.engine.dispose()

    def begin(self, event: Event, channels: Sequence[str]) -> None:
        """Records a new event, with one message to each channel."""
        with self._session() as session, session.begin():
            session.add(event)
            session.flush()
            session.add_all(_event_messages(event, "new", channels))

    def end(self, event_id: str, channels: Sequence[str], **changes: Any) -> None:
        """Records the end of an event, with one message to each channel. changes: its columns."""
        with self._session() as session, session.begin():
            event = session.get_one(Event, event_id)
            for name, value in changes.items():
                setattr(event, name, value)
            session.add_all(_event_messages(event, "end", channels))

    def get(self, event_id: str) -> Event:
        """The event whose id begins so. Raises `UsageError` where there is none, or more than one."""
        with self._session() as session:
            query = select(Event).where(Event.id.startswith(event_id, autoescape=True)).limit(2)
            found = session.scalars(query).all() if event_id else []
        if len(found) != 1:
            raise UsageError(
                f"'{event_id}': {'more than one' if found else 'no'} event has an id that begins so"
            )
        return found[0]

    def newest(self, count: int, camera: str | None = None) -> Sequence[Event]:
        """The last `count` events, newest first, of one camera if given."""
        query = select(Event).order_by(Event.start.desc(), Event.id).limit(count)
        if camera is not None:
            query = query.where(Event.camera == camera)
        with self._session() as session:
            return session.scalars(query).all()

    def label(self, event_id: str, label: Label | None) -> Event:
        """Keeps what a person says of an event. Raises as `get` does."""
        event = self.get(event_id)
        with self._session() as session, session.begin():
            session.execute(update(Event).where(Event.id == event.id).values(label=label))
        return self.get(event.id)

    def label_of(self, event_id: str) -> Label | None:
        """What was said of the event with this whole id; None also where there is no such event."""
        with self._session() as session:
            label: Label | None = session.scalar(select(Event.label).where(Event.id == event_id))
            return label

    def without_clip(self, camera: str) -> Sequence[Event]:
        """A camera's events that the program's end has cut short, and that have no clip."""
        query = select(Event).where(Event.camera == camera, Event.state == "cut", Event.clip.is_(None))
        with self._session() as session:
            return session.scalars(query).all()

    def add_clip(self, event_id: str, clip: str, size: int) -> None:
        """Records the clip of an event that is over already. size: its bytes."""
        with self._session() as session, session.begin():
            session.execute(
                update(Event).where(Event.id == event_id).values(clip=clip, bytes=Event.bytes + size)
            )

    def begin_problem(self, camera: str, problem: str, start: float, channels: Sequence[str]) -> None:
        """Records that a camera sees badly from now on, with one message to each channel."""
        with self._session() as session, session.begin():
            found = CameraProblem(camera=camera, problem=problem, start=start)
            session.add(found)
            session.flush()
            session.add_all(_problem_messages(session, found, "problem", channels))

    def end_problem(self, camera: str, problem: str, end: float, channels: Sequence[str]) -> None:
        """Records that a problem is over, with one message to each channel; nothing if it is not known."""
        which = and_(CameraProblem.camera == camera, CameraProblem.problem == problem)
        with self._session() as session, session.begin():
            _end_problems(session, which, end, channels)

    def remove(self, removal: Removal, now: float) -> None:
        """Records that a camera is no longer watched, or that channels are no longer told of it there."""
        with self._session() as session, session.begin():
            if removal.is_gone:
                _end_problems(session, CameraProblem.camera == removal.camera, now, removal.told)
            session.add_all(
                Message(
                    key=f"{uuid.uuid4().hex}-removed",
                    channel=channel,
                    kind="removed",
                    body={
                        "type": "removed",
                        "camera": removal.camera,
                        **(place._asdict() if place else {}),
                    },
                )
                for channel, place in removal.forget.items()
            )
            which = and_(Announced.camera == removal.camera, Announced.channel.in_(removal.left))
            session.execute(delete(Announced).where(which))

    def announce(self, told: Told) -> None:
        """Records that channels are told of cameras, and where, until `remove` takes that back."""
        with self._session() as session, session.begin():
            for camera, channels in told.items():
                for channel, place in channels.items():
                    where = place._asdict() if place else {"topic": None, "discovery": None}
                    session.merge(Announced(camera=camera, channel=channel, **where))

    def announced(self) -> Told:
        """Who was told of which cameras; also cameras that have problems, told or not."""
        rows = select(Announced).order_by(Announced.camera, Announced.channel)
        troubled = select(CameraProblem.camera).where(CameraProblem.end.is_(None))
        found: dict[str, dict[str, Place | None]] = {}
        with self._session() as session:
            for row in session.scalars(rows):
                place = Place(row.topic, row.discovery) if row.topic and row.discovery else None
                found.setdefault(row.camera, {})[row.channel] = place
            for camera in session.scalars(troubled):
                found.setdefault(camera, {})
        return found

    def open_problems(self, camera: str) -> list[str]:
        """The problems that a camera has, as far as is known."""
        with self._session() as session:
            return _open_problems(session, camera)

    def newest_problems(self, count: int, camera: str | None = None) -> Sequence[CameraProblem]:
        """The last `count` problems, newest first, of one camera if given."""
        query = select(CameraProblem).order_by(CameraProblem.start.desc(), CameraProblem.id).limit(count)
        if camera is not None:
            query = query.where(CameraProblem.camera == camera)
        with self._session() as session:
            return session.scalars(query).all()

    def note_unblurring(self, event_id: str, file: str, who: str, host: str) -> None:
        """Records who is given an original; call it before."""
        with self._session() as session, session.begin():
            session.add(Unblurring(event_id=event_id, file=file, at=time.time(), who=who, host=host))

    def unblurrings(self, event_id: str) -> Sequence[Unblurring]:
        """Who was given originals of an event, in the order of time."""
        query = select(Unblurring).where(Unblurring.event_id == event_id).order_by(Unblurring.id)
        with self._session() as session:
            return session.scalars(query).all()

    def recover(self, clips: ClipStore, channels: dict[str, Sequence[str]]) -> Recovered:
        """Sets right what an unclean end has left; call it before anything is watched.

        Events that were going on are ended, with their messages; files that no event names are removed.
        channels: those of each camera. Raises `OSError` where the clip store cannot be reached.
        """
        with self._session() as session:
            known = {event.id: event for event in session.scalars(select(Event))}
        found = clips.files()
        orphans = 0
        for name, event_id in found.items():
            event = known.get(event_id)
            is_original = event is not None and name in _originals(event)
            if event is None or (
                event.state != "open" and not is_original and name not in (event.clip, event.snapshot)
            ):
                clips.delete(name)
                orphans += 1
        cut = [event for event in known.values() if event.state == "open"]
        for event in cut:
            clip = f"{event.camera}/{event.id}.mp4"
            whole = (event.snapshot, clip, *_originals(event))
            names = [name for name in whole if name in found]
            for name, event_id in found.items():
                if event_id == event.id and name not in whole:
                    clips.delete(name)
            self.end(
                event.id,
                channels.get(event.camera, ()),
                state="cut",
                end=event.peak,
                clip=clip if clip in found else None,
                bytes=sum(clips.size(name) for name in names),
            )
        return Recovered(len(cut), orphans)

    def purge(self, clips: ClipStore, keep: Keep, now: float | None = None) -> int:
        """Removes the oldest ended events beyond what is kept, with their files; returns how many.

        Problems of cameras go by their age alone. An event whose message still waits is kept, unless it is
        over age. Raises `OSError` where a file cannot be removed.
        """
        oldest = (now or time.time()) - keep.days * 86400
        waiting = select(Message.event_id).where(Message.event_id.is_not(None), _WAITS)
        ended = select(Event).where(Event.state != "open").order_by(Event.start)
        with self._session() as session:
            gone = list(session.scalars(ended.where(Event.start < oldest)))
            used = session.scalar(select(func.sum(Event.bytes)).where(Event.start >= oldest)) or 0
            too_much = float(used) - keep.gigabytes * 1e9
            if too_much > 0:
                for event in session.scalars(ended.where(Event.start >= oldest, Event.id.not_in(waiting))):
                    if too_much <= 0:
                        break
                    gone.append(event)
                    too_much -= event.bytes
        for event in gone:
            for name in (event.clip, event.snapshot, *_originals(event)):
                if name:
                    clips.delete(name)
            with self._session() as session, session.begin():
                session.execute(delete(Message).where(Message.event_id == event.id))
                session.execute(delete(Event).where(Event.id == event.id))
        old = select(CameraProblem.id).where(CameraProblem.end < oldest)
        with self._session() as session, session.begin():
            session.execute(delete(Message).where(Message.problem_id.in_(old)))
            session.execute(delete(CameraProblem).where(CameraProblem.end < oldest))
            session.execute(
                delete(Message).where(
                    Message.event_id.is_(None), Message.problem_id.is_(None), Message.delivered < oldest
                )
            )
        return len(gone)

    def next_message(self, channel: str, *, but_for: tuple[float, float] | None = None) -> Message | None:
        """The oldest message that waits for a channel, due or not: in order, one may hold up all others.

        but_for: leaves out those whose next try lies in this span of time.
        """
        query = select(Message).where(Message.channel == channel, _WAITS).order_by(Message.id).limit(1)
        if but_for is not None:
            query = query.where(~Message.next_try.between(*but_for))
        with self._session() as session:
            return session.scalars(query).first()

    def waiting(self) -> dict[str, int]:
        """How many messages wait, by channel."""
        query = select(Message.channel, func.count()).where(_WAITS).group_by(Message.channel)
        with self._session() as session:
            return {row[0]: row[1] for row in session.execute(query)}

    def forget_channels(self, but: Collection[str]) -> dict[str, int]:
        """Gives up what waits for other channels than these; says how many messages, by channel."""
        others = {name: count for name, count in self.waiting().items() if name not in but}
        which = and_(Message.channel.in_(others), _WAITS)
        with self._session() as session, session.begin():
            session.execute(
                update(Message).where(which).values(failed=True, error="no such channel any more")
            )
        return others

    def clip_bytes(self) -> int:
        """What the files of all events take."""
        with self._session() as session:
            return int(session.scalar(select(func.sum(Event.bytes))) or 0)

    def mark(self, message_id: int, **changes: Any) -> None:
        """Changes columns of a message."""
        with self._session() as session, session.begin():
            session.execute(update(Message).where(Message.id == message_id).values(**changes))

    def _session(self) -> Session:
        return Session(self.engine, expire_on_commit=False)


def _originals(event: Event) -> list[str]:
    """Names of the encrypted originals that an event may have; see `EventFiles`."""
    return [f"{event.camera}/{event.id}.{kind}{ORIGINAL}" for kind in ("mp4", "jpg")]


def _event_messages(event: Event, kind: Kind, channels: Sequence[str]) -> list[Message]:
    body = {
        "id": event.id,
        "type": kind,
        "camera": event.camera,
        "start": event.start,
        "peak": event.peak,
        "end": event.end,
        "level": round(event.level, 3),
        "boxes": event.boxes,
        "snapshot": event.snapshot,
        "clip": event.clip,
        "state": event.state,
    }
    return [
        Message(key=f"{event.id}-{kind}", channel=channel, event_id=event.id, kind=kind, body=body)
        for channel in channels
    ]


def _end_problems(session: Session, which: ColumnElement[bool], end: float, channels: Sequence[str]) -> None:
    """Ends those problems that go on, with one message of each to each channel."""
    query = select(CameraProblem).where(CameraProblem.end.is_(None), which)
    for found in session.scalars(query).all():
        found.end = end
        session.flush()
        session.add_all(_problem_messages(session, found, "well", channels))


def _problem_messages(
    session: Session, found: CameraProblem, kind: Kind, channels: Sequence[str]
) -> list[Message]:
    body = {
        "id": found.id,
        "type": kind,
        "camera": found.camera,
        "problem": found.problem,
        "start": found.start,
        "end": found.end,
        "problems": _open_problems(session, found.camera),
    }
    return [
        Message(key=f"{found.id}-{kind}", channel=channel, problem_id=found.id, kind=kind, body=body)
        for channel in channels
    ]


def _open_problems(session: Session, camera: str) -> list[str]:
    query = (
        select(CameraProblem.problem)
        .where(CameraProblem.camera == camera, CameraProblem.end.is_(None))
        .order_by(CameraProblem.problem)
    )
    return list(session.scalars(query))
