"""What one seed's model reached, by what it was judged on, kept beside it: a stopped experiment goes on."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from latentwatch.bundle.file import checksum_of
from latentwatch.bundle.provenance import software
from latentwatch.datasets.dataset import Dataset
from latentwatch.evaluation.frame_level import METRICS, LabelledScores, frame_level
from latentwatch.experiments.seeds import Plan, seed_folder
from latentwatch.whole_file import whole_file

Figures = dict[str, dict[str, float]]
"""AUC and EER in percent, by score and metric."""


class KeptFigures:
    """The figures of one model in one experiment.

    figures, protocols: by the name of what it was judged on; commits: of the program that judged. file: where
    they are kept; those of another model than `model_file` are of no use.
    """

    def __init__(self, file: Path, model_file: Path) -> None:
        self._file, self._model = file, checksum_of(model_file)
        before: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        if before.get("model") != self._model or "commits" not in before:
            before = {"figures": {}, "protocols": {}, "commits": {}}
        self.figures: dict[str, Figures] = before["figures"]
        self.protocols: dict[str, str] = before["protocols"]
        self.commits: dict[str, str] = before["commits"]

    def judge(self, name: str, clips: Mapping[str, Sequence[LabelledScores]]) -> None:
        """Judges what was scored, by the name of the score, and keeps it. Raises as `frame_level`."""
        judged = {score: frame_level(parts) for score, parts in clips.items()}
        self.figures[name] = {
            score: {metric: getattr(figure, metric) for metric in METRICS} for score, figure in judged.items()
        }
        self.protocols[name] = next(iter(judged.values())).protocol
        self.commits[name] = str(software()["commit"])
        kept = {"figures": self.figures, "protocols": self.protocols, "commits": self.commits}
        with whole_file(self._file) as part:
            part.write_text(json.dumps({"model": self._model} | kept))


def judged_at(kept: Iterable[KeptFigures]) -> dict[str, str]:
    """For the settings of a result: the commits that judged, which may be older than the page."""
    commits = {commit for each in kept for commit in each.commits.values()}
    return {"judged_at_commit": ", ".join(sorted(commits))}


def kept_figures(plan: Plan, dataset: Dataset, form: str, seed: int, name: str) -> KeptFigures:
    """Those of a trained seed in the experiment `name`."""
    folder = seed_folder(plan, dataset, form, seed)
    return KeptFigures(folder / f"{name}.json", folder / f"{dataset.name}.lw")
