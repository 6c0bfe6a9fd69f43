"""The settings file of `latentwatch watch`: cameras, what is kept of them, and who is told."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
    model_validator,
)

from latentwatch.errors import UsageError
from latentwatch.monitor.duration import parse_duration
from latentwatch.monitor.references import is_reference
from latentwatch.monitor.schedule import Hours, parse_hours
from latentwatch.video.address import Transport, parse_address

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""Names are parts of MQTT topics and of file names."""

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
Polygon = Annotated[list[Point], Field(min_length=3)]
"""Corners (x, y) in shares of the picture's width and height; (0, 0) is the left upper corner."""


Duration = Annotated[float, BeforeValidator(parse_duration, json_schema_input_type=str)]
"""Seconds, written as `parse_duration` has it."""


def _camera_url(url: SecretStr) -> SecretStr:
    try:
        parse_address(url.get_secret_value())
    except UsageError as error:
        raise ValueError(str(error)) from error
    return url


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True, hide_input_in_errors=True
    )


class Camera(_Part):
    """One camera.

    url: see `parse_address`. transport: how RTSP brings the pictures. loop: a file is played over and over,
    and not once. model: the file of `latentwatch train`. ignore: polygons whose errors do not count.
    schedule: when it is watched; empty means always. false_alarms_per_day: the budget. notify: which of the
    channels are told; None means all. seconds_before, seconds_after: what a clip has around its event. enrol:
    where `model` is not there yet, how many seconds of usable footage to record before it is learned; None
    refuses to watch. learn: seconds between two times that the model learns from newer footage; None: never.
    """

    url: Annotated[SecretStr, AfterValidator(_camera_url)]
    transport: Transport = "tcp"
    loop: bool = False
    model: Path
    ignore: list[Polygon] = []
    schedule: list[Annotated[Hours, BeforeValidator(parse_hours, json_schema_input_type=str)]] = []
    false_alarms_per_day: float = Field(default=1, gt=0)
    notify: list[str] | None = None
    seconds_before: float = Field(default=5, ge=0, le=60)
    seconds_after: float = Field(default=5, ge=0, le=60)
    enrol: Duration | None = None
    learn: Duration | None = None


class Mqtt(_Part):
    """A broker, `mqtt://user:password@host:1883` or `mqtts://`; topics begin with `topic`.

    discovery: the prefix under which Home Assistant looks for devices.
    """

    mqtt: SecretStr
    topic: str = Field(default="latentwatch", pattern=r"^[^#+\s]+$")
    discovery: str = Field(default="homeassistant", pattern=r"^[^#+\s]+$")


class Webhook(_Part):
    """An address that events are sent to by POST, signed with `secret` (HMAC-SHA256)."""

    webhook: SecretStr
    secret: SecretStr


class Service(_Part):
    """Any other service, by its Apprise URL, such as `ntfys://ntfy.sh/my-topic`."""

    apprise: SecretStr


KINDS: dict[str, type[_Part]] = {"mqtt": Mqtt, "webhook": Webhook, "apprise": Service}


def _kind(value: Any) -> str | None:
    given = value if isinstance(value, dict) else vars(value) if isinstance(value, _Part) else {}
    return next((kind for kind in KINDS if kind in given), None)


Channel = Annotated[
    Annotated[Mqtt, Tag("mqtt")] | Annotated[Webhook, Tag("webhook")] | Annotated[Service, Tag("apprise")],
    Discriminator(
        _kind,
        custom_error_type="channel",
        custom_error_message=f"expected one of {', '.join(KINDS)}",
    ),
]


class Keep(_Part):
    """What is kept at most: events and clips for so many days, in so many gigabytes (10^9 bytes).

    footage_days, footage_gigabytes: the same for the small frames that each camera's model learns from; one
    half of the room is for enrolment, the other for what is collected while the camera is watched.
    """

    days: float = Field(default=30, gt=0)
    gigabytes: float = Field(default=20, gt=0)
    footage_days: float = Field(default=90, gt=0)
    footage_gigabytes: float = Field(default=4, gt=0)


class Http(_Part):
    """Where `/metrics`, `/health` and `/ready` are served; there is no login, so keep it to a trusted net."""

    listen: str = "127.0.0.1"
    port: int = Field(default=9464, ge=0, le=65535)


def _is_no_secret(reference: str) -> str:
    if not is_reference(reference):
        raise ValueError("a key must not stand here; expected ${NAME} or ${file:PATH}")
    return reference


class Privacy(_Part):
    """Clips and snapshots in which everything that moves is blurred; originals are kept encrypted.

    blur: which cameras; None means all. keys: references to keys (see `read_keys`), newest first, which are
    looked up where they are needed: who only lists events needs none.
    """

    blur: list[str] | None = None
    keys: Annotated[list[Annotated[str, AfterValidator(_is_no_secret)]], Field(min_length=1)]


class Settings(_Part):
    """All of the file.

    folder: where everything is kept that is not sent elsewhere. store: URL of the database; None means SQLite
    in the folder. clips: folder or fsspec URL of clips and snapshots; None means `clips` in the folder.
    http: None serves nothing.
    """

    cameras: dict[Name, Camera] = Field(min_length=1)
    notify: dict[Name, Channel] = {}
    folder: Path = Path("latentwatch-data")
    store: SecretStr | None = None
    clips: str | None = None
    keep: Keep = Keep()
    privacy: Privacy | None = None
    http: Http | None = None

    @model_validator(mode="after")
    def _cameras_exist(self) -> Self:
        blurred = self.privacy.blur if self.privacy else None
        unknown = set(blurred or []) - set(self.cameras)
        if unknown:
            known = ", ".join(self.cameras)
            raise ValueError(f"privacy.blur: no camera {', '.join(sorted(unknown))}; known are {known}")
        return self

    @model_validator(mode="after")
    def _channels_exist(self) -> Self:
        for name, camera in self.cameras.items():
            unknown = set(camera.notify or []) - set(self.notify)
            if unknown:
                known = ", ".join(self.notify) or "none"
                raise ValueError(f"camera {name}: no channel {', '.join(sorted(unknown))}; known are {known}")
        return self

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.store.get_secret_value() if self.store else f"sqlite:///{self.folder / 'events.db'}"

    @property
    def has_store(self) -> bool:
        """Whether there is a database to look into; one on another machine counts as there."""
        return self.store is not None or (self.folder / "events.db").exists()

    @property
    def clips_url(self) -> str:
        """The fsspec URL of clips and snapshots."""
        return self.clips or str(self.folder / "clips")

    @property
    def unsent(self) -> Path:
        """Where clips wait to be sent, where `clips` is on another machine."""
        return self.folder / "unsent"

    def blurs(self, camera: str) -> bool:
        """Whether a camera's clips and snapshots are blurred."""
        return self.privacy is not None and (self.privacy.blur is None or camera in self.privacy.blur)

    def channels_of(self, camera: str) -> list[str]:
        """The channels that are told of a camera's events."""
        chosen = self.cameras[camera].notify
        return list(self.notify) if chosen is None else chosen

    def below(self, folder: Path) -> Self:
        """The same with relative paths taken from `folder`, where the settings file is."""
        cameras = {
            name: camera.model_copy(update={"model": folder / camera.model})
            for name, camera in self.cameras.items()
        }
        changes: dict[str, Any] = {"cameras": cameras, "folder": folder / self.folder}
        if self.clips and "://" not in self.clips:
            changes["clips"] = str(folder / self.clips)
        return self.model_copy(update=changes)
