"""Predictions for streams whose codes come one at a time."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentwatch.models.incremental import state_planes

Codes = NDArray[np.float32]


class MotionStream(ABC):
    """Takes codes `(C, h, w)` in order; gives the code predicted for the frame `horizon` after each."""

    def push(self, code: Codes) -> Codes | None:
        """None until k codes have been seen."""
        return self.push_many([self], code[None])[0]

    @classmethod
    @abstractmethod
    def push_many(cls, streams: Sequence[Self], codes: Codes) -> list[Codes | None]:
        """One code of each stream of one engine, `(N, C, h, w)`, in one batch."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets the codes seen so far."""


class WindowStream(MotionStream):
    """Keeps the last k codes and runs the whole motion model on them each time."""

    def __init__(self, predict: Callable[[Codes], Codes], k: int) -> None:
        self._predict = predict
        self._window: deque[Codes] = deque(maxlen=k)

    @classmethod
    def push_many(cls, streams: Sequence[Self], codes: Codes) -> list[Codes | None]:
        """See `MotionStream`."""
        for stream, code in zip(streams, codes, strict=True):
            stream._window.append(code)
        full = [stream for stream in streams if len(stream._window) == stream._window.maxlen]
        if not full:
            return [None] * len(streams)
        made = iter(full[0]._predict(np.stack([np.stack(stream._window) for stream in full])))
        return [next(made) if len(stream._window) == stream._window.maxlen else None for stream in streams]

    def reset(self) -> None:
        """See `MotionStream`."""
        self._window.clear()


class StepStream(MotionStream):
    """Runs only what no earlier code has made it run, see `models.incremental`."""

    def __init__(self, step: Callable[[Codes, Codes], tuple[Codes, Codes]], k: int) -> None:
        self._step = step
        self._k = k
        self._seen = 0
        self._state: Codes | None = None

    @classmethod
    def push_many(cls, streams: Sequence[Self], codes: Codes) -> list[Codes | None]:
        """See `MotionStream`."""
        states = [stream._state_for(code) for stream, code in zip(streams, codes, strict=True)]
        if not states:
            return []
        batch = states[0][None] if len(states) == 1 else np.stack(states)
        states_after, predicted = streams[0]._step(batch, codes)
        for stream, state in zip(streams, states_after, strict=True):
            stream._state = state
            stream._seen = min(stream._seen + 1, stream._k)
        return [
            code if stream._seen == stream._k else None
            for stream, code in zip(streams, predicted, strict=True)
        ]

    def _state_for(self, code: Codes) -> Codes:
        if self._state is None:
            self._state = np.zeros((state_planes(self._k), *code.shape), dtype=np.float32)
        return self._state

    def reset(self) -> None:
        """See `MotionStream`."""
        # The state stays: a prediction depends on the last k codes alone, and none is given before them.
        self._seen = 0
