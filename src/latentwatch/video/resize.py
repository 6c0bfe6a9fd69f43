"""One way of resizing for everything, so that a file and a folder of its frames give the same pixels."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional


def resize(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A uint8 `(H, W, 3)` picture at `size` = `(height, width)`; bilinear, antialiased when shrinking."""
    if rgb.shape[:2] == size:
        return rgb
    # PyTorch's kernel for uint8 gives Pillow's picture, to a grey level at most, in a quarter of the time.
    own = np.require(rgb, requirements=("C", "W"))  # copied only where PyTorch could not look at it as it is
    planes = torch.from_numpy(own).permute(2, 0, 1)[None]
    small = functional.interpolate(planes, size=size, mode="bilinear", antialias=True)
    return small[0].permute(1, 2, 0).contiguous().numpy()


def shrunk(rgb: NDArray[np.uint8], most_rows: int) -> NDArray[np.uint8]:
    """A uint8 `(H, W, 3)` picture with `most_rows` at most, in its own proportions."""
    height, width = rgb.shape[:2]
    return rgb if height <= most_rows else resize(rgb, (most_rows, round(width * most_rows / height)))


def to_grey(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The luma (ITU-R 601) of a uint8 `(H, W, 3)` picture, in three equal channels."""
    luma = np.asarray(Image.fromarray(rgb).convert("L"))
    return np.repeat(luma[:, :, None], 3, axis=2)
