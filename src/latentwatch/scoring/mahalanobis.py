"""The latent error in units of what it usually is: its Mahalanobis distance, place by place.

Eq. 2 weighs all channels of the code alike. But the errors of normal footage are large in a few directions of
the C channels and small in the others, where a small error already says much.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentwatch.scoring.codes import Codes

LEAST = 1e-4
"""Share of the mean variance that is added to every direction's, so that none outweighs all others."""


@dataclass(frozen=True)
class ErrorCovariance:
    """How the C channels of the latent error vary together on normal footage: float64 `(C, C)`."""

    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, differences: Iterable[Codes]) -> Self:
        """From the differences `(N, C, h, w)` of one normal clip after another (`ClipCodes.differences`)."""
        total: NDArray[np.float64] | float = 0.0
        count = 0
        for clip in differences:
            channels = clip.transpose(1, 0, 2, 3).reshape(clip.shape[1], -1).astype(np.float64)
            total = total + channels @ channels.T
            count += channels.shape[1]
        matrix = np.asarray(total) / count
        return cls(matrix + LEAST * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))

    def maps(self, differences: Codes) -> NDArray[np.float32]:
        """Squared distances over C, float32 `(N, h, w)`: about 1 in the mean on normal footage."""
        frames, channels, height, width = differences.shape
        rows = differences.transpose(0, 2, 3, 1).reshape(-1, channels).astype(np.float64)
        squared = (rows @ np.linalg.inv(self.matrix) * rows).sum(axis=1) / channels
        return np.asarray(squared.reshape(frames, height, width), dtype=np.float32)
