"""Getting the most from the machine that trains: number format, and what becomes of freed memory."""

import ctypes
import time

import torch

from latentwatch.engines.cpu import cpu_has_bf16

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""

WORTH_IT = 1.5
"""How many times faster bfloat16 must be to be chosen. Between 1 and this, fp32's exactness is worth more."""


def bf16_is_faster() -> bool:
    """Whether this CPU multiplies matrices much faster in bfloat16, measured (takes about 0.1 s).

    Without instructions for it, it does not; the measurement itself would then take many seconds.
    """
    if not cpu_has_bf16():
        return False

    def seconds(dtype: torch.dtype) -> float:
        matrix = torch.ones(1024, 1024, dtype=dtype)
        taken = []
        for _ in range(4):  # the first is for warming up
            began = time.perf_counter()
            matrix @ matrix
            taken.append(time.perf_counter() - began)
        return min(taken[1:])

    return seconds(torch.float32) > WORTH_IT * seconds(torch.bfloat16)


def keep_freed_memory() -> None:
    """Lets the C library keep the large blocks that a training step frees, for the next step.

    By default it returns each to the system and gets fresh pages for the next tensor, which took a fifth to a
    quarter of a training step at widths small and paper. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return
    for parameter in (_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD):
        mallopt(parameter, 2**31 - 1)
