"""What is still to be said of cameras that the settings do not name any more, or name in another place."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from latentwatch.monitor.settings import Mqtt, Service, Settings


class Place(NamedTuple):
    """The prefixes of the topics in which a broker is told of a camera, see `Mqtt`."""

    topic: str
    discovery: str


Told = Mapping[str, Mapping[str, Place | None]]
"""By camera, the channels that are told of it, and where; None for those that have no topics."""


@dataclass(frozen=True)
class Removal:
    """A camera that is no longer watched, or of which some channels are no longer told, or in other topics.

    is_gone: it is not watched. left: channels that are no longer told of it. told: those of them that hear
    that its problems are over. forget: those that then forget it, and where they were told; None where that
    is not known, and taken to be where they are told now.
    """

    camera: str
    is_gone: bool
    left: list[str]
    told: list[str]
    forget: dict[str, Place | None]


def told_by(settings: Settings) -> Told:
    """Who is told of which cameras, by these settings."""
    return {
        camera: {name: _place(settings, name) for name in settings.channels_of(camera)}
        for camera in settings.cameras
    }


def removals(old: Told, new: Settings) -> list[Removal]:
    """What other settings remove. old: who was told before."""
    found = []
    for camera, channels in old.items():
        is_gone = camera not in new.cameras
        still = [] if is_gone else new.channels_of(camera)
        left = [name for name in channels if name in new.notify and name not in still]
        # People are not told: they have taken it away themselves, and its picture is not back.
        told = [name for name in left if not isinstance(new.notify[name], Service)]
        forget = {
            name: place
            for name, place in channels.items()
            if isinstance(new.notify.get(name), Mqtt)
            and (name in left or (place is not None and place != _place(new, name)))
        }
        if is_gone or left or forget:
            found.append(Removal(camera, is_gone, left, told, forget))
    return found


def _place(settings: Settings, channel: str) -> Place | None:
    found = settings.notify[channel]
    return Place(found.topic, found.discovery) if isinstance(found, Mqtt) else None
