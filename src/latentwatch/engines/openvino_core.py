"""OpenVINO's one `Core` of this process, made so that Ctrl-C stays safe.

OpenVINO's CPU plug-in gives the thread that loads it an alternate signal stack (sigaltstack), on which
Python's handlers run too. When several plug-ins are unloaded in another order than they were loaded, the
address that is put back is one that was freed before, and the next Ctrl-C ends the process with a
segmentation fault.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from latentwatch.engines.packages import require_openvino


@cache
def openvino_core() -> Any:
    """The `openvino.Core`, its CPU plug-in loaded. Raises `MissingPackageError` without openvino."""
    openvino = require_openvino()
    with _signal_stack_kept():
        core = openvino.Core()
        core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")  # loads the plug-in
    return core


def openvino_has_bf16() -> bool:
    """Whether OpenVINO computes in bfloat16 on this CPU. Raises `MissingPackageError` without openvino."""
    return bool("BF16" in openvino_core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))


class _Stack(ctypes.Structure):
    """`stack_t` of Linux."""

    _fields_ = (("pointer", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def _signal_stack_kept() -> Iterator[None]:
    """The calling thread has the same signal stack after the block as before. Linux alone needs it."""
    if sys.platform != "linux":
        yield
        return
    libc = ctypes.CDLL(None)
    before = _Stack()
    libc.sigaltstack(None, ctypes.byref(before))
    try:
        yield
    finally:
        libc.sigaltstack(ctypes.byref(before), None)
