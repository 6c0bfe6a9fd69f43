"""Moving MNIST as in Section 6.2: normal is a 4 or a 7 that moves straight at speed 2.

Test clips show every digit, a circle and a square, at speeds 2 and 4. Training clips are made of digits of
MNIST's training set, as in the paper; where only its 10,000 test digits are to be had, they are divided by
index: 0 to 4,999 to train, 5,000 to 9,999 to test.
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
    "Available from yann.lecun.com/exdb/mnist (the MNIST database of handwritten digits)"
)


@dataclass(frozen=True)
class _Digits:
    """Pictures, uint8 `(N, 28, 28)`, and what they show, `(N,)`."""

    pictures: NDArray[np.uint8]
    shown: NDArray[np.uint8]


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
    train_digits, test_digits = _read(root)
    rng = np.random.default_rng(seed)
    train = []
    for i in range(train_clips):
        shape = NORMAL_DIGITS[i % 2]
        picture = _pick(train_digits, shape, rng)
        train.append(_clip(f"{shape}-{i + 1:02}", picture, NORMAL_SPEED, frames, rng, None))
    test = []
    for speed in SPEEDS:
        for shape in SHAPES:
            anomalous = shape not in NORMAL_DIGITS or speed != NORMAL_SPEED
            for i in range(clips_each):
                picture = _pick(test_digits, shape, rng)
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


def digits_used(root: Path) -> str:
    """In words, which digits `moving_mnist` takes from `root`. Raises as that does."""
    return (
        "MNIST's 60,000 training digits to train and its 10,000 test digits to test"
        if _has(_folder(root), "train")
        else "MNIST's 10,000 test digits, 0 to 4,999 to train and 5,000 to 9,999 to test"
    )


def _pick(digits: _Digits, shape: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    if shape.isdecimal():
        return np.asarray(rng.choice(digits.pictures[digits.shown == int(shape)]))
    drawing = Image.new("L", (28 * 4, 28 * 4))
    draw = ImageDraw.Draw(drawing).ellipse if shape == "circle" else ImageDraw.Draw(drawing).rectangle
    draw((16, 16, 28 * 4 - 16, 28 * 4 - 16), outline=255, width=10)
    return np.asarray(drawing.reduce(4))


def _read(root: Path) -> tuple[_Digits, _Digits]:
    """The digits to train and to test with."""
    folder = _folder(root)
    test = _part(folder, "t10k", 10_000)
    if _has(folder, "train"):
        return _part(folder, "train", 60_000), test
    return (
        _Digits(test.pictures[:5000], test.shown[:5000]),
        _Digits(test.pictures[5000:], test.shown[5000:]),
    )


def _folder(root: Path) -> Path:
    for folder in (root, root / "mnist", root / "MNIST" / "raw"):
        if _has(folder, "t10k"):
            return folder
    images, labels = (file.name for file in _files(root, "t10k"))
    raise UsageError(f"{root}: no MNIST there; expected {images} and {labels}. {CITATION}")


def _files(folder: Path, part: str) -> tuple[Path, Path]:
    return folder / f"{part}-images-idx3-ubyte.gz", folder / f"{part}-labels-idx1-ubyte.gz"


def _has(folder: Path, part: str) -> bool:
    return all(file.is_file() for file in _files(folder, part))


def _part(folder: Path, part: str, count: int) -> _Digits:
    images, labels = _files(folder, part)
    pictures, shown = _idx(images, 16), _idx(labels, 8)
    if pictures.size != count * 28 * 28 or shown.size != count:
        raise LatentwatchError(f"{folder}: its {part} files do not hold {count:,} digits; copy them again")
    return _Digits(pictures.reshape(count, 28, 28), shown)


def _idx(file: Path, header: int) -> NDArray[np.uint8]:
    try:
        return np.frombuffer(gzip.decompress(file.read_bytes()), dtype=np.uint8)[header:]
    except (OSError, EOFError, ValueError) as error:
        raise LatentwatchError(f"{file}: damaged, copy it again ({error})") from error
