"""Pictures of a clip, frame by frame: background, tree, shadows, people far to near, light, noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from latentwatch.datasets.street.camera import Camera
from latentwatch.datasets.street.scene import TREES, Tree, background, barrier, lamp_post
from latentwatch.datasets.street.script import Actor

NOISE = 2.6
"""Standard deviation of the sensor's noise, in grey levels."""


@dataclass(frozen=True)
class _Sprite:
    picture: Image.Image
    corner: tuple[int, int]
    depth: float
    anomalous: bool


class Renderer:
    """One camera's view of the street. All clips of a data set share one. site: with the building site."""

    def __init__(self, camera: Camera, seed: int, *, site: bool = False) -> None:
        self.camera, self.site = camera, site
        self._background = background(camera, seed)
        self._trees = [Tree(camera, place, seed) for place in TREES]
        self._furniture = [lamp_post(camera), *([barrier(camera)] if site else [])]
        rows, columns = np.mgrid[0 : camera.size[0], 0 : camera.size[1]]
        away = (rows / camera.size[0] - 0.5) ** 2 + (columns / camera.size[1] - 0.5) ** 2
        self._vignette = (1 - 0.28 * away)[..., None].astype(np.float32)
        rng = np.random.default_rng((seed, 3))
        # One large field of noise, cut anew for every frame, is faster than drawing it each time.
        self._noise = rng.normal(0, NOISE, (2 * camera.size[0], 2 * camera.size[1], 3)).astype(np.float32)

    def frame(
        self, actors: list[Actor], time: float, light: float, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """The picture at `time` seconds, uint8 `(H, W, 3)`. light: brightness, 1 is usual."""
        sprites = self._sprites(actors, time)
        picture = self._background.copy()
        self._cast_shadows(picture, actors, time)
        for tree in self._trees:
            crown = tree.picture(time)
            picture.paste(crown, tree.corner, crown)
        for sprite in sprites:
            picture.paste(sprite.picture, sprite.corner, sprite.picture)
        height, width = self.camera.size
        row, column = int(rng.integers(0, height)), int(rng.integers(0, width))
        values = np.asarray(picture, dtype=np.float32) * (self._vignette * np.float32(light))
        values += self._noise[row : row + height, column : column + width]
        return np.asarray(np.clip(values, 0, 255), dtype=np.uint8)

    def mask(self, actors: list[Actor], time: float) -> NDArray[np.bool_]:
        """The visible pixels of what is anomalous at `time`, bool `(H, W)`."""
        layer = Image.new("L", (self.camera.size[1], self.camera.size[0]))
        for sprite in self._sprites(actors, time):
            alpha = sprite.picture.getchannel("A")
            layer.paste(255 if sprite.anomalous else 0, sprite.corner, alpha)
        return np.asarray(np.asarray(layer) > 127)

    def _sprites(self, actors: list[Actor], time: float) -> list[_Sprite]:
        """What stands in the picture, far to near."""
        found = [_Sprite(each.picture, each.corner, each.depth, False) for each in self._furniture]
        for actor in actors:
            x, y, z = actor.place(time)
            if abs(x) > self.camera.half_width(z) + 2.4:
                continue
            scale = self.camera.scale(z)
            picture = actor.drawing(scale, actor.phase(time))
            if actor.facing < 0:
                picture = ImageOps.mirror(picture)
            column, row = self.camera.project(x, y, z)
            corner = (round(column - picture.width / 2), round(row - picture.height + 0.12 * scale))
            found.append(_Sprite(picture, corner, z, actor.anomalous(time)))
        return sorted(found, key=lambda sprite: -sprite.depth)

    def _cast_shadows(self, picture: Image.Image, actors: list[Actor], time: float) -> None:
        """Soft shadows to the right and a little towards the back, longer for taller things."""
        layer = Image.new("L", picture.size)
        draw = ImageDraw.Draw(layer)
        for actor in actors:
            x, y, z = actor.place(time)
            if abs(x) > self.camera.half_width(z) + 2.4:
                continue
            wide = 1.7 if actor.size_m == 1.9 else 0.17
            reach = 0.75 * actor.size_m
            shift = 0.75 * y
            corners = [
                (x - wide + shift, z - 0.14), (x + wide + shift, z - 0.14),
                (x + wide + shift + reach, z + 0.42), (x - wide + shift + 0.9 * reach, z + 0.52),
            ]  # fmt: skip
            draw.polygon([self.camera.project(a, 0, b) for a, b in corners], fill=105)
        soft = layer.filter(ImageFilter.GaussianBlur(1.6))
        picture.paste((34, 34, 42), (0, 0), soft)
