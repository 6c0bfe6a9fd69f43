"""The latent error in units of what it usually is: its Mahalanobis distance, place by place.

Eq. 2 weighs all channels of the code alike. But the errors of normal footage are large in a few directions of
the C channels and small in the others, where a small error already says much.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.video.frame import Frame

LEAST = 1e-4
"""Share of the mean variance that is added to every direction's, so that none outweighs all others."""


@dataclass(frozen=True)
class ErrorCovariance:
    """How the C channels of the latent error vary together on normal footage: float64 `(C, C)`."""

    matrix: NDArray[np.float64]

    @classmethod
    def of(cls, differences: Iterable[NDArray[np.float32]]) -> Self:
        """From the differences `(N, C, h, w)` of one normal clip after another (`latent_differences`)."""
        total: NDArray[np.float64] | float = 0.0
        count = 0
        for clip in differences:
            channels = clip.transpose(1, 0, 2, 3).reshape(clip.shape[1], -1).astype(np.float64)
            total = total + channels @ channels.T
            count += channels.shape[1]
        matrix = np.asarray(total) / count
        return cls(matrix + LEAST * np.trace(matrix) / len(matrix) * np.eye(len(matrix)))

    def maps(self, differences: NDArray[np.float32]) -> NDArray[np.float32]:
        """Squared distances over C, float32 `(N, h, w)`: about 1 in the mean on normal footage."""
        frames, channels, height, width = differences.shape
        rows = differences.transpose(0, 2, 3, 1).reshape(-1, channels).astype(np.float64)
        squared = (rows @ np.linalg.inv(self.matrix) * rows).sum(axis=1) / channels
        return np.asarray(squared.reshape(frames, height, width), dtype=np.float32)


@torch.inference_mode()
def latent_differences(model: Decoupled, frames: Iterable[Frame], *, batch: int = 16) -> NDArray[np.float32]:
    """Predicted less observed code of each frame of a clip that has a score, float32 `(N, C, h, w)`.

    The frames are at the model's input size; N is `architecture.warm_up` less than there are. For motion
    models that predict.
    """
    architecture = model.architecture
    pictures = [frame.rgb for frame in frames]
    codes = [
        model.encode(model.foreground(torch.from_numpy(np.stack(pictures[first : first + batch]))))[0]
        for first in range(0, len(pictures), batch)
    ]
    if len(pictures) < architecture.span:
        return np.empty((0, *architecture.code_shape), dtype=np.float32)
    observed = torch.cat(codes)
    past = windows(observed, architecture.k, architecture.horizon)
    predicted = torch.cat([model.predict(part) for part in torch.split(past, batch)])
    return np.asarray((predicted - observed[architecture.warm_up :]).numpy())
