"""What `beyond` judges: every score that one model's latent codes give, after it has seen normal footage."""

from pathlib import Path

import numpy as np
from torch import Tensor

from latentwatch.datasets.dataset import Dataset
from latentwatch.experiments.horizons import TOGETHER, Horizons
from latentwatch.experiments.seeds import Plan
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.codes import Codes, beside_predicted, encoded
from latentwatch.scoring.flow import FlowMaps, flow_maps
from latentwatch.scoring.fusion import SMALLEST_SPEED, Scores, fused, usual_score
from latentwatch.scoring.hindsight import smoothed_in_hindsight
from latentwatch.scoring.mahalanobis import ErrorCovariance
from latentwatch.scoring.pooling import Maps, UsualError, mean, pooled, variants
from latentwatch.scoring.rarity import CodeBank
from latentwatch.scoring.usual_flow import UsualFlow, fastest
from latentwatch.training.frames import build_store, frames_of
from latentwatch.training.settings import TrainingSettings

FUSED = (
    {"mean": 1, "speed": 1},
    {"mean": 1, "speed": 2},
    {"mean": 1, "speed": 4},
    {"mean": 1, "rarity": 1, "speed": 2},
    {"horizons": 1, "speed": 2},
    {"horizons": 1, "rarity": 1, "speed": 2},
)
"""Scores that are made one by `scoring.fusion`, with their weights."""

IN_HINDSIGHT = ("mean", "speed", "mean + 2 speed", "horizons + 2 speed")
"""Scores that are judged smoothed by `scoring.hindsight`, too."""


class BeyondScores:
    """Learns from the normal footage of `dataset` what the scores of `model` need to know.

    folder: where the motion models of other horizons are, or will be.
    """

    def __init__(
        self,
        model: Decoupled,
        settings: TrainingSettings,
        dataset: Dataset,
        folder: Path,
        plan: Plan,
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
        seen_flow, flow = (
            [flow_maps(frames_of(store, *run), model.architecture.code_shape[1:]) for run in runs]
            for runs in (seen, held_out)
        )
        self._usual_flow = UsualFlow.of(seen_flow)
        normal_scores = {
            "mean": mean(errors),
            "horizons": np.concatenate(ahead),
            "rarity": mean(np.concatenate([self._bank.maps(each.observed) for each in normal])),
        }
        self._usual = {name: usual_score(scores) for name, scores in normal_scores.items()}
        speeds = np.concatenate([self._speed(maps) for maps in seen_flow + flow])
        self._usual["speed"] = usual_score(speeds, SMALLEST_SPEED)

    def of(self, observed: Tensor, flow: FlowMaps, *, distances: bool) -> dict[str, Scores]:
        """Scores `(N,)` of a clip by name; NaN for the first frames, which have no Z-MSE.

        observed: the clip's codes `(N, C, h, w)`. flow: its flow maps. distances: also those that rest on
        distances between codes, which take longer than all others.
        """
        codes = beside_predicted(self._model, observed)
        errors = _error_maps(codes.differences)
        found = variants(errors, self._usual_error)
        # No frame is judged by one score alone: not those that a shorter horizon reaches.
        found |= {name: scores[self._warm_up :] for name, scores in self._horizons.scores(observed).items()}
        found["speed"] = self._speed(flow)
        parts = {"mean": found["mean"], "horizons": found[TOGETHER], "speed": found["speed"]}
        if distances:
            mahalanobis = pooled(self._covariance.maps(codes.differences))
            found |= {f"mahalanobis {name}": scores for name, scores in mahalanobis.items()}
            found["rarity mean"] = parts["rarity"] = mean(self._bank.maps(codes.observed))
            # The geometric mean: neither has to be brought to the other's scale.
            found["mean, rarity"] = np.sqrt(found["mean"] * found["rarity mean"])
        for weights in FUSED:
            if not weights.keys() <= parts.keys():
                continue
            name = " + ".join(f"{weight} {part}".removeprefix("1 ") for part, weight in weights.items())
            usual = [self._usual[part] for part in weights]
            found[name] = fused([parts[part] for part in weights], usual, [*weights.values()])
        found |= {f"{name}, in hindsight": smoothed_in_hindsight(found[name]) for name in IN_HINDSIGHT}
        unscored = np.full(min(self._warm_up, len(observed)), np.nan)
        return {name: np.concatenate([unscored, scores]) for name, scores in found.items()}

    def _speed(self, maps: FlowMaps) -> Scores:
        """The relative speed of the fastest place, of the frames of a clip that have a Z-MSE."""
        return fastest(self._usual_flow.speeds(maps[self._warm_up :]))


def _error_maps(differences: Codes) -> Maps:
    """Eq. 2's error by place, float32 `(N, h, w)`."""
    return np.asarray(np.square(differences).mean(axis=1))
