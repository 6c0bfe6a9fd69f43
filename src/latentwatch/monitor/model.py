"""The tables of the event store."""

import uuid
from typing import Any, Literal

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

State = Literal["open", "done", "cut"]
"""Of an event: going on; ended; ended by the program's end (its clip may be missing)."""

Label = Literal["normal", "anomaly"]

Kind = Literal["new", "end", "problem", "well", "removed"]
"""Of a message: an event has begun; it is over, and its clip can be had; a camera sees badly; well again; the
channel is no longer told of that camera, or no longer in those topics."""


GONE = "gone"
"""The problem of a camera that gives no picture; what one may be that does, see `HealthMonitor`."""


class Base(DeclarativeBase):
    """What the tables have in common."""

    type_annotation_map = {dict[str, Any]: JSON, list[list[float]]: JSON}  # noqa: RUF012


class Event(Base):
    """A span of frames above a camera's threshold. Times are seconds since 1970, UTC.

    level: of its peak; 1 is the threshold. boxes: where, `[left, top, right, bottom]` in shares of the
    picture, at the peak. heat: how unusual each place is there, `(h, w)`, as a share of the largest; None in
    events of older versions. snapshot, clip: names in the clip store; bytes: what all its files take there.
    label: what a person said.
    """

    __tablename__ = "event"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid.uuid4().hex)
    camera: Mapped[str] = mapped_column(String(64), index=True)
    start: Mapped[float] = mapped_column(index=True)
    peak: Mapped[float]
    end: Mapped[float | None]
    level: Mapped[float]
    boxes: Mapped[list[list[float]]]
    heat: Mapped[list[list[float]] | None]
    snapshot: Mapped[str | None]
    clip: Mapped[str | None]
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(String(8), default="open")
    label: Mapped[str | None] = mapped_column(String(16))

    @property
    def seconds(self) -> float:
        """How long it lasted, or has lasted by its peak."""
        return (self.end or self.peak) - self.start


class Message(Base):
    """One message to one channel, kept until it is delivered.

    id: in the order of writing. key: the same in each attempt, so that a receiver can drop doubles. event_id,
    problem_id: what it is about, one of the two; neither in "removed". failed: the channel refused it for
    good.
    """

    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(48))
    channel: Mapped[str] = mapped_column(String(64))
    event_id: Mapped[str | None] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), index=True)
    problem_id: Mapped[str | None] = mapped_column(ForeignKey("problem.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(8))
    body: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[float] = mapped_column(default=0.0)
    delivered: Mapped[float | None]
    failed: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str | None]

    __table_args__ = (Index("ix_message_waiting", "channel", "delivered", "failed", "id"),)


class CameraProblem(Base):
    """A time in which a camera did not see well, such as `covered`. Times are seconds since 1970, UTC.

    end: None while it goes on.
    """

    __tablename__ = "problem"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=lambda: uuid.uuid4().hex)
    camera: Mapped[str] = mapped_column(String(64), index=True)
    problem: Mapped[str] = mapped_column(String(32))
    start: Mapped[float] = mapped_column(index=True)
    end: Mapped[float | None]


class Announced(Base):
    """A camera of which a channel was told, whose receiver may keep that until the camera is removed.

    topic, discovery: the prefixes of a broker's topics in which that was; None for other channels, and where
    an older version has told it.
    """

    __tablename__ = "announced"

    camera: Mapped[str] = mapped_column(String(64), primary_key=True)
    channel: Mapped[str] = mapped_column(String(64), primary_key=True)
    topic: Mapped[str | None]
    discovery: Mapped[str | None]


class Unblurring(Base):
    """Who was given the original of a blurred clip or snapshot, and when (seconds since 1970, UTC).

    It outlives its event, so `event_id` refers to nothing. file: the original's name. who: the user of the
    operating system, host: the machine.
    """

    __tablename__ = "unblurring"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    event_id: Mapped[str] = mapped_column(String(32), index=True)
    file: Mapped[str] = mapped_column(String(120))
    at: Mapped[float]
    who: Mapped[str] = mapped_column(String(120))
    host: Mapped[str] = mapped_column(String(120))


class Owner(Base):
    """The one row that tells this store from others; the clip store holds the same."""

    __tablename__ = "owner"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
