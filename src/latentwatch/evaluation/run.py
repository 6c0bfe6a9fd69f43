"""Scores the test clips of a data set with one model, and judges them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.fusion import Fusion
from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import UsageError
from latentwatch.evaluation.frame_level import METRICS, FrameLevel, LabelledScores, frame_level
from latentwatch.evaluation.pixel_level import ClipRegions, PixelLevel, pixel_level, regions_and_tracks
from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import ClipScores, score_clip
from latentwatch.scoring.camera import stream_clip
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.localise import boxes_from_map, unusual_places

Part = TypeVar("Part")

SCORES = ("z_mse", "p_mse", "r_mse")
"""Z-MSE (Eq. 2), and the rivals in pixels."""

FUSED = "fused"
"""Z-MSE and speed made one (`scoring.fusion`), of models whose file says how."""

TITLES = {"z_mse": "Z-MSE", "p_mse": "P-MSE", FUSED: "Z-MSE and speed"}
"""What plots and pages call them where Z-MSE is held against its rivals."""


def score_name(fusion: Fusion | None) -> str:
    """What a model of that fusion, or of none, scores by."""
    return FUSED if fusion else "z_mse"


@dataclass(frozen=True)
class Evaluation:
    """Scores of every test clip and their figures, by the name of the score (`SCORES`, `FUSED`).

    A baseline has one score, called by its name. localisation: RBDC and TBDC by the latent error map
    ("z_mse"), by the pixel prediction error ("p_mse") and by latent error and speed ("fused"); empty for a
    data set without masks and for a baseline.
    """

    clips: dict[str, list[LabelledScores]]
    figures: dict[str, FrameLevel]
    localisation: dict[str, PixelLevel]

    def by_metric(self) -> dict[tuple[str, str], float]:
        """Every figure there is, in percent, by score and metric: for the rows of a result."""
        found = {
            (score, metric): float(getattr(figure, metric))
            for score, figure in self.figures.items()
            for metric in METRICS
            if metric != "auc_macro" or figure.macro_clips  # a row of NaN could not be read again
        }
        for score, places in self.localisation.items():
            found |= {(score, "rbdc"): places.rbdc, (score, "tbdc"): places.tbdc}
        return found

    def renamed(self, score: str, name: str) -> "Evaluation":
        """The same with a score under another name: of a density, "z_mse" is no squared error but "z_nll"."""

        def under(parts: dict[str, Part]) -> dict[str, Part]:
            return {name if each == score else each: part for each, part in parts.items()}

        return Evaluation(under(self.clips), under(self.figures), under(self.localisation))


def evaluate_model(
    model: Decoupled,
    dataset: Dataset,
    calibration: Calibration,
    *,
    fusion: Fusion | None = None,
    detector: Detector | None = None,
    window: int | None = None,
    unscored_as_first: bool = False,
    say: Callable[[str], None] = print,
) -> Evaluation:
    """All `SCORES` on `dataset.test`, each judged over the frames that have it; no P-MSE without prediction.

    calibration: where an error map is above its threshold there is a box. fusion: of the model's file, for
    the fused score. detector: scores frame by frame on its engine, with its own fusion and without the pixel
    scores; without it PyTorch scores, in fp32.
    Raises `UsageError` where a clip has no labels, and as decoding and `frame_level` do.
    """
    names: tuple[str, ...] = SCORES if model.motion.predicts else ("z_mse", "r_mse")
    if detector is not None:
        names, fusion = ("z_mse",), detector.fusion
    if fusion is not None:
        names = (FUSED, *names)
    clips: dict[str, list[LabelledScores]] = {name: [] for name in names}
    regions: dict[str, list[ClipRegions]] = {FUSED: [], "z_mse": [], "p_mse": []}
    for clip, labels in judged_clips(dataset, say):
        with clip.open(model.architecture.size) as frames:
            scores = (
                stream_clip(detector, frames)
                if detector
                else score_clip(model, frames, pixel_scores=True, fusion=fusion)
            )
        for name in clips:
            clips[name].append(LabelledScores(clip.name, getattr(scores, name), labels))
        if clip.load_masks is not None:
            masks = clip.load_masks()
            for name, (places, limit) in _place_maps(scores, calibration, fusion).items():
                if places is not None and limit is not None:
                    regions[name].append(_regions(places, masks, limit))
    figures = {
        name: frame_level(part, window=window, unscored_as_first=unscored_as_first)
        for name, part in clips.items()
    }
    return Evaluation(clips, figures, {name: pixel_level(part) for name, part in regions.items() if part})


def _place_maps(
    scores: ClipScores, calibration: Calibration, fusion: Fusion | None
) -> dict[str, tuple[NDArray[np.float32] | None, float | None]]:
    """Maps `(N, h, w)` of a clip's frames by score, and their thresholds; None where there are none."""
    maps: dict[str, tuple[NDArray[np.float32] | None, float | None]] = {
        "z_mse": (scores.error_maps, calibration.place_threshold),
        "p_mse": (scores.pixel_maps, calibration.pixel_threshold),
    }
    if fusion is not None:
        maps[FUSED] = unusual_places(scores.error_maps, calibration, scores.speed_maps, fusion), 1
    return maps


def judged_clips(dataset: Dataset, say: Callable[[str], None]) -> Iterator[tuple[Clip, NDArray[np.bool_]]]:
    """The test clips with their labels, telling `say` of each when it is done with.

    Raises `UsageError` at a clip without labels.
    """
    for number, clip in enumerate(dataset.test, start=1):
        if clip.labels is None:
            raise UsageError(f"{dataset.name}: test clip {clip.name} has no labels to judge by")
        yield clip, clip.labels
        say(f"scored test clip {clip.name} ({number} of {len(dataset.test)})")


def _regions(error_maps: NDArray[np.float32], masks: NDArray[np.bool_], threshold: float) -> ClipRegions:
    """Detected and labelled boxes of the frames that have a score."""
    size = (masks.shape[1], masks.shape[2])
    known = np.flatnonzero(~np.isnan(error_maps[:, 0, 0]))
    labelled = regions_and_tracks(masks)
    detected = [boxes_from_map(error_maps[i], threshold, size) for i in known]
    return ClipRegions(detected, [labelled[i] for i in known])
