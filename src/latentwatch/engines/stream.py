"""Predictions for streams whose codes come one at a time."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from latentwatch.models.incremental import waits

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
        self._waits = waits(k)
        self._past: deque[Codes] = deque(maxlen=max(self._waits))
        """The terms `(T, C, h, w)` of the last steps."""

    @classmethod
    def push_many(cls, streams: Sequence[Self], codes: Codes) -> list[Codes | None]:
        """See `MotionStream`."""
        if not streams:
            return []
        due = np.zeros((len(streams), len(streams[0]._waits), *codes.shape[1:]), dtype=np.float32)
        for stream, terms, _ in zip(streams, due, codes, strict=True):
            stream._recall(terms)
        made, predicted = streams[0]._step(due, codes)
        for stream, terms in zip(streams, made, strict=True):
            # Copied: a part of the batch would keep all of it in memory until its time.
            stream._past.append(terms if len(streams) == 1 else terms.copy())
            stream._seen = min(stream._seen + 1, stream._k)
        return [
            code if stream._seen == stream._k else None
            for stream, code in zip(streams, predicted, strict=True)
        ]

    def _recall(self, due: Codes) -> None:
        """Writes the terms whose turn it is into `due`, zeros at first."""
        for term, wait in enumerate(self._waits):
            if wait <= len(self._past):
                due[term] = self._past[-wait][term]

    def reset(self) -> None:
        """See `MotionStream`."""
        # The terms stay: a prediction depends on the last k codes alone, and none is given before them.
        self._seen = 0
