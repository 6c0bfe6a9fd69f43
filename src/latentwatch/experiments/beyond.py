"""Beyond the paper: other scores from the same latent codes, at about Z-MSE's cost, without the decoder.

What a score needs to know is learned from normal footage. Nothing is chosen by the test labels:
every variant is a row, the paper's Z-MSE ("mean") among them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.evaluation.frame_level import METRICS, FrameLevel, LabelledScores, frame_level
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.evaluation.results import describe_run, write_page
from latentwatch.evaluation.run import judged_clips
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.horizons import TOGETHER, Horizons
from latentwatch.experiments.rows import Trainings, mean_row, settings_with_commits
from latentwatch.experiments.seeds import Plan, dataset_of, seed_folder, trained_seeds
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.codes import Codes, beside_predicted, clip_codes, encoded
from latentwatch.scoring.flow import UsualSpeed, speed_maps
from latentwatch.scoring.fusion import Scores, UsualScore, fused
from latentwatch.scoring.mahalanobis import ErrorCovariance
from latentwatch.scoring.pooling import Maps, UsualError, mean, pooled, variants
from latentwatch.scoring.rarity import CodeBank
from latentwatch.training.frames import build_store, frames_of
from latentwatch.training.settings import TrainingSettings

Judged = dict[str, FrameLevel]
"""Figures by the name of the score."""

FUSED = (
    ("mean", "speed"),
    ("mean", "rarity", "speed"),
    ("horizons", "speed"),
    ("horizons", "rarity", "speed"),
)
"""Scores that are made one, by `scoring.fusion`."""


def reproduce_beyond(plan: Plan) -> Path:
    """Trains the seeds of each form, or takes them finished, and judges every variant of the score.

    Writes the page anew after every seed and gives its path. Raises as training and decoding do, and
    `MissingPackageError` without OpenCV.
    """
    dataset = dataset_of(plan, "ped2")
    speeds = _Speeds.of(dataset)
    page = plan.results / f"{plan.name}.md"
    done: dict[str, list[Judged]] = {}
    trainings: dict[str, Trainings] = {}
    for form in plan.forms:
        for model, info in trained_seeds(plan, dataset, form):
            settings = plan.forms[form].model_copy(update={"seed": len(done.get(form, []))})
            done.setdefault(form, []).append(_judge(plan, model, dataset, form, settings, speeds))
            trainings.setdefault(form, Trainings()).add(info)
            page = _write(plan, done, trainings)
    return page


@dataclass(frozen=True)
class _Speeds:
    """How fast the fastest place is, the same for every model: of normal frames, and of each test clip."""

    usual: UsualScore
    of_clip: dict[str, Scores]

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        normal = [_speed_maps(clip) for clip in dataset.train]
        speeds = UsualSpeed.of(normal)
        found = {clip.name: speeds.scores(_speed_maps(clip)) for clip in dataset.test}
        return cls(UsualScore.of(speeds.scores(np.concatenate(normal))), found)


def _judge(
    plan: Plan, model: Decoupled, dataset: Dataset, form: str, settings: TrainingSettings, speeds: _Speeds
) -> Judged:
    architecture = model.architecture
    store = build_store(dataset.train, architecture.size, plan.runs / dataset.name / "normal-frames")
    seen, held_out = store.split(architecture.span)
    bank = CodeBank.of(encoded(model, frames_of(store, *run)).numpy() for run in seen)
    normal = [clip_codes(model, frames_of(store, *run)) for run in held_out]
    normal_errors = np.concatenate([_error_maps(each.differences) for each in normal])
    usual = UsualError.of(normal_errors)
    covariance = ErrorCovariance.of(each.differences for each in normal)
    usual_mean = UsualScore.of(mean(normal_errors))
    usual_rarity = UsualScore.of(mean(np.concatenate([bank.maps(each.observed) for each in normal])))
    folder = seed_folder(plan, dataset, form, settings.seed) / "horizons"
    horizons = Horizons(model, settings, store, seen, held_out, folder, plan)
    ahead = [horizons.scores(encoded(model, frames_of(store, *run)))[TOGETHER] for run in held_out]
    usual_ahead = UsualScore.of(np.concatenate([scores[architecture.warm_up :] for scores in ahead]))
    clips: dict[str, list[LabelledScores]] = {}
    for clip, labels in judged_clips(dataset, plan.say):
        with clip.open(architecture.size) as frames:
            observed = encoded(model, frames)
        codes = beside_predicted(model, observed)
        errors, rarity = _error_maps(codes.differences), bank.maps(codes.observed)
        found = variants(errors, usual)
        distances = pooled(covariance.maps(codes.differences))
        found |= {f"mahalanobis {name}": scores for name, scores in distances.items()}
        found["rarity mean"] = mean(rarity)
        # The geometric mean: neither has to be brought to the other's scale.
        found["mean, rarity"] = np.sqrt(mean(errors) * mean(rarity))
        unscored = np.full(architecture.warm_up, np.nan)
        # No frame is judged by one score alone: not those that a shorter horizon reaches.
        found |= {name: scores[len(unscored) :] for name, scores in horizons.scores(observed).items()}
        speed = found["speed"] = speeds.of_clip[clip.name][len(unscored) :]
        parts = {
            "mean": (mean(errors), usual_mean),
            "horizons": (found[TOGETHER], usual_ahead),
            "rarity": (mean(rarity), usual_rarity),
            "speed": (speed, speeds.usual),
        }
        for names in FUSED:
            chosen = [parts[name] for name in names]
            found[" + ".join(names)] = fused([scores for scores, _ in chosen], [usual for _, usual in chosen])
        for name, scores in found.items():
            all_scores = np.concatenate([unscored, scores])
            clips.setdefault(name, []).append(LabelledScores(clip.name, all_scores, labels))
    return {name: frame_level(judged) for name, judged in clips.items()}


def _speed_maps(clip: Clip) -> Maps:
    with clip.open() as frames:
        return speed_maps(frames)


def _error_maps(differences: Codes) -> Maps:
    """Eq. 2's error by place, float32 `(N, h, w)`."""
    return np.asarray(np.square(differences).mean(axis=1))


def _write(plan: Plan, done: dict[str, list[Judged]], trainings: dict[str, Trainings]) -> Path:
    first = next(iter(done.values()))[0]
    rows = [
        mean_row(
            plan,
            trainings[form],
            form=form,
            dataset="ped2",
            score=f"z {score}",
            metric=metric,
            values=[getattr(each[score], metric) for each in judged],
        )
        for form, judged in done.items()
        for score in first
        for metric in METRICS
    ]
    result = ResultFile(
        name=plan.name,
        command=plan.command,
        protocol=first["mean"].protocol,
        settings=settings_with_commits(plan, list(trainings.values())),
        remarks=[_remark(form, judged) for form, judged in done.items()],
        rows=rows,
        **describe_run(),
    )
    return write_page(result, plan.results, {})


def _remark(form: str, judged: list[Judged]) -> str:
    """Which scores are above Z-MSE whatever the seed, and by how much."""
    gains = []
    for score in judged[0]:
        points = {
            metric: [getattr(each[score], metric) - getattr(each["mean"], metric) for each in judged]
            for metric in ("auc_micro", "auc_macro", "auc_raw")
        }
        if min(points["auc_micro"]) > 0:
            by = ", ".join(f"{name.removeprefix('auc_')} {np.mean(of):+.1f}" for name, of in points.items())
            gains.append(f"{score} ({by})")
    return (
        f"Form {form}, seeds: {len(judged)}. Above Z-MSE (z mean) in micro AUC with every seed, by so many "
        f"points on average: {'; '.join(gains) or 'none'}."
    )


BEYOND = Experiment(
    name="beyond",
    paper="not in it",
    about="other scores from the latent codes",
    dataset="ped2",
    preset="ped2",
    # The motion models of other horizons take about as long again as the training.
    work=Work(trained=2 * 2550, scored=2400),
    quick_work=Work(trained=2 * 450, scored=900),
    run=reproduce_beyond,
)
