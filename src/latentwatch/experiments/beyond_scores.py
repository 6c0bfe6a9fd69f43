"""What `beyond` judges: every score that one model's latent codes give, after it has seen normal footage."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from latentwatch.datasets.dataset import Dataset
from latentwatch.experiments.horizons import TOGETHER, Horizons
from latentwatch.experiments.seeds import Plan
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.codes import Codes, beside_predicted, encoded
from latentwatch.scoring.fusion import Scores, UsualScore, fused
from latentwatch.scoring.mahalanobis import ErrorCovariance
from latentwatch.scoring.pooling import Maps, UsualError, mean, pooled, variants
from latentwatch.scoring.rarity import CodeBank
from latentwatch.training.frames import build_store, frames_of
from latentwatch.training.settings import TrainingSettings

FUSED = (
    ("mean", "speed"),
    ("mean", "rarity", "speed"),
    ("horizons", "speed"),
    ("horizons", "rarity", "speed"),
)
"""Scores that are made one, by `scoring.fusion`."""


class BeyondScores:
    """Learns from the normal footage of `dataset` what the scores of `model` need to know.

    folder: where the motion models of other horizons are, or will be. usual_speed: of normal frames.
    """

    def __init__(
        self,
        model: Decoupled,
        settings: TrainingSettings,
        dataset: Dataset,
        folder: Path,
        plan: Plan,
        usual_speed: UsualScore,
    ) -> None:
        self._model = model
        self._warm_up = model.architecture.warm_up
        store = build_store(
            dataset.train, model.architecture.size, plan.runs / dataset.name / "normal-frames"
        )
        seen, held_out = store.split(model.architecture.span)
        self._bank = CodeBank.of(encoded(model, frames_of(store, *run)).numpy() for run in seen)
        codes = [encoded(model, frames_of(store, *run)) for run in held_out]
        normal = [beside_predicted(model, each) for each in codes]
        errors = np.concatenate([_error_maps(each.differences) for each in normal])
        self._usual_error = UsualError.of(errors)
        self._covariance = ErrorCovariance.of(each.differences for each in normal)
        self._horizons = Horizons(model, settings, store, seen, codes, folder, plan)
        ahead = [self._horizons.scores(each)[TOGETHER][self._warm_up :] for each in codes]
        self._usual = {
            "mean": UsualScore.of(mean(errors)),
            "horizons": UsualScore.of(np.concatenate(ahead)),
            "rarity": _usual_rarity(self._bank, [each.observed for each in normal]),
            "speed": usual_speed,
        }

    def of(self, observed: Tensor, speed: Scores) -> dict[str, Scores]:
        """Scores `(N,)` of a clip by name; NaN for the first frames, which have no Z-MSE.

        observed: the clip's codes `(N, C, h, w)`. speed: how fast the fastest place of each frame is, `(N,)`.
        """
        codes = beside_predicted(self._model, observed)
        errors, rarity = _error_maps(codes.differences), self._bank.maps(codes.observed)
        found = variants(errors, self._usual_error)
        distances = pooled(self._covariance.maps(codes.differences))
        found |= {f"mahalanobis {name}": scores for name, scores in distances.items()}
        found["rarity mean"] = mean(rarity)
        # The geometric mean: neither has to be brought to the other's scale.
        found["mean, rarity"] = np.sqrt(mean(errors) * mean(rarity))
        # No frame is judged by one score alone: not those that a shorter horizon reaches.
        found |= {name: scores[self._warm_up :] for name, scores in self._horizons.scores(observed).items()}
        found["speed"] = speed[self._warm_up :]
        parts = {
            "mean": found["mean"],
            "horizons": found[TOGETHER],
            "rarity": found["rarity mean"],
            "speed": found["speed"],
        }
        for names in FUSED:
            usual = [self._usual[name] for name in names]
            found[" + ".join(names)] = fused([parts[name] for name in names], usual)
        unscored = np.full(min(self._warm_up, len(observed)), np.nan)
        return {name: np.concatenate([unscored, scores]) for name, scores in found.items()}


def _usual_rarity(bank: CodeBank, codes: Sequence[Codes]) -> UsualScore:
    return UsualScore.of(mean(np.concatenate([bank.maps(each) for each in codes])))


def _error_maps(differences: Codes) -> Maps:
    """Eq. 2's error by place, float32 `(N, h, w)`."""
    return np.asarray(np.square(differences).mean(axis=1))
