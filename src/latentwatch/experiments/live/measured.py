"""What the parts of the experiment measured, and the files that keep it until all are there."""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from latentwatch.errors import LatentwatchError
from latentwatch.whole_file import whole_file


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quick: bool


class Shown(BaseModel):
    """One camera's film and what was told of it, in seconds of the film.

    seconds: its length. clips: where each begins, and its name. spans: labelled anomalies. alarms: begin and
    end.
    """

    seconds: float
    clips: list[tuple[float, str]]
    spans: list[tuple[float, float]]
    alarms: list[tuple[float, float]]


class Accuracy(_Part):
    """Ped2's test clips, played in real time among normal ones.

    found: of the labelled `events`. false: alarms that touch no label, `false_in_test`: in test clips;
    normal_hours: footage in which they could come, in test clips `normal_hours_in_test`. latencies_ms: from
    sending the picture that began an alarm to the message. delays_s: from a labelled event's first frame to
    its alarm. playable: of the clips of so many ended events. lost: announced events that the store does not
    have. taken, dropped: frames, as in `Load`.
    """

    cameras: int
    per_day: float
    events: int
    found: int
    false: int
    false_in_test: int
    normal_hours: float
    normal_hours_in_test: float
    latencies_ms: list[float]
    delays_s: list[float]
    ended: int
    playable: int
    lost: int
    taken: int
    dropped: int
    shown: dict[str, Shown]


GENTLE_STOP = "gentle stop after these"
"""Looks at what is left after several faults; no fault itself."""


class Fault(BaseModel):
    """One kind of fault.

    times: how often it was made; survived: how often the program came through, that is with every announced
    event in the store and watching again by itself. announced: events told of in the whole of it; lost: those
    that the store does not have. recovered_s: seconds from the end of a fault to the next event or, where
    servers are restarted, to live pictures. note: what else was seen.
    """

    name: str
    times: int
    survived: int
    announced: int
    lost: int
    recovered_s: list[float]
    orphans: int = 0
    missing: int = 0
    unplayable: int = 0
    note: str = ""


class Faults(_Part):
    """All faults, and what the program took while those came in which it was not killed.

    complete: all kinds were made. memory_mib, threads: at rest, before the first fault and after the last.
    """

    faults: list[Fault] = []
    complete: bool = False
    minutes: float = 0
    memory_mib: tuple[float, float] = (0, 0)
    threads: tuple[int, int] = (0, 0)


class Load(_Part):
    """Many cameras for long.

    sent: pictures, by the server. taken: those that the program looked at; dropped: those that had waited too
    long. latencies_ms: as in `Accuracy`. cores: processors kept busy by the program; other_cores: by all else
    (server, broker, and whatever runs beside). memory_mib,
    threads: medians of the first and of the last quarter of the time.
    """

    cameras: int
    minutes: float
    sent: int
    taken: int
    dropped: int
    announced: int
    lost: int
    latencies_ms: list[float]
    cores: float
    other_cores: float
    memory_mib: tuple[float, float]
    threads: tuple[int, int]


PartT = TypeVar("PartT", bound=_Part)


def save(part: _Part, folder: Path) -> None:
    """Keeps a part's measurement in `folder`."""
    with whole_file(_file(type(part), folder)) as file:
        file.write_text(part.model_dump_json(indent=1))


def load(kind: type[PartT], folder: Path) -> PartT | None:
    """A part's measurement; None where there is none. Raises `LatentwatchError` where it is damaged."""
    file = _file(kind, folder)
    if not file.is_file():
        return None
    try:
        return kind.model_validate_json(file.read_text())
    except (OSError, ValidationError) as error:
        raise LatentwatchError(f"{file}: damaged or of another version; remove it") from error


def _file(kind: type[_Part], folder: Path) -> Path:
    return folder / f"{kind.__name__.lower()}.json"
