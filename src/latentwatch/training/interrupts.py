"""Ctrl-C during training takes effect between two batches.

Python raises it wherever the program is at that moment. Inside Lightning or TensorBoard that can be lost,
come out as another fault, or leave a queue that is waited for without end.
"""

import signal
import threading
from types import FrameType, TracebackType
from typing import Self

import pytorch_lightning as pl


class HeldInterrupt(pl.Callback):
    """Holds Ctrl-C back while entered and raises `KeyboardInterrupt` where it is safe; a second one at once.

    Leaving it raises `KeyboardInterrupt` too where Ctrl-C came, in place of whatever ended the training. It
    does nothing where the caller has its own way with Ctrl-C, and outside the main thread, which alone gets
    it.
    """

    def __init__(self) -> None:
        self._asked = False
        self._usual = signal.getsignal(signal.SIGINT)

    def __enter__(self) -> Self:
        """Takes Ctrl-C over."""
        self._usual = signal.getsignal(signal.SIGINT)
        if self._usual is signal.default_int_handler and _in_main_thread():
            signal.signal(signal.SIGINT, self._hold)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives Ctrl-C back, which Lightning leaves ignored when it was stopped by it."""
        if _in_main_thread():
            signal.signal(signal.SIGINT, self._usual)
        if self._asked:
            raise KeyboardInterrupt from error

    def _hold(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True

    def check(self) -> None:
        """Raises `KeyboardInterrupt` if Ctrl-C came."""
        if self._asked:
            raise KeyboardInterrupt

    def on_train_batch_end(self, *_: object) -> None:
        """Between two batches."""
        self.check()

    def on_validation_batch_end(self, *_: object) -> None:
        """Between two batches."""
        self.check()


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
