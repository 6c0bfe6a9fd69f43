"""What was labelled and what was told, over the time of each camera's film."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from latentwatch.experiments.live.measured import Shown

LABEL, ALARM, FALSE = "#e8a33d", "#2b6cb0", "#c53030"


def plot_events(shown: Mapping[str, Shown], path: Path) -> None:
    """A row a camera: labelled spans as a band, alarms as bars in it, where each clip begins."""
    figure = Figure(figsize=(11, 0.6 + 0.9 * len(shown)), layout="constrained")
    axes = figure.subplots()
    for row, each in enumerate(shown.values()):
        for first, last in each.spans:
            axes.barh(row, last - first, left=first, height=0.7, color=LABEL, alpha=0.45, lw=0)
        for first, last in each.alarms:
            is_false = not any(first < stop and last >= start for start, stop in each.spans)
            axes.barh(
                row, max(last - first, 0.4), left=first, height=0.28, color=FALSE if is_false else ALARM, lw=0
            )
        for at, name in each.clips:
            axes.plot([at, at], [row - 0.42, row + 0.42], color="#999999", lw=0.6)
            if name.startswith("test "):
                axes.text(at + 0.4, row + 0.37, name.removeprefix("test "), fontsize=6, va="bottom")
    axes.set_yticks(range(len(shown)), list(shown))
    axes.set(xlabel="seconds of the film", ylim=(len(shown) - 0.4, -0.6), xlim=(0, None))
    for colour, alpha, label in (
        (LABEL, 0.45, "labelled anomaly"),
        (ALARM, 1, "alarm"),
        (FALSE, 1, "false alarm"),
    ):
        axes.barh(0, 0, color=colour, alpha=alpha, label=label)
    figure.legend(ncols=3, frameon=False, fontsize=8, loc="outside upper center")
    figure.savefig(path, dpi=150)
