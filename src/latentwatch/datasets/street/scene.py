"""What does not move: ground, road, house front, street furniture; and the tree, which sways in its place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter
from scipy.ndimage import gaussian_filter

from latentwatch.datasets.street.camera import Camera

LAWN, PAVEMENT, KERB, ROAD, FAR_SIDE, FRONT = 8.4, 15.0, 15.3, 20.6, 21.0, 22.6
"""Depths in metres where lawn, pavement, kerb, road and far pavement end, and where the house stands."""

TREES = ((-5.6, 16.1, 1.25), (4.9, 15.9, 1.0))
"""Trees as (X, Z, size)."""

SITE = (-1.0, 6.5)
"""From where to where, in metres across, the building site lies on the road, where there is one."""

Picture = NDArray[np.float64]


@dataclass(frozen=True)
class Furniture:
    """Something fixed that can hide people behind it: an RGBA picture at `corner`, standing at `depth`."""

    picture: Image.Image
    corner: tuple[int, int]
    depth: float


def background(camera: Camera, seed: int) -> Image.Image:
    """The empty street as an RGB picture, rendered at twice the size and reduced."""
    rng = np.random.default_rng((seed, 1))
    large = Camera((camera.size[0] * 2, camera.size[1] * 2), camera.height_m, camera.tilt, camera.focal)
    x, z = large.ground()
    colour = _ground(x, z, large.size, rng)
    _house(colour, large, rng)
    _tree_shadows(colour, x, z)
    picture = Image.fromarray(np.clip(colour, 0, 255).astype(np.uint8))
    _bench(picture, large)
    return picture.resize((camera.size[1], camera.size[0]), Image.Resampling.LANCZOS)


def _noise(size: tuple[int, int], scale: float, rng: np.random.Generator) -> Picture:
    """Smooth noise with mean 0 and deviation 1; finer towards the far end would not be seen."""
    field = gaussian_filter(rng.normal(size=size), (scale * 0.6, scale))
    return np.asarray((field - field.mean()) / field.std())


def _hash(a: Picture, b: Picture) -> Picture:
    """A fixed pseudo-random number in [0, 1) for each pair of whole numbers."""
    return np.modf(np.abs(np.sin(a * 127.1 + b * 311.7) * 43758.5453))[0]


def _ground(x: Picture, z: Picture, size: tuple[int, int], rng: np.random.Generator) -> Picture:
    depth = np.where(np.isfinite(z), z, 1e3)
    across = np.where(np.isfinite(x), x, 0.0)
    fine, coarse = _noise(size, 1.2, rng), _noise(size, 14, rng)
    colour = np.empty((*size, 3))
    lawn = np.array([96, 112, 66]) + fine[..., None] * [9, 10, 7] + coarse[..., None] * [5, 6, 3]
    slab_x, slab_z = np.floor(across / 1.2), np.floor(depth / 0.9)
    tint = 9 * (_hash(slab_x, slab_z) - 0.5) + 3 * fine + 4 * coarse
    joint = (np.abs(across / 1.2 - np.round(across / 1.2)) < 0.018) | (
        np.abs(depth / 0.9 - np.round(depth / 0.9)) < 0.022
    )
    slabs = np.array([171, 165, 154]) + tint[..., None] - 26.0 * joint[..., None]
    asphalt = np.array([92, 93, 96]) + (4 * fine + 4 * coarse)[..., None]
    dash = (np.abs(depth - 18.0) < 0.07) & (np.mod(across, 3.0) < 1.6)
    asphalt[dash] = [196, 194, 186]
    kerb = np.array([188, 184, 176]) + 3 * fine[..., None] - 30 * (depth > 15.2)[..., None]
    zones = [depth < LAWN, depth < PAVEMENT, depth < KERB, depth < ROAD, depth < FAR_SIDE]
    for channel in range(3):
        layers = [lawn, slabs, kerb, asphalt, kerb]
        colour[..., channel] = np.select(
            zones, [part[..., channel] for part in layers], slabs[..., channel] - 12
        )
    edge = np.exp(-np.abs(depth - LAWN) / 0.12)
    return np.asarray(colour - 28 * edge[..., None])


def _house(colour: Picture, camera: Camera, rng: np.random.Generator) -> None:
    """The house front: plaster, windows with frames and reflections, a door, a plinth."""
    right, forward, up = camera.rays()
    reach = FRONT / forward
    x, y = right * reach, camera.height_m + up * reach
    wall = y > 0
    fine, coarse = _noise(camera.size, 1.0, rng), _noise(camera.size, 20, rng)
    plaster = np.array([164, 142, 118]) + (2.5 * fine + 5 * coarse)[..., None]
    plaster -= 22.0 * (np.abs(np.mod(y, 3.1) - 3.0) < 0.07)[..., None]
    plinth = np.array([118, 112, 106]) + 3 * fine[..., None]
    front = np.where((y < 0.7)[..., None], plinth, plaster)
    column, across = np.floor(x / 2.4), np.mod(x, 2.4)
    storey, above = np.floor(y / 3.1), np.mod(y, 3.1)
    low = np.where(storey == 0, 1.05, 0.85)
    opening = (np.abs(across - 1.2) < 0.62) & (above > low) & (above < 2.55)
    pane = (np.abs(across - 1.2) < 0.54) & (above > low + 0.08) & (above < 2.47)
    pane &= np.abs(across - 1.2) > 0.035
    glow = _hash(column, storey)
    sky = 18 * np.clip(above + across - 2.2, -1, 1)
    glass = np.stack([58 + 30 * glow + sky, 68 + 28 * glow + sky, 80 + 22 * glow + sky], axis=-1)
    front = np.where(opening[..., None], np.array([206, 202, 194]), front)
    front = np.where(pane[..., None], glass, front)
    door = (column == 1) & (np.abs(across - 1.2) < 0.6) & (y < 2.3)
    front = np.where(door[..., None], np.array([74, 56, 46]) + 3 * fine[..., None], front)
    front *= (1 - 0.25 * np.exp(-np.clip(y, 0, None) / 0.5))[..., None]
    colour[wall] = front[wall]


def _tree_shadows(colour: Picture, x: Picture, z: Picture) -> None:
    """Soft dappled shade of the trees on the ground."""
    for tree_x, tree_z, size in TREES:
        distance = ((x - tree_x - 2.2 * size) / (2.1 * size)) ** 2 + ((z - tree_z + 1.0) / (1.3 * size)) ** 2
        dapple = 0.75 + 0.25 * np.sin(5 * np.where(np.isfinite(x), x, 0)) * np.sin(7 * np.minimum(z, 99))
        shade = 0.34 * np.exp(-(np.minimum(distance, 50.0) ** 2)) * dapple
        colour *= (1 - shade)[..., None]


def _bench(picture: Image.Image, camera: Camera) -> None:
    draw = ImageDraw.Draw(picture)
    for height, thickness, tone in (
        (0.45, 4, (104, 74, 50)),
        (0.72, 3, (118, 84, 56)),
        (0.88, 3, (118, 84, 56)),
    ):
        ends = [camera.project(x, height, 14.7) for x in (0.2, 2.0)]
        draw.line(ends, fill=tone, width=thickness)
    for x in (0.35, 1.85):
        draw.line([camera.project(x, 0, 14.7), camera.project(x, 0.9, 14.7)], fill=(60, 60, 62), width=3)


def lamp_post(camera: Camera) -> Furniture:
    """A lamp post on the near side of the pavement: people pass behind it."""
    depth, x = 8.8, -2.9
    large = Image.new("RGBA", (camera.size[1] * 2, camera.size[0] * 2))
    draw = ImageDraw.Draw(large)
    foot = camera.project(x, 0, depth)
    top = foot[0], camera.project(x, 5.2, depth)[1]  # upright in the picture, as people and trees are
    double = [(2 * foot[0], 2 * foot[1]), (2 * top[0], 2 * top[1])]
    draw.line(double, fill=(62, 66, 68, 255), width=9)
    draw.line(
        [(2 * foot[0] - 2, 2 * foot[1]), (2 * top[0] - 2, 2 * top[1])], fill=(96, 100, 102, 255), width=2
    )
    draw.ellipse(
        (2 * foot[0] - 10, 2 * foot[1] - 6, 2 * foot[0] + 10, 2 * foot[1] + 4), fill=(58, 60, 62, 255)
    )
    small = large.resize((camera.size[1], camera.size[0]), Image.Resampling.BOX)
    box = small.getbbox() or (0, 0, 1, 1)
    return Furniture(small.crop(box), (box[0], box[1]), depth)


def barrier(camera: Camera) -> Furniture:
    """Red and white boards between pavement and road, round the building site."""
    depth = KERB + 0.2
    large = Image.new("RGBA", (camera.size[1] * 2, camera.size[0] * 2))
    draw = ImageDraw.Draw(large)

    def at(x: float, y: float) -> tuple[float, float]:
        column, row = camera.project(x, y, depth)
        return 2 * column, 2 * row

    for post in np.arange(SITE[0], SITE[1] + 0.1, 1.5):
        draw.line([at(post, 0), at(post, 1.05)], fill=(92, 92, 94, 255), width=4)
    for number, x in enumerate(np.arange(SITE[0], SITE[1], 0.5)):
        tone = (178, 44, 40, 255) if number % 2 else (226, 224, 218, 255)
        for low, high in ((0.35, 0.6), (0.75, 1.0)):
            draw.polygon([at(x, low), at(x + 0.5, low), at(x + 0.5, high), at(x, high)], fill=tone)
    small = large.resize((camera.size[1], camera.size[0]), Image.Resampling.BOX)
    box = small.getbbox() or (0, 0, 1, 1)
    return Furniture(small.crop(box), (box[0], box[1]), depth)


class Tree:
    """A tree whose crown sways: `picture(time)` gives it at a time in seconds, to be pasted at `corner`."""

    def __init__(self, camera: Camera, place: tuple[float, float, float], seed: int) -> None:
        x, self.depth, size = place
        rng = np.random.default_rng((seed, 2, int(100 * abs(x))))
        scale = camera.scale(self.depth) * size
        width, height = round(4.0 * scale), round(5.4 * scale)
        large = Image.new("RGBA", (2 * width, 2 * height))
        draw = ImageDraw.Draw(large)
        trunk = 0.13 * scale * 2
        draw.polygon(
            [
                (width - trunk, 2 * height),
                (width + trunk, 2 * height),
                (width + trunk / 2, height),
                (width - trunk / 2, height),
            ],
            fill=(74, 60, 46, 255),
        )
        for _ in range(420):
            angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.uniform())
            leaf_x = width + 0.86 * width * reach * np.cos(angle)
            leaf_y = 0.62 * height + 0.56 * height * reach * np.sin(angle)
            radius = rng.uniform(0.05, 0.14) * width
            light = rng.normal(0, 9) + 26 * (0.62 * height - leaf_y) / height
            tone = tuple(int(np.clip(c + light, 0, 255)) for c in (66, 88, 44))
            draw.ellipse(
                (leaf_x - radius, leaf_y - radius * 0.7, leaf_x + radius, leaf_y + radius * 0.7),
                fill=(*tone, 255),
            )
        self._picture = large.filter(ImageFilter.GaussianBlur(1)).resize(
            (width, height), Image.Resampling.BOX
        )
        foot = camera.project(x, 0, self.depth)
        self.corner = (round(foot[0] - width / 2), round(foot[1] - height))
        self._phase = rng.uniform(0, 2 * np.pi)

    def picture(self, time: float) -> Image.Image:
        """The tree, RGBA: the crown leans with the wind, the foot stays."""
        width, height = self._picture.size
        gust = 0.6 + 0.4 * np.sin(0.23 * time + self._phase)
        lean = gust * (1.1 * np.sin(1.9 * time + self._phase) + 0.5 * np.sin(4.3 * time)) / height
        shear = (1, lean, -lean * height, 0, 1, 0)
        return self._picture.transform(
            (width, height), Image.Transform.AFFINE, shear, Image.Resampling.BILINEAR
        )
