"""What this program and the others take of the machine."""

import time
from dataclasses import dataclass

import psutil

MIB = 2**20


@dataclass(frozen=True)
class Usage:
    """Seconds on some clock, and seconds of processor time of this program and of all programs so far."""

    clock: float
    own: float
    all: float


def usage() -> Usage:
    """The usage so far; only differences mean something."""
    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    return Usage(time.monotonic(), time.process_time(), sum(times[:8]) - idle)


def resident_mib() -> float:
    """Resident memory of this program, in MiB."""
    return float(psutil.Process().memory_info().rss / MIB)
