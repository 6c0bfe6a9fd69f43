"""Frames as they would look in rain, fog or dusk, blurred, shaken, noisy or badly compressed: for tests.

Everything random comes from the seed and the frame's index, so a frame is changed in the same way whether it
is read live or in a batch.
"""

import io
import math
from dataclasses import dataclass
from typing import Literal, Self

import kornia
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor
from torch.nn import functional

from latentwatch.errors import UsageError

KNOWN = {
    "rain": "none, heavy or torrential",
    "brightness": "0 to 2, a factor",
    "blur": "0 to 10, standard deviation in pixels",
    "fog": "0 to 1, how dense",
    "noise": "0 to 0.5, standard deviation where white is 1",
    "shake": "0 to 50, pixels",
    "jpeg": "1 to 100, quality",
    "dusk": "0 to 1, how late",
}
"""What can be changed, and the values it takes."""


class Corruption(BaseModel):
    """How frames are changed; see `KNOWN`. The defaults change nothing.

    Whatever the order in which they are given, changes are made in that of the light's way: weather, lens,
    sensor, codec.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rain: Literal["none", "heavy", "torrential"] = "none"
    fog: float = Field(0, ge=0, le=1)
    dusk: float = Field(0, ge=0, le=1)
    brightness: float = Field(1, ge=0, le=2)
    blur: float = Field(0, ge=0, le=10)
    shake: float = Field(0, ge=0, le=50)
    noise: float = Field(0, ge=0, le=0.5)
    jpeg: int | None = Field(None, ge=1, le=100)
    seed: int = Field(0, ge=0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """From `rain=heavy,brightness=0.7`. Raises `UsageError` naming what is allowed."""
        values: dict[str, str] = {}
        for part in text.split(","):
            name, _, value = (word.strip() for word in part.partition("="))
            if name not in KNOWN:
                allowed = "; ".join(f"{known}={values}" for known, values in KNOWN.items())
                raise UsageError(f"{part.strip() or text}: no such change of frames; known are {allowed}")
            values[name] = value
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            name = str(error.errors()[0]["loc"][0])
            raise UsageError(f"{name}={values[name]}: {name} takes {KNOWN[name]}") from error

    def __str__(self) -> str:
        """As `parse` reads it; "none" where nothing is changed."""
        changes = self.model_dump(exclude_defaults=True, exclude={"seed"})
        return ",".join(f"{name}={_short(value)}" for name, value in changes.items()) or "none"


def _short(value: str | float) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def corrupt(rgb: NDArray[np.uint8], index: int, how: Corruption) -> NDArray[np.uint8]:
    """The frame uint8 `(H, W, 3)` that has this 0-based `index` in its footage, changed."""
    picture = torch.tensor(rgb).permute(2, 0, 1)[None].float() / 255
    if how.rain != "none":
        picture = _rain(picture, index, RAINS[how.rain], how.seed)
    if how.fog > 0:
        picture = _fog(picture, index, how.fog, how.seed)
    if how.dusk > 0:
        picture = _dusk(picture, how.dusk)
    picture = picture * how.brightness
    if how.blur > 0:
        picture = _blur(picture, how.blur)
    if how.shake > 0:
        picture = _shake(picture, index, how.shake, how.seed)
    noise = math.hypot(how.noise, DUSK_NOISE * how.dusk)
    if noise > 0:
        rng = np.random.default_rng((how.seed, 3, index))
        grain = rng.standard_normal(picture.shape, dtype=np.float32)
        picture = picture + noise * torch.from_numpy(grain)
    changed = (255 * picture.clamp(0, 1)).round().byte()[0].permute(1, 2, 0).numpy()
    return changed if how.jpeg is None else _jpeg(changed, how.jpeg)


@dataclass(frozen=True)
class Rain:
    """drops: how many in a picture of 240x360 pixels; length: of a streak, in rows of 240.

    light: what share of the light is left. haze: blur of what is behind, standard deviation in rows of 240.
    """

    drops: int
    length: int
    light: float
    haze: float


RAINS = {"heavy": Rain(150, 30, 0.8, 0.6), "torrential": Rain(260, 60, 0.7, 1.0)}
"""Close to the Automold toolkit's, which the paper used: its streaks are as long, 144 and 173 in number."""

DRAWN_ROWS = 240
"""Rain is drawn at this height and enlarged to the picture's, so that it looks alike at any size."""

FALL = 0.45
"""How far a drop falls from one frame to the next, of the picture's height."""

STREAK, OPACITY = 200 / 255, 0.75
"""Grey level of a streak (Automold's), and its opacity."""

AIRLIGHT = 0.82
"""Grey level of fog."""

DUSK_NOISE = 0.04
"""Noise at full dusk: the camera turns its gain up."""

_DRAWING = kornia.augmentation.RandomRain(p=1)


def _rain(picture: Tensor, index: int, rain: Rain, seed: int) -> Tensor:
    """Slanted translucent streaks that fall from frame to frame, before a darker and softer picture."""
    height, width = picture.shape[2:]
    columns = round(width * DRAWN_ROWS / height)
    rng = np.random.default_rng((seed, 1))
    slant = int(rng.integers(3, rain.length // 4)) * int(rng.choice((-1, 1)))
    drops = round(rain.drops * columns / 360)
    places = rng.uniform(size=(drops, 2))
    fallen = places[:, 0] + FALL * rng.uniform(0.8, 1.2, size=drops) * index
    drift = fallen * slant / rain.length * DRAWN_ROWS / columns
    # A drop that has left the picture comes again from above, at another column.
    places = np.stack([fallen % 1, (places[:, 1] + drift + 0.618 * np.floor(fallen)) % 1], axis=1)
    # Drawn larger by a streak's length on all sides, so that streaks cross the border of the picture.
    canvas = torch.zeros(1, 1, DRAWN_ROWS + 2 * rain.length, columns + 2 * rain.length)
    settings = {
        "number_of_drops_factor": torch.tensor([drops]),
        "drop_height_factor": torch.tensor([rain.length]),
        "drop_width_factor": torch.tensor([slant]),
        "coordinates_factor": torch.from_numpy(places)[None],
    }
    drawn = _DRAWING.apply_transform(canvas, settings, {}) > 0
    drawn = drawn[:, :, rain.length : -rain.length, rain.length : -rain.length]
    opacity = functional.interpolate(OPACITY * _blur(drawn.float(), 0.5), (height, width), mode="bilinear")
    behind = rain.light * _blur(picture, rain.haze * height / DRAWN_ROWS)
    return behind * (1 - opacity) + STREAK * opacity


def _fog(picture: Tensor, index: int, density: float, seed: int) -> Tensor:
    """Fog that drifts, and is thicker towards the top of the picture, which is farther away."""
    height, width = picture.shape[2:]
    phases = np.random.default_rng((seed, 2)).uniform(0, 2 * math.pi, size=3).tolist()
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1.5, width), indexing="ij")
    clouds = torch.zeros(height, width)
    for number, phase in enumerate(phases, start=1):
        clouds += torch.sin(2 * math.pi * number * (0.7 * x + 0.4 * y - 0.01 * index) + phase) / number
    clear = torch.exp(-2.5 * density * (1.2 - 0.6 * y) * (1 + 0.25 * clouds))
    return picture * clear + AIRLIGHT * (1 - clear)


def _dusk(picture: Tensor, late: float) -> Tensor:
    """Darker, with less light in the shadows than in the lights, and bluer."""
    dark = kornia.enhance.adjust_gamma(picture, gamma=1 + 0.6 * late, gain=1 - 0.6 * late)
    return dark * torch.tensor([1 - 0.3 * late, 1 - 0.15 * late, 1.0]).view(3, 1, 1)


def _shake(picture: Tensor, index: int, pixels: float, seed: int) -> Tensor:
    """A sway of up to `pixels` in each direction with a tremor on it, as of a mast in wind."""
    phases = np.random.default_rng((seed, 4)).uniform(0, 2 * math.pi, size=2)
    sway = np.sin(2 * math.pi * np.array([0.11, 0.17]) * index + phases)
    tremor = np.random.default_rng((seed, 4, index)).uniform(-1, 1, size=2)
    offset = torch.tensor(pixels * (0.6 * sway + 0.4 * tremor), dtype=torch.float32)[None]
    return kornia.geometry.transform.translate(picture, offset, padding_mode="border")


def _blur(picture: Tensor, sigma: float) -> Tensor:
    size = 2 * math.ceil(3 * sigma) + 1
    return kornia.filters.gaussian_blur2d(picture, (size, size), (sigma, sigma), border_type="replicate")


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Through a real encoder and back."""
    packed = io.BytesIO()
    Image.fromarray(rgb).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed).convert("RGB"))
