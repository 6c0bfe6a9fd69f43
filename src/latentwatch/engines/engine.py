"""What scoring needs of a model, whatever runs it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from latentwatch.engines.names import EngineName
from latentwatch.engines.stream import MotionStream, StepStream, WindowStream
from latentwatch.models.presets import Precision


class Engine(ABC):
    """The encoder and the motion model of one camera. The decoder is not part of it.

    Any number N of frames, windows or streams can go in at once. An engine uses as many threads as PyTorch
    does when it is made (`OMP_NUM_THREADS`, `torch.set_num_threads`). Call it from one thread at a time.
    """

    name: ClassVar[EngineName]
    precision: Precision
    has_step: bool
    """Whether the motion model has a form that takes one code at a time; Conv3D has."""

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

    @abstractmethod
    def step(
        self, due: NDArray[np.float32], codes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Terms due and newest codes of N streams to new terms and predicted codes; see `MotionStep`.

        For an engine that `has_step`.
        """

    def stream(self, k: int) -> MotionStream:
        """The motion model for one stream whose codes come one at a time; k as the model was trained with.

        In steps where it can: on every engine but PyTorch in bf16 that was faster than the dense model on
        whole windows, at every width and on every kind of CPU that was tried.
        """
        return StepStream(self.step, k) if self.has_step else WindowStream(self.predict, k)

    def push_many(
        self, streams: Sequence[MotionStream], codes: NDArray[np.float32]
    ) -> list[NDArray[np.float32] | None]:
        """Pushes one code `(N, C, h, w)` of each of N streams of this engine, in one batch.

        The same as pushing each by itself. The streams are different ones, and may be of any age. Raises
        `ValueError` where there are not as many codes as streams.
        """
        if len(streams) != len(codes):
            raise ValueError(f"{len(codes)} codes for {len(streams)} streams")
        return type(streams[0]).push_many(streams, codes) if streams else []

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"
