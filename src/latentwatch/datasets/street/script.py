"""Who is where, and when: the plan of a clip."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from latentwatch.datasets.street import figures
from latentwatch.datasets.street.camera import Camera
from latentwatch.datasets.street.scene import FAR_SIDE, LAWN, PAVEMENT, SITE

KINDS = ("runner", "cyclist", "skater", "car", "wrong_way", "loiterer", "thrown_bag")
"""The anomalies."""

Place = tuple[float, float, float]


@dataclass(frozen=True)
class Actor:
    """Something that moves. `place(t)` gives (X, Y, Z) in metres at t seconds; `phase(t)` that of its gait.

    facing: 1 to the right, -1 to the left. anomalous(t): whether it is what the labels mark.
    """

    drawing: figures.Drawing
    place: Callable[[float], Place]
    phase: Callable[[float], float]
    facing: int
    size_m: float
    anomalous: Callable[[float], bool] = lambda _: False


def clip_actors(
    camera: Camera, seconds: float, kind: str | None, rng: np.random.Generator, *, site: bool = False
) -> list[Actor]:
    """Pedestrians all through a clip, and one anomaly of `kind` in its middle part (None: none).

    site: two diggers are at work all the time.
    """
    actors = [_pedestrian(camera, start, rng) for start in _arrivals(camera, seconds, rng)]
    if site:
        actors += [_digger(x, rng) for x in (SITE[0] + 1.2, SITE[1] - 1.5)]
    if kind is not None:
        actors.append(_anomaly(camera, seconds, kind, rng))
    return actors


def _arrivals(camera: Camera, seconds: float, rng: np.random.Generator) -> list[float]:
    crossing = 2 * camera.half_width(0.5 * (LAWN + PAVEMENT)) / 1.3
    count = rng.poisson(0.45 * (seconds + crossing))
    return sorted(rng.uniform(-crossing, seconds, count).tolist())


def _gait(speed: float, stature: float) -> float:
    """Radians of gait a second: two steps, each of natural length, are one turn."""
    return float(np.pi * speed / (0.25 * stature + 0.22 * speed))


def _across(
    camera: Camera, start: float, speed: float, depth: float, facing: int, sway: float
) -> Callable[[float], Place]:
    edge = camera.half_width(depth) + 1.2

    def place(time: float) -> Place:
        x = facing * (speed * (time - start) - edge)
        return x, 0.0, depth + 0.15 * np.sin(0.5 * time + sway)

    return place


def _pedestrian(camera: Camera, start: float, rng: np.random.Generator) -> Actor:
    look = figures.random_look(rng)
    speed = float(np.clip(rng.normal(1.3, 0.14), 0.95, 1.65))
    facing = 1 if rng.uniform() < 0.5 else -1
    depth = float(rng.uniform(LAWN + 0.7, PAVEMENT - 0.6))
    turn, offset = _gait(speed, look.stature), float(rng.uniform(0, 2 * np.pi))
    return Actor(
        partial(_walk, look, 0.42),
        _across(camera, start, speed, depth, facing, offset),
        lambda time: turn * time + offset,
        facing,
        look.stature,
    )


def _digger(x: float, rng: np.random.Generator) -> Actor:
    """Digs, and goes to and fro a little meanwhile."""
    offset, facing = rng.uniform(0, 2 * np.pi), 1 if rng.uniform() < 0.5 else -1

    def place(time: float) -> Place:
        return x + 0.8 * np.sin(0.25 * time + offset), 0.0, 18.0

    return Actor(partial(_machine, (212, 152, 34)), place, lambda time: 1.8 * time + offset, facing, 1.9)


def _walk(look: figures.Look, stride: float, scale: float, phase: float) -> Image.Image:
    return figures.walker(scale, look, phase, stride)


def _anomaly(camera: Camera, seconds: float, kind: str, rng: np.random.Generator) -> Actor:
    look = figures.random_look(rng)
    facing = 1 if rng.uniform() < 0.5 else -1
    depth = float(rng.uniform(LAWN + 1.5, PAVEMENT - 1.5))
    start = float(rng.uniform(0.3, 0.4)) * seconds
    if kind == "wrong_way":
        return _wrong_way(camera, start, look, rng)
    if kind == "loiterer":
        return _loiterer(seconds, look, depth, facing)
    if kind == "thrown_bag":
        return _thrown_bag(camera, start, depth, facing)
    speed, turn, size, drawing = {
        "runner": (3.8, _gait(3.8, look.stature), look.stature, partial(_walk, look, 0.9)),
        "cyclist": (4.6, 6.5, 1.8, partial(_on, figures.cyclist, look)),
        "skater": (3.4, 2.5, look.stature, partial(_on, figures.skater, look)),
        "car": (2.6, 7.6, 1.9, partial(_van, (214, 214, 208))),
    }[kind]
    path = _across(camera, start, speed, depth, facing, 0.0)
    return Actor(drawing, path, lambda time: turn * time, facing, size, lambda _: True)


def _on(
    drawing: Callable[[float, figures.Look, float], Image.Image],
    look: figures.Look,
    scale: float,
    phase: float,
) -> Image.Image:
    return drawing(scale, look, phase)


def _van(tone: figures.Tone, scale: float, phase: float) -> Image.Image:
    return figures.car(scale, tone, phase)


def _machine(tone: figures.Tone, scale: float, phase: float) -> Image.Image:
    return figures.digger(scale, tone, phase)


def _sack(tone: figures.Tone, scale: float, phase: float) -> Image.Image:
    return figures.bag(scale, tone, phase)


def _wrong_way(camera: Camera, start: float, look: figures.Look, rng: np.random.Generator) -> Actor:
    """Crosses the road and the pavement towards the camera, where nobody walks."""
    x = float(rng.uniform(-0.4, 0.4)) * camera.half_width(PAVEMENT)

    def place(time: float) -> Place:
        gone = 1.5 * (time - start)
        # Before the start and after the walk it stands outside the picture.
        return (x, 0.0, FAR_SIDE - gone) if 0 <= gone <= FAR_SIDE - 6.2 else (1e3, 0.0, 10.0)

    turn = _gait(1.5, look.stature)
    return Actor(
        partial(_on, figures.crosser, look), place, lambda t: turn * t, 1, look.stature, lambda _: True
    )


def _loiterer(seconds: float, look: figures.Look, depth: float, facing: int) -> Actor:
    """Walks in like anybody, stops in the middle for a third of the clip, and walks on."""
    speed, stop, go = 1.3, 0.36 * seconds, 0.72 * seconds
    turn = _gait(speed, look.stature)

    def walked(time: float) -> float:
        return float(min(time, stop) + max(time - go, 0))

    def place(time: float) -> Place:
        return facing * (speed * (walked(time) - stop) + 0.4), 0.0, depth

    def draw(scale: float, phase: float) -> Image.Image:
        standing = phase == turn * stop
        return figures.walker(scale, look, phase, 0.05 if standing else 0.42)

    return Actor(draw, place, lambda t: turn * walked(t), facing, look.stature, lambda t: stop <= t <= go)


def _thrown_bag(camera: Camera, start: float, depth: float, facing: int) -> Actor:
    """A bag that flies across the picture in long bounces."""
    path = _across(camera, start, 5.0, depth, facing, 0.0)

    def place(time: float) -> Place:
        x, _, z = path(time)
        beat = np.mod(0.9 * (time - start), 1.0)
        return x, 4 * 1.3 * beat * (1 - beat), z

    return Actor(partial(_sack, (150, 44, 40)), place, lambda t: 7 * t, facing, 0.7, lambda _: True)
