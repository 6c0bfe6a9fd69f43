"""Live scoring: each frame is encoded once, codes are kept in a ring buffer, the decoder is not run."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.localise import Box, boxes_from_map
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize


@dataclass(frozen=True)
class Result:
    """What the detector says of one frame.

    score: the anomaly score Z-MSE (Eq. 2), 0 or more. error_map: squared latent error by place, float32
    `(h, w)`, whose mean is the score. is_anomaly: score above the threshold. boxes: where the map is above
    the place threshold, in pixels of the frame that was given.
    """

    index: int
    time: float
    score: float
    error_map: NDArray[np.float32]
    is_anomaly: bool
    boxes: list[Box]


class Detector:
    """Scores the frames of one camera as they come.

    Memory is constant: the ring buffer holds `k + horizon` codes, however long the stream.
    """

    def __init__(self, model: Decoupled, threshold: float, place_threshold: float) -> None:
        self.threshold = threshold
        self.place_threshold = place_threshold
        self._model = model.eval()
        self._codes = torch.zeros(model.architecture.span, *model.architecture.code_shape)
        self._seen = 0

    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""
        self._seen = 0

    def step(self, frame: Frame) -> Result | None:
        """Takes the next frame; None until k + horizon frames have been seen."""
        architecture = self._model.architecture
        rgb = torch.from_numpy(np.array(resize(frame.rgb, architecture.size)))
        span = architecture.span
        with torch.inference_mode():
            code = self._model.encode(self._model.foreground(rgb[None]))[0][0]
            self._codes[self._seen % span] = code
            self._seen += 1
            if self._seen < span:
                return None
            # The oldest code lies where the next one will be written.
            order = (torch.arange(architecture.k) + self._seen) % span
            predicted = self._model.predict(self._codes[order][None])[0]
            error_map = (predicted - code).square().mean(dim=0).numpy()
        score = float(error_map.mean(dtype=np.float64))
        boxes = boxes_from_map(error_map, self.place_threshold, frame.rgb.shape[:2])
        return Result(frame.index, frame.time, score, error_map, score > self.threshold, boxes)
