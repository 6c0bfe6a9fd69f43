"""Rows of a result from what the seeds gave."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from latentwatch.bundle.bundle import BundleInfo
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.seeds import Plan


@dataclass
class Trainings:
    """What the models of the seeds say of their training: minutes each took, and the commits that did it."""

    minutes: list[float] = field(default_factory=list)
    commits: set[str] = field(default_factory=set)

    def add(self, info: BundleInfo) -> None:
        """Takes in one more model."""
        self.minutes.append(float(info.provenance["minutes"]))
        self.commits.add(str(info.provenance.get("commit", "unknown")))


def mean_row(
    plan: Plan,
    trainings: Trainings,
    *,
    form: str,
    dataset: str,
    score: str,
    metric: str,
    values: Sequence[float],
    paper: float | None = None,
    engine: str | None = None,
) -> Row:
    """The mean of `values`, one a seed, with its confidence interval. engine: where rows differ by it."""
    value, ci95 = mean_ci95(values)
    return Row(
        preset=f"{plan.preset} {form}",
        dataset=dataset,
        score=score,
        metric=metric,
        value=value,
        ci95=ci95,
        seeds=len(values),
        minutes_per_seed=sum(trainings.minutes) / len(trainings.minutes),
        paper=paper,
        engine=engine,
        status=plan.status,
    )


def settings_with_commits(plan: Plan, trainings: Sequence[Trainings]) -> dict[str, str | int | float | bool]:
    """The plan's settings, and which commits trained."""
    commits = sorted({commit for each in trainings for commit in each.commits})
    return plan.shown_settings | {"trained_at_commit": ", ".join(commits)}


def of_seeds(seeds: int) -> str:
    """For a caption: what the bars about its points are."""
    return " of one seed" if seeds == 1 else f" with 95% confidence interval (Student's t) of {seeds} seeds"
