"""Ctrl-C between two batches, with real signals."""

import signal
from collections.abc import Callable

import pytest

from latentwatch.training.interrupts import HeldInterrupt


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def train(*steps: Callable[[], None]) -> None:
    """Batches that end when their step has."""
    with HeldInterrupt() as interrupt:
        for step in steps:
            step()
            interrupt.on_train_batch_end()


def test_ctrl_c_waits_for_the_end_of_the_batch():
    done = []

    def batch() -> None:
        press()
        done.append("all of the batch")

    with pytest.raises(KeyboardInterrupt):
        train(lambda: None, batch, lambda: done.append("the next one"))
    assert done == ["all of the batch"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_is_at_once():
    def batch() -> None:
        press()
        press()
        pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        train(batch)


@pytest.mark.parametrize("end", [RuntimeError("the other process has gone"), None])
def test_ctrl_c_is_told_however_the_training_ends(end):
    def end_after_ctrl_c() -> None:
        with HeldInterrupt():
            press()
            if end:
                raise end

    with pytest.raises(KeyboardInterrupt):
        end_after_ctrl_c()


def test_ctrl_c_that_the_caller_ignores_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        train(press)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
