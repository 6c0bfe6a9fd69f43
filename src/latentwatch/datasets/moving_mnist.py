"""Moving MNIST as in Section 6.2: normal is a 4 or a 7 that moves straight at speed 2.

Test clips show every digit, a circle and a square, at speeds 2 and 4. The paper draws training digits from
MNIST's training set; where only its 10,000 test digits are to be had, they are divided by index: 0 to 4,999
to train, 5,000 to 9,999 to test.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource

SIZE = 64
"""Height and width of a frame in pixels."""

NORMAL_DIGITS, NORMAL_SPEED = ("4", "7"), 2
SHAPES = (*(str(digit) for digit in range(10)), "circle", "square")
SPEEDS = (2, 4)
CITATION = (
    "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proceedings of the IEEE 1998. "
    "Available from Yann LeCun's page (the MNIST database of handwritten digits)"
)


@dataclass(frozen=True)
class Mover:
    """One clip: a picture that moves along one axis and turns back at the border.

    picture: uint8 `(28, 28)`. start: `(row, column)` of its corner. step: `(rows, columns)` a frame.
    """

    picture: NDArray[np.uint8]
    start: tuple[int, int]
    step: tuple[int, int]

    def frame(self, index: int) -> NDArray[np.uint8]:
        """The picture after `index` steps, uint8 `(64, 64, 3)`, white on black."""
        row, column = (
            reflect(start + step * index, SIZE - 28)
            for start, step in zip(self.start, self.step, strict=True)
        )
        canvas = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
        canvas[row : row + 28, column : column + 28] = self.picture[:, :, None]
        return canvas


def reflect(position: int, limit: int) -> int:
    """A position on a line from 0 to `limit` for something that turns back at both ends."""
    place = position % (2 * limit)
    return place if place <= limit else 2 * limit - place


def moving_mnist(
    root: Path, *, train_clips: int = 60, clips_each: int = 4, frames: int = 60, seed: int = 0
) -> Dataset:
    """`train_clips` normal clips, and `clips_each` test clips for each shape and speed.

    Test clips are named `SHAPE-speedN-I` and labelled anomalous in all frames unless 4 or 7 at speed 2.
    Raises `UsageError` where the digits are missing, `LatentwatchError` where their files are damaged.
    """
    pictures, digits = _read(root)
    rng = np.random.default_rng(seed)
    train = []
    for i in range(train_clips):
        shape = NORMAL_DIGITS[i % 2]
        picture = _pick(pictures, digits, shape, slice(0, 5000), rng)
        train.append(_clip(f"{shape}-{i + 1:02}", picture, NORMAL_SPEED, frames, rng, None))
    test = []
    for speed in SPEEDS:
        for shape in SHAPES:
            anomalous = shape not in NORMAL_DIGITS or speed != NORMAL_SPEED
            for i in range(clips_each):
                picture = _pick(pictures, digits, shape, slice(5000, 10000), rng)
                name = f"{shape}-speed{speed}-{i + 1}"
                test.append(_clip(name, picture, speed, frames, rng, np.full(frames, anomalous)))
    return Dataset("moving-mnist", train, test, "moving-mnist", CITATION)


def _clip(
    name: str,
    picture: NDArray[np.uint8],
    speed: int,
    frames: int,
    rng: np.random.Generator,
    labels: NDArray[np.bool_] | None,
) -> Clip:
    row, column = (int(place) for place in rng.integers(0, SIZE - 28, 2, endpoint=True))
    step = speed * int(rng.choice((-1, 1)))
    mover = Mover(picture, (row, column), (0, step) if rng.uniform() < 0.5 else (step, 0))

    def make() -> Iterator[Frame]:
        for index in range(frames):
            yield Frame(index, index / 10, mover.frame(index))

    def opened(**options: Any) -> GeneratedSource:
        return GeneratedSource(f"moving-mnist/{name}", make, fps=10.0, frame_count=frames, **options)

    return Clip(name, opened, 10.0, labels)


def _pick(
    pictures: NDArray[np.uint8], digits: NDArray[np.uint8], shape: str, part: slice, rng: np.random.Generator
) -> NDArray[np.uint8]:
    if shape.isdecimal():
        return np.asarray(rng.choice(pictures[part][digits[part] == int(shape)]))
    drawing = Image.new("L", (28 * 4, 28 * 4))
    draw = ImageDraw.Draw(drawing).ellipse if shape == "circle" else ImageDraw.Draw(drawing).rectangle
    draw((16, 16, 28 * 4 - 16, 28 * 4 - 16), outline=255, width=10)
    return np.asarray(drawing.reduce(4))


def _read(root: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """MNIST's test digits `(10000, 28, 28)` and what they are `(10000,)`."""
    for folder in (root, root / "mnist", root / "MNIST" / "raw"):
        images, labels = folder / "t10k-images-idx3-ubyte.gz", folder / "t10k-labels-idx1-ubyte.gz"
        if images.is_file() and labels.is_file():
            pictures, digits = _idx(images, 16), _idx(labels, 8)
            if pictures.size != 10000 * 28 * 28 or digits.size != 10000:
                raise LatentwatchError(
                    f"{folder}: its MNIST files do not hold 10,000 digits; copy them again"
                )
            return pictures.reshape(10000, 28, 28), digits
    raise UsageError(
        f"{root}: no MNIST there; expected t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz. "
        f"{CITATION}"
    )


def _idx(file: Path, header: int) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(gzip.decompress(file.read_bytes()), dtype=np.uint8)[header:]
    except (OSError, EOFError, ValueError) as error:
        raise LatentwatchError(f"{file}: damaged, copy it again ({error})") from error
