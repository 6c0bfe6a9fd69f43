"""One way of resizing for everything, so that a file and a folder of its frames give the same pixels."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def resize(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A uint8 `(H, W, 3)` picture at `size` = `(height, width)`; bilinear, antialiased when shrinking."""
    if rgb.shape[:2] == size:
        return rgb
    return np.asarray(Image.fromarray(rgb).resize((size[1], size[0]), Image.Resampling.BILINEAR))


def to_grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma (ITU-R 601) of a uint8 `(H, W, 3)` picture, in three equal channels."""
    luma = np.asarray(Image.fromarray(rgb).convert("L"))
    return np.repeat(luma[:, :, None], 3, axis=2)
