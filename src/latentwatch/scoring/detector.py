"""Live scoring: each frame is encoded once, what it predicts is kept until its time, no decoder is run."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration
from latentwatch.engines.engine import Engine
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.errors import UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.localise import Box, boxes_from_map
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize


@dataclass(frozen=True)
class Result:
    """What the detector says of one frame.

    score: the anomaly score Z-MSE (Eq. 2), 0 or more. error_map: latent error by place, float32 `(h, w)`,
    whose mean is the score (see `MotionModel.errors`). is_anomaly: score above the threshold. boxes: where
    the error is above its threshold, in pixels of the frame that was given.
    """

    index: int
    time: float
    score: float
    error_map: NDArray[np.float32] = field(repr=False)
    is_anomaly: bool
    boxes: list[Box]


class Detector:
    """Scores the frames of one camera as they come.

    engine: what runs the encoder and the motion model; default: PyTorch in fp32. Memory is constant, however
    long the stream: the last k codes, and the predictions for the next `horizon` frames. Boxes come from the
    latent error map, for which no decoder is needed; with `pixel_boxes` they come from the prediction error
    in pixels (Fig. 2). That needs skip features and the decoder, which only PyTorch has: it encodes, and the
    engine predicts. Raises `UsageError` for `pixel_boxes` where the motion model predicts no code.
    """

    def __init__(
        self,
        model: Decoupled,
        calibration: Calibration,
        *,
        engine: Engine | None = None,
        pixel_boxes: bool = False,
    ) -> None:
        if pixel_boxes and not model.motion.predicts:
            raise UsageError(
                f"boxes from pixels: motion model {model.architecture.motion} predicts no frame; "
                "use those of the latent error map"
            )
        self.calibration = calibration
        self.engine = engine or TorchEngine(model)
        self.motion = self.engine.stream(model.architecture.k)
        self._model = model
        self.architecture = model.architecture
        self._pixels = _PixelError(model) if pixel_boxes else None
        self._ahead: deque[NDArray[np.float32] | None] = deque(maxlen=model.architecture.horizon)

    @property
    def frames_needed(self) -> int:
        """How many frames come up to the first score, that one counted: k + horizon."""
        return self.architecture.span

    @property
    def predicts(self) -> bool:
        """Whether scores are Z-MSE; those of a motion model that predicts no code are Z-NLL."""
        return self._model.motion.predicts

    @property
    def pixel_boxes(self) -> bool:
        """Whether boxes come from the prediction error in pixels."""
        return self._pixels is not None

    @property
    def background(self) -> NDArray[np.float32]:
        """The camera's mean picture, `(H, W, 3)` in grey levels 0 to 255, at the model's input size."""
        return self._model.background.permute(1, 2, 0).numpy() * 255

    def twin(self) -> "Detector":
        """A detector for another camera: the same model on the same engine, no frames seen."""
        return Detector(self._model, self.calibration, engine=self.engine, pixel_boxes=self.pixel_boxes)

    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""
        self.motion.reset()
        self._ahead.clear()

    def step(self, frame: Frame, rgb: NDArray[np.uint8] | None = None) -> Result | None:
        """Takes the next frame; None until k + horizon frames have been seen.

        rgb: what `prepare` gives of the frame, from a caller who has it already.
        """
        pictures = (self.prepare(frame) if rgb is None else rgb)[None]
        code = (self._pixels.encode(pictures) if self._pixels else self.engine.encode(pictures))[0]
        return self.judge(frame, code, self.motion.push(code))

    def prepare(self, frame: Frame) -> NDArray[np.uint8]:
        """The frame as the encoder takes it, `(H, W, 3)`: the first part of `step`."""
        return resize(frame.rgb, self.architecture.size)

    def judge(
        self, frame: Frame, code: NDArray[np.float32], ahead: NDArray[np.float32] | None
    ) -> Result | None:
        """The last part of `step`: compares the frame's code with what was predicted for it.

        ahead: what the motion model predicts after this code, kept until its time.
        """
        predicted = self._ahead[0] if len(self._ahead) == self._ahead.maxlen else None
        self._ahead.append(ahead)
        if predicted is None:
            return None
        error_map = self.engine.errors(predicted[None], code[None])[0].mean(axis=0)
        places, limit = error_map, self.calibration.place_threshold
        if self._pixels and self.calibration.pixel_threshold is not None:
            places, limit = self._pixels.error_map(predicted[None]), self.calibration.pixel_threshold
        score = float(error_map.mean(dtype=np.float64))
        boxes = boxes_from_map(places, limit, frame.rgb.shape[:2])
        return Result(frame.index, frame.time, score, error_map, score > self.calibration.threshold, boxes)


class _PixelError:
    """The prediction error in pixels: encodes each frame, keeping the skip features of the one before."""

    def __init__(self, model: Decoupled) -> None:
        self._model = model.eval()
        self._previous: list[torch.Tensor] = []
        self._current: list[torch.Tensor] = []

    @torch.inference_mode()
    def encode(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A frame `(1, H, W, 3)` to its code."""
        self._picture = self._model.foreground(torch.tensor(rgb))
        self._previous = self._current
        codes, self._current = self._model.encode(self._picture)
        return codes.numpy()

    @torch.inference_mode()
    def error_map(self, predicted: NDArray[np.float32]) -> NDArray[np.float32]:
        """The squared error, `(H, W)`, of the newest frame's predicted code `(1, C, h, w)`, decoded."""
        made = self._model.decode(torch.from_numpy(predicted), self._previous)
        return (made - self._picture)[0].square().mean(dim=0).numpy()
