"""The street's camera: a pinhole above the ground, tilted down. X right, Y up, Z away, in metres."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Rays = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True)
class Camera:
    """A camera `height_m` above the ground, `tilt` radians below the horizon.

    size: `(height, width)` of the picture in pixels. focal: focal length in widths of the picture.
    """

    size: tuple[int, int]
    height_m: float = 6.0
    tilt: float = 0.35
    focal: float = 0.95

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.focal * self.size[1]

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """A point of the scene to `(column, row)` in pixels; it may lie outside the picture."""
        scale = self.scale(z, y)
        up = (y - self.height_m) * np.cos(self.tilt) + z * np.sin(self.tilt)
        return float(self.size[1] / 2 + scale * x), float(self.size[0] / 2 - scale * up)

    def scale(self, z: float, y: float = 0.0) -> float:
        """Pixels a metre for things at depth `z` and height `y`."""
        return float(self.focal_px / (z * np.cos(self.tilt) - (y - self.height_m) * np.sin(self.tilt)))

    def half_width(self, z: float) -> float:
        """Metres from the middle of the picture to its edge, on the ground at depth `z`."""
        return self.size[1] / 2 / self.scale(z)

    def ground(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where the ray of each pixel meets the ground: `(X, Z)`, each `(height, width)`; inf above it."""
        right, forward, up = self.rays()
        with np.errstate(divide="ignore"):
            reach = np.where(up < 0, -self.height_m / up, np.inf)
        return right * reach, np.where(np.isfinite(reach), forward * reach, np.inf)

    def rays(self) -> Rays:
        """The direction of each pixel's ray as its X, Z and Y parts."""
        height, width = self.size
        rows, columns = np.mgrid[0:height, 0:width] + 0.5
        right = (columns - width / 2) / self.focal_px
        down = (rows - height / 2) / self.focal_px
        forward = np.cos(self.tilt) - down * np.sin(self.tilt)
        up = -np.sin(self.tilt) - down * np.cos(self.tilt)
        return right, forward, up
