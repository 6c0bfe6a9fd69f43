"""What the model sees: its reconstruction and prediction of a frame, and where that is wrong (Figs. 2, 7).

This runs the decoder; the anomaly score does not need it.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.models.decoupled import Decoupled, windows


@dataclass(frozen=True)
class Pictures:
    """Float32 pictures in [0, 1]. frame, reconstruction, prediction: `(H, W, 3)`.

    error: squared prediction error by pixel, mean over the colours, `(H, W)`; its mean is P-MSE.
    """

    frame: NDArray[np.float32]
    reconstruction: NDArray[np.float32]
    prediction: NDArray[np.float32]
    error: NDArray[np.float32]


def pictures_of_last(model: Decoupled, rgb: NDArray[np.uint8]) -> Pictures:
    """Pictures of the last of `k + horizon` consecutive frames, uint8 `(k + horizon, H, W, 3)`.

    Both decodings use the skip features of the frame before. Raises `ValueError` for too few frames.
    """
    architecture = model.architecture
    model.eval()
    with torch.inference_mode():
        frames = model.foreground(torch.from_numpy(rgb[-architecture.span :]))
        codes, skips = model.encode(frames)
        predicted = model.predict(windows(codes, architecture.k, architecture.horizon))[-1:]
        previous = [skip[-2:-1] for skip in skips]
        made = [model.decode(code, previous)[0] for code in (codes[-1:], predicted)]
        error = (made[1] - frames[-1]).square().mean(dim=0).numpy()
        whole = [(picture + model.background).clamp(0, 1) for picture in (frames[-1], *made)]
    shown = [picture.permute(1, 2, 0).numpy() for picture in whole]
    return Pictures(shown[0], shown[1], shown[2], error)
