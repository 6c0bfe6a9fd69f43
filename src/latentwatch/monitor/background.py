"""What a camera sees when nothing is there, and by that, where something is."""

import threading

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from latentwatch.video.resize import resize

DIFFERS = 6.0
"""Grey levels, of 255, above which a place is no background.

Where nobody walks in Ped2's training footage, 99.9% of differences are below that.
"""

MARGIN = 0.02
"""Share of the picture's height by which what differs is widened, so that no edge of it stays out."""

EVERY = 1.0
"""Seconds between two pictures that the background learns from."""

RATE = 0.1
"""Share of a new picture in the background, where nothing is: the light of the last ten seconds."""

GAINS = 0.5, 2.0
"""How much darker or lighter than the background a whole picture may be, under a cloud say."""

STILL = 600.0
"""Seconds after which what has not changed the least is background: a parked car, the light of dusk."""


class Background:
    """Begins as the model's background; learns the light where nothing is, and never somebody who moves.

    mean: float `(H, W, 3)` in grey levels 0 to 255. Any thread may use it.
    """

    def __init__(self, mean: NDArray[np.float32]) -> None:
        self._mean = mean.astype(np.float32)
        self._last = self._mean.copy()
        self._still_since = np.zeros(mean.shape[:2])
        self._due = -np.inf
        self._lock = threading.Lock()

    def learn(self, rgb: NDArray[np.uint8], time: float) -> None:
        """Looks at the newest frame, uint8 `(H, W, 3)` of any size; time: in seconds, as `Frame.time`."""
        if time < self._due:
            return
        self._due = time + EVERY
        picture = self._small(rgb)
        with self._lock:
            changed = _smooth(np.abs(picture - self._last)) > DIFFERS
            self._still_since[changed] = time
            self._last[changed] = picture[changed]  # what changes slowly has changed too, in the end
            free = ~_area(picture, self._mean)
            self._mean[free] += RATE * (picture[free] - self._mean[free])
            still = time - self._still_since > STILL
            self._mean[still] = picture[still]

    def area(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Where something is that is not background, bool `(H, W)` at the background's size.

        Light that changes alike everywhere is allowed for. Where the whole picture is another, that is
        everywhere.
        """
        picture = self._small(rgb)
        with self._lock:
            return _area(picture, self._mean)

    def _small(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        return resize(rgb, self._mean.shape[:2]).astype(np.float32)


def _smooth(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest of the three colours' differences, as a mean over 3x3 places: less of the noise."""
    smooth: NDArray[np.float32] = ndimage.uniform_filter(difference.max(axis=2), 3, mode="nearest")
    return smooth


def _area(picture: NDArray[np.float32], mean: NDArray[np.float32]) -> NDArray[np.bool_]:
    # Whatever the gain is: what is left clear looks like the background, so that it shows nobody.
    gain = np.clip(np.median((picture + 1) / (mean + 1), axis=(0, 1)), *GAINS)
    differs = _smooth(np.abs(picture - gain * mean)) > DIFFERS
    margin = max(2, round(MARGIN * mean.shape[0]))
    # Widened twice and narrowed once: holes and gaps in what is of the background's colour are closed.
    wide = ndimage.maximum_filter(differs, 4 * margin + 1, mode="constant", cval=False)
    filled = ndimage.binary_fill_holes(wide)
    area: NDArray[np.bool_] = ndimage.minimum_filter(filled, 2 * margin + 1, mode="constant", cval=True)
    return area
