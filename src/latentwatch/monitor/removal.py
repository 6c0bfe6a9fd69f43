"""What is still to be said of cameras that the settings do not name any more."""

from dataclasses import dataclass

from latentwatch.monitor.settings import Mqtt, Service, Settings


@dataclass(frozen=True)
class Removal:
    """A camera that is no longer watched, or of which some channels are no longer told.

    is_gone: it is not watched. told: channels that hear that its problems are over. forget: channels that
    then forget it.
    """

    camera: str
    is_gone: bool
    told: list[str]
    forget: list[str]


def removals(old: Settings, new: Settings) -> list[Removal]:
    """What a change of the settings removes."""
    found = []
    for camera in old.cameras:
        is_gone = camera not in new.cameras
        still = [] if is_gone else new.channels_of(camera)
        left = [name for name in old.channels_of(camera) if name in new.notify and name not in still]
        # People are not told: they have taken it away themselves, and its picture is not back.
        told = [name for name in left if not isinstance(new.notify[name], Service)]
        forget = [name for name in left if isinstance(new.notify[name], Mqtt)]
        if is_gone or forget:
            found.append(Removal(camera, is_gone, told, forget))
    return found
