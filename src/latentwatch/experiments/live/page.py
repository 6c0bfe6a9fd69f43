"""The page of the experiment: rows, words and a plot, made of all parts that have been measured."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.live.camera import PER_DAY, RULES
from latentwatch.experiments.live.measured import GENTLE_STOP, Accuracy, Fault, Faults, Load
from latentwatch.experiments.live.plots import plot_events
from latentwatch.experiments.seeds import Plan
from latentwatch.models.presets import Architecture

DATASET = "ped2"

PROTOCOL = (
    "GStreamer's RTSP server sends Ped2 as H.264 (360x240, 10 frames/s, a key frame a second) in real time; "
    "`latentwatch watch` is a process of its own, mosquitto the broker, and a subscriber notes when messages "
    "arrive. Model: seed 0 of `reproduce ped2` in this form, calibrated on the 16 normal clips in H.264, of "
    "which it learned from 14: what it did not learn from is 30 s, and `calibrate` refuses that. Accuracy: "
    "each test clip follows a normal clip, with 1.5 s of nothing before each, in which an alarm ends and "
    "the detector begins anew; no alarm can begin in the first 2.2 s of a clip, which are left out of the "
    "hours. An event is found if an alarm overlaps its labelled span, an alarm is false if it overlaps "
    "none. Latency: from handing the picture that began the alarm to the server, told by the message's "
    "snapshot, to the message's arrival. Faults and load have the threshold as low as it goes, so "
    "that alarms come often; the clock that is set back is Python's `time.time` in it; a clip that a "
    "full disk could not take counts as unplayable; every kill is followed by a new start"
)


def write_live(
    plan: Plan, accuracy: Accuracy | None, faults: Faults | None, load: Load | None, engine: str, score: str
) -> Path:
    """Writes the page of what has been measured, and gives it."""
    plots = {}
    if accuracy:
        plot = f"{plan.name}-events.png"
        plot_events(accuracy.shown, plan.results / plot)
        plots[plot] = "Labelled anomalies and alarms in each camera's film; lines are where clips begin."
    rows: list[Row] = []
    remarks: list[str] = []
    parts = [(part.quick, _made(part)) for part in (accuracy, faults, load) if part is not None]
    for quick, (made, said) in parts:
        remarks += said
        rows += [
            Row(
                preset=plan.preset,
                dataset=dataset,
                score=score,
                metric=metric,
                value=value,
                engine=engine,
                seeds=1,
                status="quick" if quick else "measured",
            )
            for dataset, metric, value in made
            if not np.isnan(value)  # nothing was told, so there is no latency
        ]
    summary: list[str] = []
    if faults:
        summary = _table(faults.faults)
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=PROTOCOL,
        settings=_settings(plan.architecture, engine),
        remarks=remarks,
        rows=rows,
        **describe_run(),
    )
    return write_page(result, plan.results, plots, summary)


def _settings(architecture: Architecture, engine: str) -> dict[str, str | int | float | bool]:
    return {
        "engine": engine,
        "false_alarms_per_day": PER_DAY,
        **RULES.model_dump(),
        **architecture.model_dump(),
    }


Made = tuple[list[tuple[str, str, float]], list[str]]
"""Rows as data set, metric and value; and remarks."""


def _made(part: Accuracy | Faults | Load) -> Made:
    if isinstance(part, Accuracy):
        return _accuracy(part)
    return _faults(part) if isinstance(part, Faults) else _load(part)


def _accuracy(part: Accuracy) -> Made:
    p50, p99 = np.percentile(part.latencies_ms, (50, 99)) if part.latencies_ms else (np.nan, np.nan)
    rows = [
        (DATASET, "labelled_events", part.events),
        (DATASET, "events_found_share", part.found / part.events),
        (DATASET, "false_alarms", part.false),
        (DATASET, "false_alarms_per_hour", part.false / part.normal_hours),
        (f"{DATASET}, test clips", "false_alarms", part.false_in_test),
        (f"{DATASET}, test clips", "normal_seconds", 3600 * part.normal_hours_in_test),
        (DATASET, "normal_minutes", 60 * part.normal_hours),
        (DATASET, "latency_ms_p50", p50),
        (DATASET, "latency_ms_p99", p99),
        (DATASET, "delay_s_p50", float(np.median(part.delays_s)) if part.delays_s else np.nan),
        (DATASET, "clips_playable_share", part.playable / max(part.ended, 1)),
        (DATASET, "frames_dropped", part.dropped),
    ]
    high = chi2.ppf(0.95, 2 * (part.false + 1)) / 2 / part.normal_hours
    remarks = [
        f"{part.found} of {part.events} labelled events were found, {part.cameras} cameras at once. "
        f"{part.false} false alarms in "
        f"{60 * part.normal_hours:.1f} minutes of normal footage (at most {high:.0f} an hour, with 95% "
        f"confidence; the budget is {part.per_day / 24:.0f} an hour); {part.false_in_test} of them in the "
        f"{3600 * part.normal_hours_in_test:.0f} s that the model and its budget have not seen.",
        f"From the picture to the message it took {p50:.0f} ms (median) and {p99:.0f} ms (99%) over "
        f"{len(part.latencies_ms)} alarms. {part.playable} of {part.ended} clips can be played. "
        f"{part.dropped} of {part.taken + part.dropped} frames were dropped.",
    ]
    return rows, remarks


def _faults(part: Faults) -> Made:
    lost = sum(fault.lost for fault in part.faults)
    rows = [("faults", "announced_events_lost", float(lost))]
    named = {fault.name: fault for fault in part.faults}
    for name, metric in (("kill -9", "kills"), ("server killed and restarted", "server_restarts")):
        if name in named:
            rows.append(("faults", metric, named[name].times))
            rows.append(("faults", f"{metric}_survived", named[name].survived))
    faults = [fault for fault in part.faults if fault.name != GENTLE_STOP]
    made = sum(fault.times for fault in faults)
    survived = sum(fault.survived for fault in faults)
    announced = sum(fault.announced for fault in faults)
    rows += [
        ("faults", "faults", made),
        ("faults", "faults_survived", survived),
        ("faults", "announced_events", announced),
        ("faults", "orphan_files", sum(fault.orphans for fault in part.faults)),
        ("faults", "missing_files", sum(fault.missing for fault in part.faults)),
        *_flat("faults", part.memory_mib, part.threads),
    ]
    remarks = [
        f"{survived} of {made} faults were survived: every announced event is in the store, and every camera "
        f"came back by itself. {lost} of {announced} announced events are lost. Over {part.minutes:.0f} "
        f"minutes of faults in one process memory went from {part.memory_mib[0]:.0f} to "
        f"{part.memory_mib[1]:.0f} MiB and threads from {part.threads[0]} to {part.threads[1]}."
    ]
    return rows, remarks


def _load(part: Load) -> Made:
    where = f"load, {part.cameras} cameras"
    p50, p99 = np.percentile(part.latencies_ms, (50, 99)) if part.latencies_ms else (np.nan, np.nan)
    seen = part.taken + part.dropped
    rows = [
        (where, "minutes", part.minutes),
        (where, "frames_dropped_share", part.dropped / max(seen, 1)),
        (where, "frames_sent", part.sent),
        (where, "frames_scored", part.taken),
        (where, "latency_ms_p50", p50),
        (where, "latency_ms_p99", p99),
        (where, "cores", part.cores),
        (where, "other_cores", part.other_cores),
        (where, "announced_events", part.announced),
        (where, "announced_events_lost", part.lost),
        *_flat(where, part.memory_mib, part.threads),
    ]
    remarks = [
        f"{part.cameras} cameras for {part.minutes:g} minutes: {part.dropped} of {seen} frames dropped, "
        f"{p50:.0f} ms (median) and {p99:.0f} ms (99%) from picture to message over {len(part.latencies_ms)} "
        f"alarms, {part.cores:.2f} processors, memory from {part.memory_mib[0]:.0f} to "
        f"{part.memory_mib[1]:.0f} MiB."
    ]
    return rows, remarks


def _flat(where: str, memory: tuple[float, float], threads: tuple[int, int]) -> list[tuple[str, str, float]]:
    return [
        (where, "memory_mib_first", memory[0]),
        (where, "memory_mib_last", memory[1]),
        (where, "threads_first", threads[0]),
        (where, "threads_last", threads[1]),
    ]


def _table(faults: Sequence[Fault]) -> list[str]:
    lines = [
        "| fault | survived | events told | lost | back after (s): median, longest | "
        "files: orphans, missing, unplayable | remark |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for fault in faults:
        back = ""
        if fault.recovered_s:
            back = f"{np.median(fault.recovered_s):.1f}, {max(fault.recovered_s):.1f}"
        lines.append(
            f"| {fault.name} | {fault.survived} of {fault.times} | {fault.announced} | {fault.lost} | "
            f"{back} | {fault.orphans}, {fault.missing}, {fault.unplayable} | {fault.note} |"
        )
    return [*lines, ""]
