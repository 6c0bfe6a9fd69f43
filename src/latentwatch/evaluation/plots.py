"""The pictures of a result, for screen and print."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from latentwatch.evaluation.frame_level import FrameLevel, LabelledScores
from latentwatch.scoring.normalise import normalise_clip

mpl.use("Agg")

BLUE, ORANGE, GREEN, PURPLE, SKY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
)  # distinguishable with any colour vision (Okabe and Ito)


def plot_roc(curves: dict[str, FrameLevel], path: Path) -> None:
    """ROC curves by name of score, with their micro AUC in the legend."""
    figure = Figure(figsize=(4.5, 4.2), layout="constrained")
    axes = figure.subplots()
    for (name, result), colour in zip(curves.items(), (BLUE, ORANGE, GREEN, PURPLE), strict=False):
        axes.plot(result.fpr, result.tpr, color=colour, label=f"{name}: AUC {result.auc_micro:.1f}%")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=0.8, linestyle=":")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(0, 1), ylim=(0, 1.005))
    axes.set_aspect("equal")
    axes.legend(loc="lower right", frameon=False)
    figure.savefig(path, dpi=150)


def error_bars(halves: Sequence[float | None]) -> list[float] | None:
    """The bars of points by half of their interval; None, which draws none, where no point has one."""
    return [half or 0 for half in halves] if any(halves) else None


def plot_sheet(pictures: Sequence[tuple[str, NDArray[np.uint8]]], path: Path, columns: int = 3) -> None:
    """Pictures uint8 `(H, W, 3)` under their titles, in rows of `columns`."""
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    height, width = pictures[0][1].shape[:2]
    figure = Figure(figsize=(3.2 * columns, (3.2 * height / width + 0.3) * rows), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (title, picture) in zip(grid, pictures, strict=False):
        axes.imshow(picture)
        axes.set_title(title, fontsize=9)
    for axes in grid:
        axes.set_axis_off()
    figure.savefig(path, dpi=150)


def plot_clips(clips: Sequence[LabelledScores], path: Path) -> None:
    """The normalised anomaly score of each clip over its frames, labelled spans shaded."""
    columns = min(3, len(clips))
    rows = -(-len(clips) // columns)
    figure = Figure(figsize=(3.6 * columns, 1.7 * rows), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, clip in zip(grid.flat, clips, strict=False):
        axes.fill_between(
            np.arange(len(clip.labels)),
            clip.labels.astype(float),
            color=ORANGE,
            alpha=0.2,
            step="mid",
            linewidth=0,
        )
        axes.plot(normalise_clip(clip.scores), color=BLUE, linewidth=1)
        axes.set(title=f"clip {clip.name}", ylim=(0, 1.03), xlim=(0, max(len(clip.labels) - 1, 1)))
        axes.title.set_fontsize(9)
        axes.tick_params(labelsize=8)
    for axes in list(grid.flat)[len(clips) :]:
        axes.set_visible(False)
    figure.supxlabel("frame (shaded: labelled anomalous)", fontsize=9)
    figure.supylabel("anomaly score (Eq. 3)", fontsize=9)
    figure.savefig(path, dpi=150)


def plot_scores(
    times: NDArray[np.float64],
    scores: NDArray[np.float64],
    threshold: float,
    title: str,
    path: Path,
    name: str = "Z-MSE",
) -> None:
    """The anomaly score of unlabelled footage over time, with the threshold. name: of the score."""
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    axes = figure.subplots()
    axes.plot(times, scores, color=BLUE, linewidth=1)
    axes.axhline(threshold, color=ORANGE, linewidth=1, linestyle="--", label="threshold")
    above = scores > threshold  # a frame without a score (NaN) is not
    axes.fill_between(
        times, 0, 1, where=above, color=ORANGE, alpha=0.2, linewidth=0, transform=axes.get_xaxis_transform()
    )
    axes.set(xlabel="seconds", ylabel=f"anomaly score ({name})", title=title)
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=150)
