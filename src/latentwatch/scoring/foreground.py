"""Where a picture differs from its background by more than its weather and noise do. (Not in the paper.)

Flow finds steps everywhere where drops fall or the sensor is noisy. What moves in such a picture still stands
out from the background, and the rest of the picture tells how much that must be.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]
"""Grey levels, 0 to 255, or their differences, float32 `(H, W)`."""

RATE = 0.03
"""Share of each frame in the background. Twice as much is a little worse on altered footage."""

DETAIL, PERSON, AROUND = 1 / 120, 1 / 15, 1 / 60
"""Standard deviations of Gaussians, in heights of the picture.

Differences of the size of `DETAIL` are the sensor's, those larger than `PERSON` fog's, clouds' and the
light's; what is between is averaged over `AROUND`.
"""

STANDS_OUT = 2.0
"""What differs so many times as much as the picture's median begins to count; twice that counts whole."""

LEAST_CONTRAST, LEAST_DIFFERENCE = 1 / 30, 0.1
"""The median counts as at least so much of the background's contrast (its standard deviation), and as so many
grey levels: a picture without any noise must not make something of nothing."""


class Foreground:
    """Follows the background of one camera, and tells what stands out from it."""

    def __init__(self) -> None:
        self._background: Grey | None = None
        self._seen = 0

    def push(self, grey: NDArray[np.uint8]) -> Grey:
        """Takes the next frame, uint8 `(H, W)`; gives how much each pixel counts, 0 to 1.

        In the first frame it is 0. More than half of a picture cannot stand out from it.
        """
        frame = grey.astype(np.float32)
        self._seen += 1
        if self._background is None:
            self._background = frame.copy()
        # At first it is the mean of all frames, so that who was in the first one does not stay in it.
        cv2.accumulateWeighted(frame, self._background, max(RATE, 1 / self._seen))
        height, width = frame.shape
        difference = _blurred(frame - self._background, DETAIL * height)
        half = cv2.resize(difference, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        coarse = cv2.resize(_blurred(half, PERSON * len(half)), (width, height))
        around = _blurred(np.abs(difference - coarse), AROUND * height)
        contrast = float(self._background[::3, ::3].std())
        usual = max(float(np.median(around[::3, ::3])), LEAST_CONTRAST * contrast, LEAST_DIFFERENCE)
        return np.asarray(np.clip(around / (STANDS_OUT * usual) - 1, 0, 1))

    def reset(self) -> None:
        """Forgets the frames seen so far."""
        self._background = None
        self._seen = 0


def _blurred(picture: NDArray[Any], deviation: float) -> Grey:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), deviation), dtype=np.float32)
