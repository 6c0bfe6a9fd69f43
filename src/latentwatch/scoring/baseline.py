"""A trained baseline: its model file, its threshold, and the detector that runs it."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from latentwatch.baselines.registry import SYSTEMS, build
from latentwatch.baselines.scorer import Baseline, BaselineSettings, Scorer
from latentwatch.bundle.file import check_schema, read_model_file, system_in, write_model_file
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.scoring.calibration import QUANTILE
from latentwatch.scoring.detector import Result
from latentwatch.video.frame import Frame
from latentwatch.video.resize import resize

SCHEMA = 1
"""Version of the file's form. A reader refuses newer files."""


class BaselineInfo(BaseModel):
    """All of a baseline's file but its weights.

    threshold: the score above which a frame is called unusual; frames: how many scored held-out frames it
    rests on. provenance: free-form facts of the training run.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    schema_version: int = SCHEMA
    settings: BaselineSettings
    fps: float = Field(gt=0)
    threshold: float
    frames: int = Field(ge=1)
    provenance: dict[str, Any] = {}


def save_baseline(path: Path, model: Baseline, info: BaselineInfo) -> None:
    """Writes the file, whole or not at all. A critic is left out: it has no part in scoring.

    Raises `LatentwatchError` where it cannot be written.
    """
    weights = {name: each for name, each in model.state_dict().items() if not name.startswith("critic.")}
    write_model_file(path, weights, info.model_dump_json())


def load_baseline(path: Path) -> tuple[Baseline, BaselineInfo]:
    """The model, in evaluation mode and without a critic, and its description.

    Raises `UsageError` where there is no such file or it holds no baseline, and `LatentwatchError` where it
    is no model file, cut short, altered, or of a newer schema.
    """
    tensors, text = read_model_file(path)
    system = system_in(text)
    if system not in SYSTEMS:
        raise UsageError(f"{path}: a model of {system}, not of {', '.join(SYSTEMS)}")
    try:
        check_schema(path, text, SCHEMA)
        info = BaselineInfo.model_validate_json(text)
    except ValueError as error:
        raise LatentwatchError(f"{path}: its description is not valid: {error}".splitlines()[0]) from error
    model = build(info.settings)
    model.critic = None
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise LatentwatchError(f"{path}: its weights do not fit its settings") from error
    return model.eval(), info


def calibrate_baseline(
    model: Baseline, clips: Sequence[NDArray[np.uint8]], batch: int = 4
) -> tuple[float, int]:
    """Fits the terms of the score to held-out normal clips, uint8 `(N, H, W, 3)` each.

    Gives the threshold, which 99.5% of their frames stay below, and the number of frames it rests on. Raises
    `LatentwatchError` where no clip is long enough for a score.
    """
    model.eval()
    length = model.clip_length
    parts = []
    with torch.inference_mode():
        for clip in clips:
            for first in range(0, len(clip) - length + 1, batch):
                last = min(first + batch, len(clip) - length + 1)
                pictures = model.pictures(torch.from_numpy(np.array(clip[first : last + length - 1])))
                parts.append(model.terms(pictures.unfold(0, length, 1).movedim(-1, 1)))
        if not parts:
            raise LatentwatchError("no held-out frame has a score: the clips are too short to calibrate on")
        terms = torch.cat(parts)
        model.fit_terms(terms)
        scores = model.combine(terms).double().numpy()
    return float(np.quantile(scores, QUANTILE)), len(scores)


class BaselineDetector:
    """Scores the frames of one camera as they come, like `Detector`. It says when, not where.

    Results have empty maps and no boxes.
    """

    def __init__(self, scorer: Scorer, threshold: float) -> None:
        self._scorer = scorer
        self._threshold = threshold

    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""
        self._scorer.reset()

    def step(self, frame: Frame) -> Result | None:
        """Takes the next frame, of any size; None until `frames_needed` have been seen."""
        score = self._scorer.step(resize(frame.rgb, self._scorer.size))
        if score is None:
            return None
        nothing = np.empty((0, 0), dtype=np.float32)
        return Result(frame.index, frame.time, score, score > self._threshold, [], nothing, nothing)


def stream_scores(scorer: Scorer, frames: Iterable[Frame]) -> NDArray[np.float64]:
    """The scores of one clip's frames at the input size, `(N,)`; NaN where a frame has none."""
    scorer.reset()
    scores = [scorer.step(frame.rgb) for frame in frames]
    return np.array([np.nan if score is None else score for score in scores], dtype=np.float64)
