"""Live scoring: each frame is encoded once, what it predicts is kept until its time, no decoder is run.

Where the model file says how, Z-MSE and the speed of what moves are made one score.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.fusion import Fusion
from latentwatch.engines.engine import Engine
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.errors import UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.flow import FlowMeter
from latentwatch.scoring.fusion import z_mse_and_speed
from latentwatch.scoring.localise import Box, boxes_from_map, unusual_places
from latentwatch.scoring.usual_flow import UsualFlow, fastest
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize


@dataclass(frozen=True)
class Result:
    """What the detector says of one frame.

    score: the anomaly score, 0 or more: Z-MSE (Eq. 2), or that and speed made one (`scoring.fusion`).
    is_anomaly: score above the threshold. boxes: where the place map is above 1, in pixels of the frame that
    was given. place_map: how unusual each place is, float32 `(h, w)`, 1 being its threshold. error_map:
    latent error by place, float32 `(h, w)`, whose mean is Z-MSE (see `MotionModel.errors`). speed_map: how
    fast each place is in units of what is usual there; None where the score is Z-MSE.
    """

    index: int
    time: float
    score: float
    is_anomaly: bool
    boxes: list[Box]
    place_map: NDArray[np.float32] = field(repr=False)
    error_map: NDArray[np.float32] = field(repr=False)
    speed_map: NDArray[np.float32] | None = field(default=None, repr=False)


class Detector:
    """Scores the frames of one camera as they come.

    engine: what runs the encoder and the motion model; default: PyTorch in fp32. fusion: makes Z-MSE and
    speed one score; without it the score is Z-MSE. kept: bool `(h, w)`, the places that count; default: all.
    Memory is constant, however long the stream: the last k codes, and the predictions for the next `horizon`
    frames. Boxes come from maps of the code's places, for which no decoder is needed; with `pixel_boxes` they
    come from the prediction error in pixels (Fig. 2). That needs skip features and the decoder, which only
    PyTorch has: it encodes, and the engine predicts. Raises `UsageError` for `pixel_boxes` where the motion
    model predicts no code.
    """

    def __init__(
        self,
        model: Decoupled,
        calibration: Calibration,
        *,
        engine: Engine | None = None,
        fusion: Fusion | None = None,
        kept: NDArray[np.bool_] | None = None,
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
        self.fusion = fusion
        self.kept = np.ones(self.architecture.code_shape[1:], dtype=bool) if kept is None else kept
        self._flow = FlowMeter(self.architecture.code_shape[1:])
        self._usual_flow = UsualFlow.in_file(fusion) if fusion else None
        self._pixels = _PixelError(model) if pixel_boxes else None
        self._ahead: deque[NDArray[np.float32] | None] = deque(maxlen=model.architecture.horizon)

    @property
    def frames_needed(self) -> int:
        """How many frames come up to the first score, that one counted: k + horizon."""
        return self.architecture.span

    @property
    def threshold(self) -> float:
        """The score above which a frame is called unusual."""
        return self.fusion.threshold if self.fusion else self.calibration.threshold

    @property
    def predicts(self) -> bool:
        """Whether codes are predicted; a motion model that predicts none scores Z-NLL, alone."""
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
        return Detector(
            self._model,
            self.calibration,
            engine=self.engine,
            fusion=self.fusion,
            kept=self.kept,
            pixel_boxes=self.pixel_boxes,
        )

    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""
        self.motion.reset()
        self._ahead.clear()
        self._flow.reset()

    def step(self, frame: Frame, rgb: NDArray[np.uint8] | None = None) -> Result | None:
        """Takes the next frame; None until k + horizon frames have been seen.

        rgb: what `prepare` gives of the frame, from a caller who has it already.
        """
        picture = self.prepare(frame) if rgb is None else rgb
        code = (self._pixels.encode if self._pixels else self.engine.encode)(picture[None])[0]
        return self.judge(frame, code, self.motion.push(code), self.speeds(picture))

    def prepare(self, frame: Frame) -> NDArray[np.uint8]:
        """The frame as the encoder takes it, `(H, W, 3)`: the first part of `step`."""
        return resize(frame.rgb, self.architecture.size)

    def speeds(self, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        """How fast each place of the next frame is, see `Result.speed_map`: a part of `step`.

        picture: what `prepare` gave of the frame. None where speed is no part of the score.
        """
        if self._usual_flow is None:
            return None
        return self._usual_flow.speeds(self._flow.push(picture))

    def judge(
        self,
        frame: Frame,
        code: NDArray[np.float32],
        ahead: NDArray[np.float32] | None,
        speed_map: NDArray[np.float32] | None,
    ) -> Result | None:
        """The last part of `step`: compares the frame's code with what was predicted for it.

        ahead: what the motion model predicts after this code, kept until its time. speed_map: what `speeds`
        gave of the frame.
        """
        predicted = self._ahead[0] if len(self._ahead) == self._ahead.maxlen else None
        self._ahead.append(ahead)
        if predicted is None:
            return None
        error_map = self.engine.errors(predicted[None], code[None])[0].mean(axis=0)
        score = float(error_map[self.kept].mean(dtype=np.float64))
        if self.fusion and speed_map is not None:
            speed = fastest(np.where(self.kept, speed_map, 0))
            score = float(z_mse_and_speed(np.array(score), speed, self.fusion))
        unusual = unusual_places(error_map, self.calibration, speed_map, self.fusion)
        place_map = np.where(self.kept, unusual, 0)
        boxes = self._boxes(frame.rgb.shape[:2], place_map, predicted)
        is_anomaly = score > self.threshold
        return Result(frame.index, frame.time, score, is_anomaly, boxes, place_map, error_map, speed_map)

    def _boxes(
        self, size: tuple[int, int], place_map: NDArray[np.float32], predicted: NDArray[np.float32]
    ) -> list[Box]:
        limit = self.calibration.pixel_threshold
        if self._pixels and limit is not None:
            return boxes_from_map(self._pixels.error_map(predicted[None]), limit, size, self.kept)
        return boxes_from_map(place_map, 1, size, self.kept)


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
