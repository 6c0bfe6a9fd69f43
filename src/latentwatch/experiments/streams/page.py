"""What the page of the load test says, and its rows."""

import os
from collections.abc import Sequence

from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.streams.costs import STAGES, Cost
from latentwatch.experiments.streams.load import Load


def load_rows(preset: str, score: str, costs: Sequence[Cost], loads: Sequence[Load]) -> list[Row]:
    """One row for each figure. Units: fps frames a second; latency and cpu milliseconds; memory MiB.

    score: the name of what frames are scored by.
    """
    found = []
    for load in loads:
        figures = {
            "fps": load.scored_fps,
            "lost_percent": load.lost_percent,
            "latency_ms_p50": load.p50_ms,
            "latency_ms_p99": load.p99_ms,
            "latency_ms_p99_worst_camera": load.worst_p99_ms,
            "frames_in_a_batch": load.batch,
            "cpu_ms": load.cpu_ms,
            "cores": load.cores,
            "cores_of_other_programs": load.other_cores,
            "memory_mib": load.memory_mib,
        }
        name = f"{load.streams} x 640x360 at {load.fps:g} frames/s"
        found += [(name, metric, value) for metric, value in figures.items()]
    found += [(f"batch of {cost.batch}", f"cpu_ms_{cost.stage}", cost.cpu_ms) for cost in costs]
    return [
        Row(preset=preset, dataset=name, score=score, metric=metric, value=value, seeds=1)
        for name, metric, value in found
    ]


def load_remarks(costs: Sequence[Cost], loads: Sequence[Load]) -> list[str]:
    """What the figures say, and the figures as tables: paragraphs of Markdown."""
    return [_kept_up(loads), _bound(costs), _load_table(loads), _cost_table(costs)]


def _load_table(loads: Sequence[Load]) -> str:
    lines = [
        "| cameras | frames/s each | scored frames/s | lost % | latency ms: median | 99% | 99%, worst camera "
        "| frames in a batch | CPU ms a frame | cores used | by other programs | memory MiB |",
        "|" + " --- |" * 12,
    ]
    for load in loads:
        cells = [
            f"{load.streams}",
            f"{load.fps:g}",
            f"{load.scored_fps:.1f}",
            f"{load.lost_percent:.1f}",
            f"{load.p50_ms:.0f}",
            f"{load.p99_ms:.0f}",
            f"{load.worst_p99_ms:.0f}",
            f"{load.batch:.1f}",
            f"{load.cpu_ms:.1f}",
            f"{load.cores:.2f}",
            f"{load.other_cores:.2f}",
            f"{load.memory_mib:.0f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cost_table(costs: Sequence[Cost]) -> str:
    lines = ["| CPU ms a frame | " + " | ".join(STAGES) + " | all |", "|" + " --- |" * (len(STAGES) + 2)]
    for batch in sorted({cost.batch for cost in costs}):
        stages = _of_batch(costs, batch)
        figures = [f"{value:.2f}" for value in (*stages.values(), sum(stages.values()))]
        lines.append(f"| batch of {batch} | " + " | ".join(figures) + " |")
    return "\n".join(lines)


def _kept_up(loads: Sequence[Load]) -> str:
    words = []
    for fps in sorted({load.fps for load in loads}):
        most = max((load.streams for load in loads if load.fps == fps and load.kept_up), default=0)
        tried = ", ".join(str(load.streams) for load in loads if load.fps == fps)
        words.append(f"Kept up with {cameras(most)} at {fps:g} frames/s (tried: {tried}).")
    return " ".join(words)


def _bound(costs: Sequence[Cost]) -> str:
    stages = _of_batch(costs, max(cost.batch for cost in costs))
    total = sum(stages.values())
    largest = max(stages, key=lambda stage: stages[stage])
    cores = os.cpu_count() or 1
    return (
        f"What bounds it: a frame costs {total:.1f} ms of processor time, of which {largest} is "
        f"{100 * stages[largest] / total:.0f}%; {cores} cores cannot do more than "
        f"{1000 * cores / total:.0f} frames/s of that."
    )


def cameras(number: int) -> str:
    """`1 camera`, `2 cameras`."""
    return f"{number} camera{'' if number == 1 else 's'}"


def _of_batch(costs: Sequence[Cost], batch: int) -> dict[str, float]:
    return {cost.stage: cost.cpu_ms for cost in costs if cost.batch == batch}
