"""What tells somebody of events."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.model import Message


class RefusedError(LatentwatchError):
    """The receiver will never take this message; trying again is of no use."""


class Channel(ABC):
    """Delivers messages to one receiver, from one thread.

    in_order: whether a message that does not go through holds up those behind it.
    """

    in_order: ClassVar[bool] = True

    def start(self) -> None:  # noqa: B027
        """Begins to reach for the receiver; before that nothing leaves this process."""

    @abstractmethod
    def send(self, message: Message, snapshot: bytes | None) -> None:
        """Delivers a message; returns once the receiver has confirmed it. snapshot: JPEG.

        Raises `RefusedError` where the receiver does not want it, `LatentwatchError` where it may be tried
        again.
        """

    @abstractmethod
    def check(self) -> str:
        """Says that the receiver can be reached, without telling it anything; call nothing after it.

        Raises `LatentwatchError` where it cannot.
        """

    def camera_state(self, camera: str, is_live: bool) -> None:  # noqa: B027
        """A camera comes or goes; most channels do not tell that."""

    def camera_problems(self, camera: str, problems: Sequence[str]) -> None:  # noqa: B027
        """What a camera suffers from at the start; changes of it come as messages."""

    def close(self) -> None:  # noqa: B027
        """Lets go of the receiver."""
