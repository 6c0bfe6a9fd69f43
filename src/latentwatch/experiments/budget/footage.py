"""What is watched: clips, the model that learned others of the same camera, and their scores, kept."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.registry import open_dataset
from latentwatch.engines.choose import open_engine
from latentwatch.experiments.budget.count import Scored
from latentwatch.experiments.seeds import Plan, seed_folder, trained_model
from latentwatch.experiments.small_street import ARCHITECTURE, SIZE, anomaly_clips, normal_clips
from latentwatch.scoring.camera import detector_of
from latentwatch.training.settings import FORMS
from latentwatch.whole_file import whole_file

FORM = "joint"


@dataclass(frozen=True)
class Amounts:
    """How much of the street is seen.

    train, run: clips to learn from, and the frames of each. parts: of the normal footage, of which each
    calibrates in its turn; clips, frames: of a part, and of a clip. tests, test: clips with an anomaly, and
    the frames of each.
    """

    train: int = 16
    run: int = 80
    epochs: int = 8
    parts: int = 4
    clips: int = 24
    frames: int = 3000
    tests: int = 28
    test: int = 160


QUICK = Amounts(train=6, epochs=3, parts=2, clips=12, frames=600, tests=7)

PED2_EPOCHS = 12

FOLDS = 3


@dataclass(frozen=True)
class Street:
    """The scores of one seed: normal footage in parts, and clips with an anomaly. engine: what scored."""

    parts: list[list[Scored]]
    tests: list[Scored]
    engine: str


def street_scores(plan: Plan, amounts: Amounts, seed: int) -> Street:
    """Trains on the street and scores it, with the model of one seed; takes up what `plan.runs` holds.

    Each seed watches other people, in other light. Raises as training and scoring do.
    """
    learned = Dataset("street", normal_clips(amounts.train, amounts.run), [], "ped2")
    total = amounts.parts * amounts.clips
    # Clips far from those that are learned from: their number is the seed of who walks there, and how bright.
    first = 100 + seed * total
    scorer = _Scorer(plan, learned, amounts.epochs, seed)
    watched = scorer.scores("normal", total, partial(normal_clips, total, amounts.frames, first=first))
    return Street(
        [watched[part * amounts.clips : (part + 1) * amounts.clips] for part in range(amounts.parts)],
        scorer.scores("tests", amounts.tests, partial(anomaly_clips, amounts.tests, amounts.test)),
        scorer.engine,
    )


def ped2_scores(plan: Plan, seed: int) -> list[tuple[list[Scored], list[Scored]]]:
    """For each of three folds, the scores of the clips that calibrate and of those that are watched.

    A fold learns from every third clip of Ped2's normal ones; the next third calibrates, the last is watched.
    So each clip is watched once, by a model and a budget that have not seen it. Raises as training and
    scoring do.
    """
    dataset = open_dataset("ped2", plan.data)
    folds = []
    for fold in range(FOLDS):
        learned, calibrating, watched = (dataset.train[(fold + i) % FOLDS :: FOLDS] for i in range(FOLDS))
        scorer = _Scorer(plan, Dataset(f"ped2-fold-{fold}", learned, [], "ped2"), PED2_EPOCHS, seed)
        clips = [*calibrating, *watched]
        scores = scorer.scores("normal", len(clips), partial(list, clips))
        folds.append((scores[: len(calibrating)], scores[len(calibrating) :]))
    return folds


class _Scorer:
    """The model of one seed, trained on `dataset` unless it is there; keeps what it scores beside it."""

    def __init__(self, plan: Plan, dataset: Dataset, epochs: int, seed: int) -> None:
        settings = FORMS[FORM].model_copy(update={"epochs": epochs})
        own = replace(
            plan, architecture=ARCHITECTURE, forms={FORM: settings}, runs=plan.runs / "budget", compiled=False
        )
        model, info = trained_model(own, dataset, FORM, seed)
        engine = open_engine(model)
        self.engine = str(engine)
        self._detector = detector_of(model, info, engine)
        self._trained = f"{info.provenance.get('trained')} {engine}"
        self._folder = seed_folder(own, dataset, FORM, seed) / "scores"
        self._who, self._say = f"{dataset.name}, seed {seed}", plan.say

    def scores(self, what: str, count: int, make: Callable[[], Sequence[Clip]]) -> list[Scored]:
        """The scores of `count` clips, in files that are named after `what`.

        make: gives the clips; not called where all files are there.
        """
        files = [self._folder / f"{what}-{number:03}.npz" for number in range(count)]
        known = {file: kept for file in files if (kept := self._read(file)) is not None}
        missing = [file for file in files if file not in known]
        clips = dict(zip(files, make(), strict=True)) if missing else {}
        began = time.monotonic()
        for done, file in enumerate(missing, start=1):
            known[file] = self._score(clips[file])
            self._write(file, known[file])
            left = (time.monotonic() - began) / done * (len(missing) - done)
            self._say(
                f"{self._who}: {what} clip {count - len(missing) + done} of {count} scored, "
                f"about {left / 60:.0f} min left"
            )
        return [known[file] for file in files]

    def _score(self, clip: Clip) -> Scored:
        self._detector.reset()
        with clip.open(SIZE) as frames:
            found = [self._detector.step(frame) for frame in frames]
        scores = np.array([np.nan if each is None else each.score for each in found], dtype=np.float64)
        return Scored(scores, np.zeros(len(scores), dtype=bool) if clip.labels is None else clip.labels)

    def _read(self, file: Path) -> Scored | None:
        """What a file holds; None where there is none, or it is of another model or engine."""
        if not file.is_file():
            return None
        with np.load(file) as kept:
            if str(kept["trained"]) != self._trained:
                return None
            return Scored(kept["scores"], kept["labels"])

    def _write(self, file: Path, scored: Scored) -> None:
        with whole_file(file) as part, part.open("wb") as opened:
            np.savez(opened, scores=scored.scores, labels=scored.labels, trained=np.array(self._trained))
