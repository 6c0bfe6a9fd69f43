"""How fast things move, by optical flow, against how fast they move in normal footage.

Z-MSE asks whether a code was foreseen, and who rides steadily through a crowd is foreseen. This asks for
speed alone, in the picture that the encoder takes and at the places of its code. (Not in the paper. The flow
is that of Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016.)
"""

from collections import deque
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from latentwatch.scoring.pooling import LEAST, Maps
from latentwatch.video.frame import Frame

BLUR = 1 / 40
"""Standard deviation, in heights of the picture, of the Gaussian that averages speeds over about a person."""

FRAMES_BACK = 6
"""How many frames, the current one the last, are averaged in time."""

RARE = 0.999
"""Share of all normal speeds that are below the usual highest speed."""

STILL = 0.05
"""Pixels a frame that the flow of what stands still may show: no row's usual highest speed is below."""

# More threads make the flow of so small a picture no faster, and cost half as much again while they wait.
cv2.setNumThreads(1)


class Speedometer:
    """Measures speeds in the frames of one camera as they come.

    places: `(h, w)` of the maps that it gives, those of the latent code.
    """

    def __init__(self, places: tuple[int, int]) -> None:
        self._places = places
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        # The preset stops at a quarter of the picture's resolution, which at 128 lines is too coarse for
        # steps of less than a pixel: on altered footage of Ped2 speed then has 74% AUC, at half of it 83%.
        self._search.setFinestScale(1)
        self._before: NDArray[np.uint8] | None = None
        self._recent: deque[NDArray[np.float32]] = deque(maxlen=FRAMES_BACK)

    def push(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Takes the next frame, uint8 `(H, W, 3)`; gives the speed at each place, float32 `(h, w)`.

        In pixels a frame, averaged over the last `FRAMES_BACK` frames; that of the first frame is 0.
        """
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        speed = np.zeros(grey.shape, dtype=np.float32)
        if self._before is not None:
            # OpenCV's type hints do not know that there may be no flow to begin with.
            flow = self._search.calc(self._before, grey, None)  # type: ignore[call-overload]
            across, down = cv2.split(flow)
            # Not cv2.magnitude: its last bit depends on where in memory the arrays happen to be.
            speed = np.sqrt(np.square(across) + np.square(down))
        self._before = np.asarray(grey)
        blurred = cv2.GaussianBlur(speed, (0, 0), BLUR * len(grey))
        height, width = self._places
        self._recent.append(np.asarray(cv2.resize(blurred, (width, height))))
        return np.asarray(np.mean(self._recent, axis=0, dtype=np.float32))

    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""
        self._before = None
        self._recent.clear()


def speed_maps(frames: Iterable[Frame], places: tuple[int, int]) -> Maps:
    """What a `Speedometer` gives of N consecutive frames, float32 `(N, h, w)`."""
    meter = Speedometer(places)
    maps = [meter.push(frame.rgb) for frame in frames]
    return np.stack(maps) if maps else np.empty((0, *places), dtype=np.float32)


def highest_speeds(clips: Sequence[Maps]) -> NDArray[np.float32]:
    """The highest usual speed of each row of the picture, `(h,)`: far away, things are slow.

    From the speed maps of normal clips. Neighbouring rows are averaged, since little moves in one.
    """
    maps = np.concatenate(clips)
    rows = np.quantile(maps.transpose(1, 0, 2).reshape(maps.shape[1], -1), RARE, axis=1)
    smooth = ndimage.gaussian_filter1d(rows, sigma=1.5)
    return np.asarray(np.maximum(smooth, max(LEAST * smooth.max(), STILL)), dtype=np.float32)


def relative(maps: NDArray[np.float32], highest: ArrayLike) -> NDArray[np.float32]:
    """Speeds `(..., h, w)` in units of the highest usual one `(h,)` of their row."""
    return np.asarray(maps / np.asarray(highest, dtype=np.float32)[:, None])


def fastest(maps: NDArray[np.float32]) -> NDArray[np.float64]:
    """Of each frame, the speed of its fastest place: `(..., h, w)` to `(...)`."""
    return np.asarray(maps.max(axis=(-2, -1)), dtype=np.float64)
