"""What a system costs beside time: arithmetic, weights, memory; and what the machine could do at most."""

import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from latentwatch.experiments.speed.systems import Int8Graphs, Racer, street_frames, use_threads, warmed
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Precision


@dataclass(frozen=True)
class Arithmetic:
    """gflop: billions of floating-point operations for one more frame. parameters: in millions."""

    gflop: float
    parameters: float


def arithmetic(racer: Racer) -> Arithmetic:
    """Counts what PyTorch does in one step of the system; a multiply-add is two operations.

    Parameters are those that scoring needs: of ours, encoder and motion model. Other engines do the same
    arithmetic, fused or not.
    """
    on_torch = Racer(racer.system, racer.width, racer.dataset, "torch")
    network = on_torch.network()
    parts = [network.encoder, network.motion] if isinstance(network, Decoupled) else [network]
    parameters = sum(each.numel() for part in parts for each in part.parameters())
    scorer = on_torch.scorer()
    lap = warmed(scorer, street_frames(scorer.size, 2))
    with FlopCounterMode(display=False) as counter:
        lap()
    return Arithmetic(counter.get_total_flops() / 1e9, parameters / 1e6)


def peak_memory(racer: Racer | None, threads: int, graphs: Int8Graphs | None = None) -> float | None:
    """MiB at most of a new process that loads a system and scores frames; of one that only imports, if None.

    Libraries, and the conversion to the engine's form, are counted in; but graphs, of a racer in int8, are
    given, as a camera reads them from its file. None where the operating system does not tell, or ended the
    process.
    """
    # Spawned, so that nothing that this process holds counts.
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(_score_a_little, racer, threads, graphs).result()
        except BrokenProcessPool:  # killed, for want of memory most likely: the race still counts
            return None


def _score_a_little(racer: Racer | None, threads: int, graphs: Int8Graphs | None) -> float | None:
    use_threads(threads)
    if racer is not None:
        scorer = racer.scorer(graphs)
        lap = warmed(scorer, street_frames(scorer.size, 2))
        lap()
    # Not getrusage: its maximum goes back to before the start of the program, and is the parent's.
    status = Path("/proc/self/status")
    if not status.is_file():
        return None
    for line in status.read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None


def machine_peak(precision: Precision, size: int = 2048, rounds: int = 5) -> float:
    """GFLOP/s of the best of some products of two square matrices, on PyTorch's threads.

    What no network on this machine can pass by much. Each product takes about a tenth of a second.
    """
    kind = torch.bfloat16 if precision == "bf16" else torch.float32
    matrix = torch.randn(size, size).to(kind)
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        matrix @ matrix
        taken.append(time.perf_counter() - began)
    return 2 * size**3 / min(taken) / 1e9
