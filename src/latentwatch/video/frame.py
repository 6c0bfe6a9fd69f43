"""The unit that everything in Latentwatch consumes: one picture with its time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of one camera.

    rgb: uint8 `(H, W, 3)`, RGB, values 0 to 255 (grey footage has three equal channels).
    time: seconds since the start of the source. index: 0-based count of the frames of the source,
    corrupt frames included, so that an index always points at the same place in the footage.
    """

    index: int
    time: float
    rgb: NDArray[np.uint8]
