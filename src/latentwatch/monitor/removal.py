"""What is still to be said of cameras that the settings do not name any more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from latentwatch.monitor.settings import Mqtt, Service, Settings


@dataclass(frozen=True)
class Removal:
    """A camera that is no longer watched, or of which some channels are no longer told.

    is_gone: it is not watched. left: channels that are no longer told of it. told: those of them that hear
    that its problems are over. forget: those that then forget it.
    """

    camera: str
    is_gone: bool
    left: list[str]
    told: list[str]
    forget: list[str]


def removals(old: Mapping[str, Sequence[str]], new: Settings) -> list[Removal]:
    """What other settings remove. old: the channels of each camera before."""
    found = []
    for camera, channels in old.items():
        is_gone = camera not in new.cameras
        still = [] if is_gone else new.channels_of(camera)
        left = [name for name in channels if name in new.notify and name not in still]
        # People are not told: they have taken it away themselves, and its picture is not back.
        told = [name for name in left if not isinstance(new.notify[name], Service)]
        forget = [name for name in left if isinstance(new.notify[name], Mqtt)]
        if is_gone or left:
            found.append(Removal(camera, is_gone, left, told, forget))
    return found
