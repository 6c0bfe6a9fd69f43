"""Drawing of things that move: people on foot and on wheels, the car, the bag. Each is one RGBA sprite.

A drawing works in metres, in a plane that faces the camera, and is reduced from `OVERSAMPLE` times its size.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, ImageDraw

OVERSAMPLE = 3

Tone = tuple[int, int, int]
Point = tuple[float, float]


@dataclass(frozen=True)
class Look:
    """What a person looks like. stature: metres; build: width relative to an average person."""

    stature: float = 1.72
    build: float = 1.0
    skin: Tone = (214, 170, 140)
    hair: Tone = (52, 40, 32)
    jacket: Tone = (60, 70, 110)
    trousers: Tone = (48, 50, 58)
    shoes: Tone = (36, 34, 34)
    bag: Tone | None = None


JACKETS: tuple[Tone, ...] = (
    (44, 52, 78), (128, 38, 40), (60, 62, 64), (206, 202, 194), (74, 92, 62),
    (150, 122, 84), (30, 30, 34), (92, 120, 158), (176, 148, 52), (112, 72, 110),
)  # fmt: skip
TROUSERS: tuple[Tone, ...] = ((40, 44, 60), (62, 70, 96), (34, 34, 36), (112, 102, 86), (78, 72, 66))
SKINS: tuple[Tone, ...] = ((226, 186, 158), (206, 160, 126), (160, 114, 84), (104, 72, 54))
HAIRS: tuple[Tone, ...] = ((34, 28, 26), (84, 58, 38), (150, 116, 70), (150, 148, 144))


def random_look(rng: np.random.Generator) -> Look:
    """Somebody."""
    return Look(
        stature=float(np.clip(rng.normal(1.71, 0.09), 1.45, 1.95)),
        build=float(rng.uniform(0.88, 1.2)),
        skin=SKINS[rng.integers(len(SKINS))],
        hair=HAIRS[rng.integers(len(HAIRS))],
        jacket=JACKETS[rng.integers(len(JACKETS))],
        trousers=TROUSERS[rng.integers(len(TROUSERS))],
        bag=JACKETS[rng.integers(len(JACKETS))] if rng.uniform() < 0.35 else None,
    )


@dataclass
class Canvas:
    """A sprite in the making. Points are (metres to the right of the foot, metres above the ground)."""

    scale: float
    left: float
    right: float
    top: float
    bottom: float = -0.12
    image: Image.Image = field(init=False)
    draw: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        width = max(round((self.right - self.left) * self.scale), 1)
        height = max(round((self.top - self.bottom) * self.scale), 1)
        self.image = Image.new("RGBA", (width * OVERSAMPLE, height * OVERSAMPLE))
        self.draw = ImageDraw.Draw(self.image)

    def at(self, point: Point) -> Point:
        """A point in pixels of the oversampled picture."""
        unit = self.scale * OVERSAMPLE
        return (point[0] - self.left) * unit, (self.top - point[1]) * unit

    def limb(self, points: list[Point], thickness: float, tone: Tone) -> None:
        """A bent line with round ends, `thickness` metres wide."""
        pixels = [self.at(point) for point in points]
        width = max(thickness * self.scale * OVERSAMPLE, 1)
        self.draw.line(pixels, fill=(*tone, 255), width=round(width), joint="curve")
        for x, y in pixels:
            self.draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=(*tone, 255))

    def shape(self, points: list[Point], tone: Tone) -> None:
        """A filled polygon."""
        self.draw.polygon([self.at(point) for point in points], fill=(*tone, 255))

    def disc(self, middle: Point, radius_x: float, radius_y: float, tone: Tone) -> None:
        """A filled ellipse."""
        x, y = self.at(middle)
        unit = self.scale * OVERSAMPLE
        self.draw.ellipse(
            (x - radius_x * unit, y - radius_y * unit, x + radius_x * unit, y + radius_y * unit),
            fill=(*tone, 255),
        )

    def ring(self, middle: Point, radius: float, thickness: float, tone: Tone) -> None:
        """A circle's outline."""
        x, y = self.at(middle)
        reach = radius * self.scale * OVERSAMPLE
        width = max(round(thickness * self.scale * OVERSAMPLE), 1)
        self.draw.ellipse((x - reach, y - reach, x + reach, y + reach), outline=(*tone, 255), width=width)

    def done(self) -> Image.Image:
        """The sprite at its final size."""
        return self.image.reduce(OVERSAMPLE)


def shade(tone: Tone, factor: float) -> Tone:
    """A tone made lighter or darker."""
    red, green, blue = (int(min(max(part * factor, 0), 255)) for part in tone)
    return red, green, blue


def _leg(
    canvas: Canvas, hip: Point, length: float, thigh: float, knee: float, look: Look, dim: float
) -> None:
    upper, lower = 0.52 * length, 0.48 * length
    joint = (hip[0] + upper * np.sin(thigh), hip[1] - upper * np.cos(thigh))
    foot = (joint[0] + lower * np.sin(thigh - knee), joint[1] - lower * np.cos(thigh - knee))
    canvas.limb([hip, joint], 0.155 * look.build, shade(look.trousers, dim))
    canvas.limb([joint, foot], 0.12 * look.build, shade(look.trousers, dim))
    canvas.limb([foot, (foot[0] + 0.13, foot[1] + 0.01)], 0.08, shade(look.shoes, dim))


def _arm(
    canvas: Canvas, shoulder: Point, length: float, swing: float, elbow: float, look: Look, dim: float
) -> None:
    joint = (shoulder[0] + 0.5 * length * np.sin(swing), shoulder[1] - 0.5 * length * np.cos(swing))
    hand = (joint[0] + 0.5 * length * np.sin(swing + elbow), joint[1] - 0.5 * length * np.cos(swing + elbow))
    canvas.limb([shoulder, joint, hand], 0.095 * look.build, shade(look.jacket, dim))
    canvas.disc(hand, 0.05, 0.05, shade(look.skin, dim))


def _upper_body(canvas: Canvas, hip: Point, lean: float, look: Look) -> Point:
    """Torso, bag and head; gives the shoulder."""
    trunk = 0.30 * look.stature
    shoulder = (hip[0] + trunk * np.sin(lean), hip[1] + trunk * np.cos(lean))
    half, waist = 0.135 * look.build, 0.115 * look.build
    if look.bag:
        canvas.disc((shoulder[0] - 0.17, shoulder[1] - 0.2), 0.12, 0.2, look.bag)
    canvas.shape(
        [
            (hip[0] - waist, hip[1] - 0.07), (hip[0] + waist, hip[1] - 0.07),
            (shoulder[0] + half, shoulder[1]), (shoulder[0] - half, shoulder[1]),
        ],
        look.jacket,
    )  # fmt: skip
    canvas.disc(shoulder, half, 0.07, look.jacket)
    head = (shoulder[0] + 0.03 + 0.13 * np.sin(lean), shoulder[1] + 0.105 * look.stature)
    canvas.limb([shoulder, head], 0.08, look.skin)
    radius = 0.064 * look.stature
    canvas.disc((head[0] - 0.012, head[1] + 0.02), radius, radius * 1.12, look.hair)
    canvas.disc((head[0] + 0.03, head[1] - 0.015), radius * 0.72, radius * 0.9, look.skin)
    return shoulder


def walker(scale: float, look: Look, phase: float, stride: float) -> Image.Image:
    """Somebody who walks or runs to the right. phase: of the gait; stride: swing of the legs in radians.

    stride is about 0.45 for a walk, 0.85 for a run, 0 for standing.
    """
    canvas = Canvas(scale, -0.75, 0.75, look.stature * 1.08)
    running = stride > 0.65
    length = 0.49 * look.stature
    swing = stride * np.sin(phase)
    bob = (0.5 - 0.5 * np.cos(2 * phase)) * 0.035 * (2 if running else 1) * min(stride / 0.45, 1)
    hip = (0.0, length * (0.96 if running else 0.985) - 0.1 * stride**2 + bob)
    bend = 1.5 if running else 0.75
    knees = [0.06 + bend * stride * max(0.0, -np.cos(phase + offset)) for offset in (0.0, np.pi)]
    elbow = 1.3 if running else 0.25
    lean = 0.16 if running else 0.03
    trunk = 0.30 * look.stature
    shoulder = (hip[0] + trunk * np.sin(lean), hip[1] + trunk * np.cos(lean) - 0.03)
    arm = 0.37 * look.stature
    _arm(canvas, shoulder, arm, 0.85 * swing, elbow, look, 0.72)
    _leg(canvas, hip, length, -swing, knees[1], look, 0.74)
    _leg(canvas, hip, length, swing, knees[0], look, 1.0)
    _upper_body(canvas, hip, lean, look)
    _arm(canvas, shoulder, arm, -0.85 * swing, elbow, look, 0.88)
    return canvas.done()


def crosser(scale: float, look: Look, phase: float) -> Image.Image:
    """Somebody who walks towards the camera or away from it."""
    canvas = Canvas(scale, -0.55, 0.55, look.stature * 1.08)
    length, half = 0.49 * look.stature, 0.2 * look.build
    lift = 0.14 * np.sin(phase)
    bob = 0.02 * np.cos(2 * phase)
    hip, shoulder = length + bob, length + 0.31 * look.stature + bob
    for side, raised in ((-1, max(lift, 0)), (1, max(-lift, 0))):
        foot = (side * 0.09, raised * 0.8)
        canvas.limb(
            [(side * 0.09, hip), (side * 0.1, (hip + raised) / 2 + raised), foot],
            0.15 * look.build,
            look.trousers,
        )
        canvas.disc((foot[0], foot[1] + 0.02), 0.06, 0.05, look.shoes)
        hand = (side * (half + 0.07), hip - 0.04 - side * lift * 0.5)
        canvas.limb([(side * half, shoulder - 0.05), hand], 0.1, shade(look.jacket, 0.88))
        canvas.disc(hand, 0.05, 0.05, look.skin)
    canvas.shape([(-0.17, hip - 0.08), (0.17, hip - 0.08), (half, shoulder), (-half, shoulder)], look.jacket)
    canvas.disc((0, shoulder), half, 0.07, look.jacket)
    head, radius = shoulder + 0.1 * look.stature, 0.064 * look.stature
    canvas.limb([(0, shoulder), (0, head)], 0.09, look.skin)
    canvas.disc((0, head + 0.02), radius, radius * 1.15, look.hair)
    canvas.disc((0, head - 0.025), radius * 0.85, radius * 0.9, look.skin)
    return canvas.done()


def skater(scale: float, look: Look, phase: float) -> Image.Image:
    """Somebody on a skateboard: knees bent, arms out, gliding, pushing now and then."""
    canvas = Canvas(scale, -0.85, 0.85, look.stature * 1.08)
    canvas.limb([(-0.42, 0.11), (0.42, 0.11)], 0.05, (70, 44, 30))
    for x in (-0.28, 0.28):
        canvas.disc((x, 0.045), 0.045, 0.045, (210, 205, 190))
    length = 0.47 * look.stature
    push = max(0.0, np.sin(0.5 * phase)) ** 2
    hip = (-0.02, 0.12 + 0.9 * length)
    _leg(canvas, hip, length * 0.95, -0.35 - 0.5 * push, 0.2, look, 0.74)
    _leg(canvas, hip, length * 0.95, 0.42, 0.62, look, 1.0)
    shoulder = _upper_body(canvas, hip, 0.22, look)
    for side in (-1, 1):
        _arm(canvas, (shoulder[0], shoulder[1] - 0.04), 0.37 * look.stature, side * 0.95, 0.3, look, 0.88)
    return canvas.done()


def cyclist(scale: float, look: Look, phase: float) -> Image.Image:
    """Somebody on a bicycle, pedalling to the right."""
    canvas = Canvas(scale, -1.05, 1.05, 1.95)
    back, front, crank = (-0.52, 0.34), (0.55, 0.34), (-0.05, 0.32)
    saddle, head = (-0.2, 0.92), (0.42, 0.95)
    for wheel in (back, front):
        canvas.ring(wheel, 0.34, 0.045, (28, 28, 30))
        for spoke in range(3):
            angle = phase * 0.8 + spoke * np.pi / 3
            reach = (0.32 * np.cos(angle), 0.32 * np.sin(angle))
            canvas.limb(
                [(wheel[0] - reach[0], wheel[1] - reach[1]), (wheel[0] + reach[0], wheel[1] + reach[1])],
                0.012,
                (120, 120, 122),
            )
    hip = (-0.2, 1.0)
    for side, dim in ((np.pi, 0.72), (0.0, 1.0)):
        if not side:
            for line in (
                [back, crank, head, saddle, back],
                [crank, saddle],
                [head, front],
                [head, (0.5, 1.06)],
            ):
                canvas.limb(line, 0.035, (150, 36, 34))
        pedal = (crank[0] + 0.17 * np.cos(phase + side), crank[1] - 0.17 * np.sin(phase + side))
        reach = np.hypot(pedal[0] - hip[0], pedal[1] - hip[1])
        out = np.sqrt(max(0.44**2 - (reach / 2) ** 2, 0.0))
        middle = ((hip[0] + pedal[0]) / 2, (hip[1] + pedal[1]) / 2)
        normal = ((hip[1] - pedal[1]) / reach, (pedal[0] - hip[0]) / reach)
        knee = (middle[0] + out * normal[0], middle[1] + out * normal[1])
        canvas.limb([hip, knee, pedal], 0.13, shade(look.trousers, dim))
        canvas.limb([pedal, (pedal[0] + 0.12, pedal[1])], 0.07, shade(look.shoes, dim))
    shoulder = _upper_body(canvas, hip, 0.62, look)
    canvas.limb([shoulder, (0.32, 1.12), (0.5, 1.08)], 0.09, shade(look.jacket, 0.88))
    return canvas.done()


def car(scale: float, tone: Tone, phase: float) -> Image.Image:
    """A small delivery van from the side, driving to the right."""
    canvas = Canvas(scale, -2.2, 2.2, 2.05)
    canvas.shape(
        [(-2.0, 0.35), (2.0, 0.35), (2.02, 0.95), (1.6, 1.08), (1.1, 1.85), (-1.95, 1.9), (-2.03, 1.2)], tone
    )
    canvas.shape([(-2.0, 0.35), (2.0, 0.35), (2.01, 0.62), (-2.0, 0.62)], shade(tone, 0.72))
    canvas.shape([(0.55, 1.12), (1.5, 1.1), (1.06, 1.74), (0.55, 1.76)], (52, 62, 72))
    canvas.shape([(0.95, 1.12), (1.01, 1.12), (0.98, 1.76), (0.92, 1.76)], shade(tone, 0.9))
    canvas.limb([(0.4, 0.4), (0.4, 1.8)], 0.02, shade(tone, 0.7))
    canvas.limb([(-1.9, 1.88), (1.05, 1.83)], 0.05, shade(tone, 1.08))
    canvas.disc((1.97, 0.8), 0.06, 0.09, (250, 240, 200))
    canvas.disc((-2.0, 0.95), 0.04, 0.12, (160, 30, 30))
    for x in (-1.25, 1.25):
        canvas.disc((x, 0.34), 0.36, 0.36, (24, 24, 26))
        canvas.disc((x, 0.34), 0.2, 0.2, (150, 152, 156))
        canvas.limb(
            [(x, 0.34), (x + 0.18 * np.cos(-phase), 0.34 + 0.18 * np.sin(-phase))], 0.04, (90, 92, 96)
        )
    return canvas.done()


def digger(scale: float, tone: Tone, phase: float) -> Image.Image:
    """An excavator from the side, facing right; its arm goes out and down, and up and in again."""
    canvas = Canvas(scale, -2.2, 4.6, 4.4)
    canvas.limb([(-1.5, 0.3), (1.2, 0.3)], 0.55, (38, 38, 40))
    for x in (-1.5, -0.6, 0.3, 1.2):
        canvas.disc((x, 0.3), 0.18, 0.18, (96, 96, 98))
    canvas.shape([(-1.9, 0.65), (1.0, 0.65), (1.0, 1.5), (-1.9, 1.7)], tone)
    canvas.shape([(-1.9, 0.65), (1.0, 0.65), (1.0, 0.85), (-1.9, 0.85)], shade(tone, 0.7))
    canvas.shape([(-0.1, 1.5), (1.0, 1.5), (0.8, 2.6), (-0.1, 2.6)], shade(tone, 0.9))
    canvas.shape([(0.05, 1.6), (0.9, 1.6), (0.74, 2.45), (0.05, 2.45)], (58, 70, 82))
    lift, reach = 0.75 + 0.3 * np.sin(phase), -0.9 + 0.5 * np.sin(phase + 0.9)
    elbow = (0.9 + 2.2 * np.cos(lift), 1.3 + 2.2 * np.sin(lift))
    hand = (elbow[0] + 1.5 * np.cos(reach), elbow[1] + 1.5 * np.sin(reach))
    canvas.limb([(0.9, 1.3), elbow], 0.3, shade(tone, 0.95))
    canvas.limb([elbow, hand], 0.22, shade(tone, 0.85))
    canvas.disc(hand, 0.42, 0.36, (70, 70, 72))
    return canvas.done()


def bag(scale: float, tone: Tone, phase: float) -> Image.Image:
    """A sports bag, tumbling."""
    canvas = Canvas(scale, -0.5, 0.5, 0.9, -0.1)
    axis = (0.24 * np.cos(phase), 0.24 * np.sin(phase))
    canvas.limb([(-axis[0], 0.4 - axis[1]), (axis[0], 0.4 + axis[1])], 0.34, tone)
    canvas.limb(
        [(-axis[0] * 0.6, 0.4 - axis[1] * 0.6 + 0.1), (axis[0] * 0.6, 0.4 + axis[1] * 0.6 + 0.1)],
        0.05,
        shade(tone, 1.6),
    )
    return canvas.done()


Drawing = Callable[[float, float], Image.Image]
"""Makes a sprite from pixels a metre and a phase in radians; it looks to the right."""
