"""The model on PyTorch: the engine that is always there, and the reference for the others."""

import copy

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.engines.engine import Engine
from latentwatch.models.decoupled import Decoupled, foreground
from latentwatch.models.incremental import MotionStep
from latentwatch.models.motion import Conv3dMotion


class TorchEngine(Engine):
    """Runs the model as it is (fp32), or a copy of it in bfloat16.

    Convolutions run channels-last, but for the fp32 motion model, which was no faster so; the bf16 one took
    half the time. In bf16 the background is still subtracted in fp32.
    """

    name = "torch"

    def __init__(self, model: Decoupled, *, bf16: bool = False) -> None:
        self.precision = "bf16" if bf16 else "fp32"
        model.eval()
        self._background = model.background
        self._encoder, self._motion = model.encoder, model.motion
        self.has_step = isinstance(model.motion, Conv3dMotion)
        if isinstance(model.motion, Conv3dMotion):
            self._step = MotionStep(model.motion, model.architecture.k)
        self._type, self._layout = torch.float32, torch.contiguous_format
        if bf16:
            self._type, self._layout = torch.bfloat16, torch.channels_last_3d
            self._encoder = copy.deepcopy(model.encoder).to(self._type)
            self._motion = copy.deepcopy(model.motion).to(self._type)
            if self.has_step:
                self._step.to(self._type)
                self._motion.to(memory_format=self._layout)  # type: ignore[call-overload]

    @torch.inference_mode()
    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.encode`."""
        # Copied: decoders give frames that must not be written to, which PyTorch cannot share.
        pictures = foreground(torch.tensor(frames), self._background).to(self._type)
        return _array(self._encoder(pictures)[0])

    @torch.inference_mode()
    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        windows = torch.from_numpy(codes).transpose(1, 2)
        return _array(self._motion(windows.to(self._type, memory_format=self._layout)))

    @torch.inference_mode()
    def errors(self, expected: NDArray[np.float32], observed: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.errors`."""
        return _array(self._motion.errors(torch.from_numpy(expected), torch.from_numpy(observed)))

    @torch.inference_mode()
    def step(
        self, due: NDArray[np.float32], codes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine.step`."""
        terms, predicted = self._step(*(torch.from_numpy(each).to(self._type) for each in (due, codes)))
        return _array(terms), _array(predicted)


def _array(codes: torch.Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(codes.float().numpy())
