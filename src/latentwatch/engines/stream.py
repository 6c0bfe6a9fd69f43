"""Predictions for one stream whose codes come one at a time."""

from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.models.incremental import IncrementalMotion

Codes = NDArray[np.float32]


class MotionStream(Protocol):
    """Takes codes `(C, h, w)` in order; gives the code predicted for the frame `horizon` after each."""

    def push(self, code: Codes) -> Codes | None:
        """None until k codes have been seen."""

    def reset(self) -> None:
        """Forgets the codes seen so far."""


class WindowStream:
    """Keeps the last k codes and runs the whole motion model on them each time."""

    def __init__(self, predict: Callable[[Codes], Codes], k: int) -> None:
        self._predict = predict
        self._window: deque[Codes] = deque(maxlen=k)

    def push(self, code: Codes) -> Codes | None:
        """See `MotionStream`."""
        self._window.append(code)
        if len(self._window) < (self._window.maxlen or 0):
            return None
        return np.asarray(self._predict(np.stack(self._window)[None])[0])

    def reset(self) -> None:
        """See `MotionStream`."""
        self._window.clear()


class IncrementalStream:
    """Runs only what no earlier code has made it run, see `models.incremental`."""

    def __init__(self, motion: IncrementalMotion) -> None:
        self._motion = motion

    def push(self, code: Codes) -> Codes | None:
        """See `MotionStream`."""
        predicted = self._motion.push(torch.from_numpy(code)[None])
        return None if predicted is None else np.asarray(predicted[0].numpy())

    def reset(self) -> None:
        """See `MotionStream`."""
        self._motion.reset()
