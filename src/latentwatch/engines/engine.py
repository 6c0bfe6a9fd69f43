"""What scoring needs of a model, whatever runs it."""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from latentwatch.engines.stream import MotionStream, WindowStream

EngineName = Literal["torch", "onnx", "openvino"]

Precision = Literal["fp32", "bf16"]
"""Number format of the arithmetic. What goes in and comes out is the same for both."""


class Engine(ABC):
    """The encoder and the motion model of one camera. The decoder is not part of it.

    Any number N of frames or windows can go in at once. An engine uses as many threads as PyTorch does when
    it is made (`OMP_NUM_THREADS`, `torch.set_num_threads`). Call it from one thread at a time.
    """

    name: ClassVar[EngineName]
    precision: Precision

    @abstractmethod
    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB frames `(N, H, W, 3)`, 0 to 255, at the model's input size, to codes `(N, C, h, w)`."""

    @abstractmethod
    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Windows of codes `(N, k, C, h, w)`, oldest first, to predicted codes `(N, C, h, w)`.

        Of a motion model that does not predict: what `errors` needs of the past.
        """

    def errors(self, expected: NDArray[np.float32], observed: NDArray[np.float32]) -> NDArray[np.float32]:
        """The error of each element of observed codes `(N, C, h, w)`, same shape.

        expected: from `predict`. See `MotionModel.errors`.
        """
        return np.asarray(np.square(expected - observed))

    def stream(self, k: int) -> MotionStream:
        """The motion model for one stream whose codes come one at a time; k as the model was trained with."""
        return WindowStream(self.predict, k)

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"
