"""What an experiment is, what it costs, and what is known of it: all that `latentwatch reproduce` needs."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from pydantic import ValidationError

from latentwatch.datasets.registry import open_dataset, present
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.experiments.seeds import Plan
from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.models.presets import Architecture

SCORING_SHARE = 1 / 3
"""Time to score a frame, decoder included, over the time to train on it: the step back takes the rest."""


@dataclass(frozen=True)
class Work:
    """Frames that one seed in one form of training takes.

    trained: frames of an epoch, of all models of that seed together. scored: frames scored afterwards.
    """

    trained: float
    scored: float


@dataclass(frozen=True)
class Experiment:
    """One table or figure of the paper.

    paper: which one. about: what it shows, in a few words. dataset: name for `open_dataset`, None where no
    data is needed. preset: of Table 1. quick_work: the work with `--quick`. run: does it all, writes the page
    and gives its path. real_minutes, quick_real_minutes: what is measured in real time besides. one_seed:
    whether it takes the first seed's model alone. any_of: instead of `dataset`, the names of which it takes
    those that are there.
    """

    name: str
    paper: str
    about: str
    dataset: str | None
    preset: str
    work: Work
    quick_work: Work
    run: Callable[[Plan], Path]
    real_minutes: float = 0
    quick_real_minutes: float = 0
    one_seed: bool = False
    any_of: tuple[str, ...] = ()

    @property
    def datasets(self) -> tuple[str, ...]:
        """All that `dataset` and `any_of` name."""
        return (self.dataset, *self.any_of) if self.dataset else self.any_of

    def check_data(self, data: Path | None) -> None:
        """Raises `UsageError` where the data is not in the folder `data`."""
        if self.dataset:
            open_dataset(self.dataset, data)
        if self.any_of:
            present(self.any_of, data)

    def minutes(self, plan: Plan) -> float:
        """About how long `plan` takes on this machine if nothing of it is done yet; measures a moment."""
        work = self.quick_work if plan.quick else self.work
        frames = sum(
            work.trained * settings.epochs + work.scored * SCORING_SHARE for settings in plan.forms.values()
        )
        real = self.quick_real_minutes if plan.quick else self.real_minutes
        seeds = 1 if self.one_seed else plan.seeds
        return seeds * frames * seconds_a_frame(plan.architecture) / 60 + real


@cache
def seconds_a_frame(architecture: Architecture) -> float:
    """How long this machine takes to train on one frame, measured on a single step of made-up frames.

    In processor time over the threads used, so that other work beside does not count.
    """
    model = Decoupled(architecture)
    rgb = torch.randint(256, (architecture.span + 1, *architecture.size, 3), dtype=torch.uint8)

    def step() -> None:
        frames = model.foreground(rgb)
        codes, skips = model.encode(frames)
        rebuilt = model.decode(codes[1:], [skip[:-1] for skip in skips])
        predicted = model.predict(windows(codes, architecture.k, architecture.horizon))
        loss = (rebuilt - frames[1:]).square().sum() + (predicted - codes[-2:]).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]

    step()  # the first allocates
    began = time.process_time()
    step()
    return (time.process_time() - began) / torch.get_num_threads() / len(rgb)


def state(name: str, folder: Path) -> str:
    """What `folder` holds of the experiment: "measured", "quick" or "no result", with seeds and date."""
    for file in (folder / f"{name}.json", folder / f"{name}-quick.json"):
        if not file.is_file():
            continue
        try:
            result = ResultFile.model_validate_json(file.read_text())
        except (OSError, ValidationError):
            return f"{file} is damaged"
        ours = [row for row in result.rows if row.status != "quoted"]
        if ours:
            return f"{ours[0].status}, seeds: {ours[0].seeds}, {result.date}"
    return "no result"
