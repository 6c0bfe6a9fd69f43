"""Motion models that look less or further ahead than the paper's six frames, fitted to finished codes.

No gradient reaches the encoder, which has learned with the model's own. So the one of the usual horizon,
fitted anew, shows what the fit itself gives or takes, and all of them together what it gives to predict a
frame from several distances.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor

from latentwatch.experiments.seeds import Plan
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import HORIZON
from latentwatch.scoring.codes import beside_predicted
from latentwatch.scoring.pooling import mean
from latentwatch.training.frames import FrameStore, Run
from latentwatch.training.settings import TrainingSettings
from latentwatch.training.warm_up import fit_motion
from latentwatch.whole_file import whole_file

HORIZONS = (3, HORIZON, 9)
"""Frames ahead."""

TOGETHER = f"mean, horizons {', '.join(map(str, HORIZONS))}"
"""The score of all of them."""


class Horizons:
    """The motion model of each horizon, fitted to the codes of `seen`, or taken from `folder`.

    normal: codes `(N, C, h, w)` of held-out normal clips, by whose usual error each horizon's errors are
    divided before they are averaged.
    """

    def __init__(
        self,
        model: Decoupled,
        settings: TrainingSettings,
        store: FrameStore,
        seen: Sequence[Run],
        normal: Sequence[Tensor],
        folder: Path,
        plan: Plan,
    ) -> None:
        self._models = {
            horizon: _fitted(model, horizon, settings, store, seen, folder, plan) for horizon in HORIZONS
        }
        self._usual = {
            horizon: float(np.nanmean(np.concatenate([_errors(other, codes) for codes in normal])))
            for horizon, other in self._models.items()
        }

    def scores(self, codes: Tensor) -> dict[str, NDArray[np.float64]]:
        """Scores `(N,)` of a clip's codes `(N, C, h, w)` by name; NaN where no horizon reaches."""
        errors = {
            horizon: _errors(model, codes) / self._usual[horizon] for horizon, model in self._models.items()
        }
        found = {f"mean, horizon {horizon} refitted": each for horizon, each in errors.items()}
        together = np.stack(list(errors.values()))
        known = ~np.isnan(together)
        total, count = np.where(known, together, 0).sum(axis=0), known.sum(axis=0)
        found[TOGETHER] = np.where(count, total / np.maximum(count, 1), np.nan)
        return found


def _fitted(
    model: Decoupled,
    horizon: int,
    settings: TrainingSettings,
    store: FrameStore,
    seen: Sequence[Run],
    folder: Path,
    plan: Plan,
) -> Decoupled:
    torch.manual_seed(settings.seed)
    other = Decoupled(model.architecture.model_copy(update={"horizon": horizon}))
    other.encoder.load_state_dict(model.encoder.state_dict())
    other.background.copy_(model.background)
    file = folder / f"motion-{horizon}.safetensors"
    if file.is_file():
        other.motion.load_state_dict(load_file(file))
        return other.eval()
    plan.say(f"motion model for {horizon} frames ahead")
    folder.mkdir(parents=True, exist_ok=True)
    codes = folder / "codes.bin"
    fit_motion(
        other,
        store,
        [run for run in seen if run[1] - run[0] >= other.architecture.span],
        codes,
        passes=settings.warm_up_passes,
        gamma=settings.gamma,
        seed=settings.seed,
        say=plan.say,
    )
    codes.unlink()
    with whole_file(file) as part:
        save_file(other.motion.state_dict(), part)
    return other.eval()


def _errors(model: Decoupled, codes: Tensor) -> NDArray[np.float64]:
    """Eq. 2 for each of a clip's codes; NaN for the first, which no window reaches."""
    differences = beside_predicted(model, codes).differences
    scores = np.full(len(codes), np.nan)
    scores[len(codes) - len(differences) :] = mean(np.square(differences).mean(axis=1))
    return scores
