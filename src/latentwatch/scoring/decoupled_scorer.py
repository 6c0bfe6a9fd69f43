"""Our own system behind the interface of the baselines, for comparison on equal terms."""

import numpy as np
from numpy.typing import NDArray

from latentwatch.baselines.scorer import Scorer
from latentwatch.bundle.bundle import Calibration
from latentwatch.engines.engine import Engine
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.detector import Detector
from latentwatch.video.frame import Frame

_NO_BOXES = Calibration(threshold=0, place_threshold=1e30, pixel_threshold=1e30, frames=1)


class DecoupledScorer(Scorer):
    """Z-MSE (Eq. 2) by `Detector`. engine: see there."""

    name = "decoupled"

    def __init__(self, model: Decoupled, engine: Engine | None = None) -> None:
        self._architecture = model.architecture
        self._detector = Detector(model, _NO_BOXES, engine=engine)

    @property
    def size(self) -> tuple[int, int]:
        """See `Scorer.size`."""
        return self._architecture.size

    @property
    def frames_needed(self) -> int:
        """See `Scorer.frames_needed`: k + horizon."""
        return self._architecture.span

    def step(self, rgb: NDArray[np.uint8]) -> float | None:
        """See `Scorer.step`."""
        if rgb.shape != (*self.size, 3) or rgb.dtype != np.uint8:
            raise ValueError(f"expected uint8 {(*self.size, 3)}, got {rgb.dtype} {rgb.shape}")
        result = self._detector.step(Frame(0, 0.0, rgb))
        return result.score if result else None

    def reset(self) -> None:
        """See `Scorer.reset`."""
        self._detector.reset()
