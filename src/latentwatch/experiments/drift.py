"""Learning over time on the street: a building site comes, and two diggers work there from then on.

All of it is what `enrol`, `watch` and `learn` do with a camera, but for the clock: footage is seen as fast as
it is scored. The camera's owner says of each false alarm at the site that it was normal.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from latentwatch.bundle.bundle import load_bundle
from latentwatch.datasets.dataset import Clip
from latentwatch.engines.choose import open_engine
from latentwatch.evaluation.intervals import mean_ci95, poisson_limits95
from latentwatch.evaluation.result_file import ResultFile, Row
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.small_street import ARCHITECTURE, FPS, SIZE, anomaly_clips, normal_clips
from latentwatch.models.presets import WIDTHS
from latentwatch.monitor.alarm import Alarm, Span
from latentwatch.monitor.budget import load_budget
from latentwatch.monitor.calibrate import file_sha256
from latentwatch.monitor.enrol import Enrolment, learn_enrolled
from latentwatch.monitor.enrolment import enrolled_footage
from latentwatch.monitor.footage import PARTS, open_run
from latentwatch.monitor.learn import Learning, Verdict, lack_of_footage, last_verdict, learn_more
from latentwatch.monitor.reservoir import Reservoir, take_label
from latentwatch.scoring.camera import detector_of
from latentwatch.training.settings import FINE_TUNING, FORMS
from latentwatch.video.frame import Frame
from latentwatch.whole_file import whole_file

PER_DAY = 240.0
"""The budget: ten false alarms an hour, of which minutes show something."""

RUN, CLIP, TEST = 160, 3000, 160
"""Frames of a run to learn from, of a clip of normal footage that is watched, and of one with an anomaly.

A run of half the length would lose a quarter of its frames to what a score and a level need before them.
"""

FIRST = 1000
"""The number of the first clip that is watched: what is enrolled lies below."""

WATCHED_AT_MOST = 3
"""Times that the site is watched, by new clips each, while too little of it is quiet enough to learn from."""

STAGES = ("before the drift", "after the drift", "after learning")


@dataclass(frozen=True)
class Amounts:
    """Clips of each kind: enrolled runs to learn from and held out, watched ones, and those with
    anomalies."""

    train: int = 10
    held_out: int = 90
    normal: int = 4
    site: int = 16
    tests: int = 21
    epochs: int = 8
    fine_tuning: int = 2

    @property
    def hours(self) -> float:
        """Of the normal footage that is watched at each stage."""
        return self.normal * CLIP / FPS / 3600


QUICK = Amounts(train=6, held_out=40, normal=1, tests=7, epochs=3)


@dataclass
class _Seen:
    """What the seeds gave at one stage: false alarms, and of each test clip whether its anomaly was found."""

    alarms: list[int] = field(default_factory=list)
    found: list[list[bool]] = field(default_factory=list)


def reproduce_drift(plan: Plan) -> Path:
    """Enrols, lets the site come, learns, and counts alarms before and after each; a page anew for each seed.

    Goes on where an earlier run was stopped. Raises as its parts do.
    """
    amounts = QUICK if plan.quick else Amounts()
    stages = {name: _Seen() for name in STAGES}
    verdicts: list[tuple[int, Verdict]] = []
    page = plan.results / f"{plan.name}.md"
    for seed in range(plan.seeds):
        verdicts.append(_seed(plan, amounts, seed, stages))
        page = _write(plan, amounts, stages, verdicts)
    return page


def _seed(plan: Plan, amounts: Amounts, seed: int, stages: dict[str, _Seen]) -> tuple[int, Verdict]:
    """One seed; gives how many clips of the site were watched, and what became of learning from them."""
    folder = plan.runs / "drift" / f"seed-{seed}"
    model = folder / "street.lw"
    if not model.is_file():
        plan.say(f"seed {seed}: enrolling")
        _enrol(plan, amounts, seed, model)

    def stage(name: str, site: bool) -> None:
        plan.say(f"seed {seed}: {name}")
        file = folder / f"{name.replace(' ', '-')}.json"
        told = _once(file, lambda: _measured(model, amounts, seed, site=site))
        stages[name].alarms.append(told["alarms"])
        stages[name].found.append(told["found"])

    stage(STAGES[0], site=False)
    stage(STAGES[1], site=True)
    verdict = last_verdict(model)
    if verdict is None:
        plan.say(f"seed {seed}: watching the site, whose false alarms are labelled normal")
        for round_ in range(WATCHED_AT_MOST):
            _watch_site(model, amounts, folder, seed, round_, plan.say)
            if lack_of_footage(model) is None:
                break
        training = FINE_TUNING.model_copy(update={"epochs": amounts.fine_tuning, "seed": seed})
        verdict = learn_more(model, Learning(PER_DAY, training=training), plan.say)
        plan.say(str(verdict))
    stage(STAGES[2], site=True)
    return len(list((folder / "watched").glob("*.json"))), verdict


def _once(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` gives, kept in a file so that it is made once."""
    if not file.is_file():
        with whole_file(file) as part:
            part.write_text(json.dumps(make()))
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def _enrol(plan: Plan, amounts: Amounts, seed: int, model: Path) -> None:
    footage = enrolled_footage(model)
    clips = normal_clips(amounts.train + amounts.held_out, RUN)
    for clip, part in zip(clips, [PARTS[0]] * amounts.train + [PARTS[1]] * amounts.held_out, strict=True):
        path = footage.path(clip.name, part)
        if path.is_file():
            continue
        with open_run(path, FPS) as run, clip.open(SIZE) as frames:
            for frame in frames:
                run.write(frame.rgb)
    enrolment = Enrolment(
        seconds=(amounts.train + amounts.held_out) * RUN / FPS,
        architecture=ARCHITECTURE,
        training=FORMS["joint"].model_copy(update={"epochs": amounts.epochs, "seed": seed}),
        per_day=PER_DAY,
    )
    learn_enrolled(model, enrolment, plan.say)


def _measured(model: Path, amounts: Amounts, seed: int, *, site: bool) -> dict[str, Any]:
    """False alarms on normal clips, and of each anomaly whether it raises an alarm.

    Found: an alarm whose peak is where the labels are.
    """
    camera = _Camera(model)
    normal = normal_clips(amounts.normal, CLIP, site=site, first=FIRST + seed * amounts.normal)
    alarms = sum(len(camera.watch(clip)) for clip in normal)
    found = []
    for clip in anomaly_clips(amounts.tests, TEST, site=site):
        assert clip.labels is not None
        peaks = [round(span.peak * FPS) for span in camera.watch(clip)]
        found.append(any(clip.labels[min(peak, TEST - 1)] for peak in peaks))
    return {"alarms": alarms, "found": found}


def _watch_site(
    model: Path, amounts: Amounts, folder: Path, seed: int, round_: int, say: Callable[[str], None]
) -> None:
    """The site as it is watched once: quiet runs and false alarms go to the reservoir."""
    camera = _Camera(model)
    reservoir = Reservoir(model, FPS, every=0, gigabytes=1, seconds=RUN / FPS)
    first = (2 + round_) * FIRST + seed * amounts.site
    clips = normal_clips(amounts.site, CLIP, site=True, first=first)
    for number, clip in enumerate(clips, round_ * amounts.site):

        def labelled(clip: Clip = clip, number: int = number) -> dict[str, int]:
            alarms = camera.watch(clip, reservoir, number)
            taken = sum(take_label(model, f"{number}-{i}", "normal") for i in range(len(alarms)))
            say(f"clip {number + 1} of the site watched, {len(alarms)} false alarms")
            return {"taken": taken}

        _once(folder / "watched" / f"{number:03}.json", labelled)


class _Camera:
    """A model and its budget, as `watch` uses them."""

    def __init__(self, model: Path) -> None:
        network, info = load_bundle(model)
        engine = open_engine(network)
        self._detector = detector_of(network, info, engine)
        self._budget = load_budget(model, file_sha256(model))

    def watch(self, clip: Clip, reservoir: Reservoir | None = None, number: int = 0) -> list[Span]:
        """The alarms of one clip. The reservoir gets its frames, those of event i as "NUMBER-i"."""
        budget, detector = self._budget, self._detector
        alarm = Alarm(budget.rules, budget.tail.typical, budget.tail.threshold(PER_DAY), FPS)
        spans: list[Span] = []
        detector.reset()
        with clip.open() as frames:
            for frame in frames:
                rgb = detector.prepare(frame)
                result = detector.step(frame, rgb)
                if result is None:
                    continue
                change = alarm.step(frame.time, result.score)
                event = f"{number}-{len(spans)}" if alarm.is_on else None
                if change == "end" and alarm.span is not None:
                    spans.append(alarm.span)
                if reservoir is not None:
                    reservoir.look(Frame(frame.index, frame.time + 1e4 * number, rgb), alarm.level, event)
        if alarm.break_off() and alarm.span is not None:
            spans.append(alarm.span)
        if reservoir is not None:
            reservoir.pause()
        return spans


def _write(
    plan: Plan, amounts: Amounts, stages: dict[str, _Seen], verdicts: list[tuple[int, Verdict]]
) -> Path:
    rows = []
    for name, seen in stages.items():
        per_hour = [alarms / amounts.hours for alarms in seen.alarms]
        found = [100 * sum(each) / len(each) for each in seen.found]
        for metric, values in (("false_alarms_per_hour", per_hour), ("found_percent", found)):
            rows.append(_row(plan, STAGES.index(name) > 0, name, metric, values))
    judged = [verdict for _, verdict in verdicts if verdict.errors]
    if judged:
        for index, name in ((0, STAGES[1]), (1, STAGES[2])):
            errors = [verdict.errors[index] for verdict in judged if verdict.errors]
            rows.append(_row(plan, True, name, "relative_error_percent", [100 * each for each in errors]))
    result = ResultFile(
        name=plan.name,
        command=plan.command.partition(" --width")[0],
        protocol=f"a camera of the street is enrolled with a budget of {PER_DAY / 24:g} false alarms an "
        "hour; then a building site with two diggers is there. false_alarms_per_hour: alarms on "
        f"{60 * amounts.hours:.0f} minutes of normal footage; found_percent: of the {amounts.tests} test "
        "clips, those with an alarm whose peak is in the labelled frames. The model then learns from "
        f"{_minutes(amounts.site):.0f} minutes of the site, or up to {WATCHED_AT_MOST} times as many while "
        "they hold too little quiet footage; each false alarm in them is labelled normal. "
        "relative_error_percent: prediction error over the code's variance on held-out runs of that, by the "
        "gate. What is judged here is in neither",
        settings={
            "width": "tiny",
            "base_width": WIDTHS["tiny"],
            "size": f"{SIZE[0]}x{SIZE[1]}",
            "form": "joint",
            "epochs": amounts.epochs,
            "fine-tuning epochs": amounts.fine_tuning,
            "enrolled runs": amounts.train,
            "held-out runs": amounts.held_out,
        },
        rows=rows,
        remarks=[
            *(_remark(name, seen, amounts) for name, seen in stages.items()),
            _compared(stages),
            *(
                f"Seed {seed}, after {_minutes(clips):.0f} minutes of the site: {verdict}."
                for seed, (clips, verdict) in enumerate(verdicts)
            ),
        ],
        **describe_run(),
    )
    return write_page(result, plan.results, {})


def _minutes(clips: int) -> float:
    return clips * CLIP / FPS / 60


def _remark(name: str, seen: _Seen, amounts: Amounts) -> str:
    """A stage in words, all seeds together."""
    alarms, hours = sum(seen.alarms), amounts.hours * len(seen.alarms)
    low, high = (limit / hours for limit in poisson_limits95(alarms))
    found = [each for seed in seen.found for each in seed]
    return (
        f"{name.capitalize()}: {alarms} false alarms in {hours:.2g} h, {alarms / hours:.3g} an hour (exact "
        f"95% limits {low:.2g} to {high:.2g}); {sum(found)} of {len(found)} anomalies found."
    )


def _compared(stages: dict[str, _Seen]) -> str:
    """What learning did to the anomalies of the site, clip by clip."""
    before, after = ([each for seed in stages[name].found for each in seed] for name in STAGES[1:])
    lost = sum(was and not found for was, found in zip(before, after, strict=True))
    won = sum(found and not was for was, found in zip(before, after, strict=True))
    return (
        f"Of the anomalies found at the site before learning {lost} are not found after it, {won} others "
        "are. Where false alarms are many, some of them fall on an anomaly by chance, and it counts as found."
    )


def _row(plan: Plan, site: bool, stage: str, metric: str, values: list[float]) -> Row:
    value, ci95 = mean_ci95(values)
    return Row(
        preset="tiny",
        dataset="street, building site" if site else "street",
        score=f"fused, {stage}",
        metric=metric,
        value=value,
        ci95=ci95,
        seeds=len(values),
        status=plan.status,
    )


DRIFT = Experiment(
    name="drift",
    paper="not in it",
    about="learning over time: a building site comes (always width tiny)",
    dataset=None,
    preset="ped2",
    work=Work(trained=700, scored=16000),
    quick_work=Work(trained=300, scored=9000),
    run=reproduce_drift,
)
