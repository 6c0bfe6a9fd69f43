"""A result takes the place of an older one when it is whole, not while it is being made."""

import shutil
from dataclasses import replace
from pathlib import Path

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.overview import write_overview
from latentwatch.evaluation.results import make_folder
from latentwatch.experiments.experiment import Experiment
from latentwatch.experiments.seeds import Plan


def unfinished(plan: Plan) -> Path:
    """Where the page of an experiment is until it is whole."""
    return plan.runs / "unfinished" / plan.name


def published(experiment: Experiment, plan: Plan) -> Path:
    """Runs the experiment, then moves its files to `plan.results` and writes the overview there anew.

    Gives the page. Raises as the experiment does, and `LatentwatchError` where the files cannot be moved.
    """
    folder = unfinished(plan)
    make_folder(folder)
    page = experiment.run(replace(plan, results=folder))
    try:
        for file in sorted(folder.iterdir()):
            shutil.move(file, plan.results / file.name)
        shutil.rmtree(folder)
    except OSError as error:
        raise LatentwatchError(
            f"{plan.results}: the result cannot be moved there from {folder}: {error}"
        ) from error
    write_overview(plan.results)
    return plan.results / page.name
