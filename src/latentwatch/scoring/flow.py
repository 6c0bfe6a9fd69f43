"""How fast things move, by optical flow, against how fast they move in normal footage.

Z-MSE asks whether a code was foreseen, and who rides steadily through a crowd is foreseen. This asks for
speed alone, of frames not yet shrunk to the model's input: there a step is less than a pixel. (Not in the
paper. The flow is that of Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from latentwatch.engines.packages import require
from latentwatch.scoring.pooling import LEAST, Maps
from latentwatch.video.frame import Frame
from latentwatch.video.resize import shrunk

MOST_ROWS, PLACE = 240, 8
"""Height that taller frames are shrunk to, and the side of a place of the map, in pixels."""

BLUR = 6.0
"""Standard deviation, in pixels, of the Gaussian that averages speeds over about a person's size."""

FRAMES_BACK = 6
"""How many frames, the current one the last, are averaged in time."""

RARE = 0.999
"""Share of all normal speeds that are below the usual highest speed."""

STILL = 0.05
"""Pixels a frame that the flow of what stands still may show: no row's usual highest speed is below."""


def speed_maps(frames: Iterable[Frame]) -> Maps:
    """Speed by place in pixels a frame, float32 `(N, h, w)`, of N frames; that of the first is 0.

    Raises `MissingPackageError` where OpenCV is not installed.
    """
    cv2 = require("cv2", "flow")
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    maps: list[NDArray[np.float32]] = []
    before = None
    for frame in frames:
        grey = cv2.cvtColor(shrunk(frame.rgb, MOST_ROWS), cv2.COLOR_RGB2GRAY)
        height, width = grey.shape
        if before is None:
            speed = np.zeros((height, width), dtype=np.float32)
        else:
            speed = np.linalg.norm(search.calc(before, grey, None), axis=-1)
        blurred = cv2.GaussianBlur(speed, (0, 0), BLUR)
        maps.append(cv2.resize(blurred, (-(-width // PLACE), -(-height // PLACE))))
        before = grey
    if not maps:
        return np.empty((0, 0, 0), dtype=np.float32)
    total = np.cumsum(np.stack(maps), axis=0, dtype=np.float64)
    total[FRAMES_BACK:] -= total[:-FRAMES_BACK].copy()
    count = np.minimum(np.arange(1, len(maps) + 1), FRAMES_BACK)
    return np.asarray(total / count[:, None, None], dtype=np.float32)


@dataclass(frozen=True)
class UsualSpeed:
    """The highest usual speed of each row of the picture, float32 `(h,)`: far away, things are slow."""

    highest: NDArray[np.float32]

    @classmethod
    def of(cls, clips: Iterable[Maps]) -> Self:
        """From the speed maps of normal clips. Neighbouring rows are averaged, since little moves in one."""
        maps = np.concatenate(list(clips))
        rows = np.quantile(maps.transpose(1, 0, 2).reshape(maps.shape[1], -1), RARE, axis=1)
        smooth = ndimage.gaussian_filter1d(rows, sigma=1.5)
        return cls(np.maximum(smooth, max(LEAST * smooth.max(), STILL)).astype(np.float32))

    def scores(self, maps: Maps) -> NDArray[np.float64]:
        """Of each frame `(N,)`, the speed of its fastest place in units of the usual highest there."""
        return np.asarray((maps / self.highest[:, None]).max(axis=(1, 2)), dtype=np.float64)
