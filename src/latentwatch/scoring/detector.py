"""Live scoring: each frame is encoded once, codes are kept in a ring buffer, the decoder is not run."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.localise import Box, boxes_from_map
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize


@dataclass(frozen=True)
class Result:
    """What the detector says of one frame.

    score: the anomaly score Z-MSE (Eq. 2), 0 or more. error_map: squared latent error by place, float32
    `(h, w)`, whose mean is the score. is_anomaly: score above the threshold. boxes: where the error is above
    its threshold, in pixels of the frame that was given.
    """

    index: int
    time: float
    score: float
    error_map: NDArray[np.float32]
    is_anomaly: bool
    boxes: list[Box]


class Detector:
    """Scores the frames of one camera as they come.

    Memory is constant: the ring buffer holds `k + horizon` codes, however long the stream. Boxes come from
    the latent error map, for which no decoder is needed; with `pixel_boxes` they come from the prediction
    error in pixels (Fig. 2), for which the decoder is run on every frame.
    """

    def __init__(self, model: Decoupled, calibration: Calibration, *, pixel_boxes: bool = False) -> None:
        self.calibration = calibration
        self._pixel_boxes = pixel_boxes
        self._previous_skips: list[torch.Tensor] = []
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
            picture = self._model.foreground(rgb[None])
            codes, skips = self._model.encode(picture)
            code = codes[0]
            self._codes[self._seen % span] = code
            self._seen += 1
            previous, self._previous_skips = self._previous_skips, skips
            if self._seen < span:
                return None
            # The oldest code lies where the next one will be written.
            order = (torch.arange(architecture.k) + self._seen) % span
            predicted = self._model.predict(self._codes[order][None])
            error_map = (predicted[0] - code).square().mean(dim=0).numpy()
            places, limit = error_map, self.calibration.place_threshold
            if self._pixel_boxes:
                made = self._model.decode(predicted, previous)
                places = (made - picture)[0].square().mean(dim=0).numpy()
                limit = self.calibration.pixel_threshold
        score = float(error_map.mean(dtype=np.float64))
        boxes = boxes_from_map(places, limit, frame.rgb.shape[:2])
        return Result(frame.index, frame.time, score, error_map, score > self.calibration.threshold, boxes)
