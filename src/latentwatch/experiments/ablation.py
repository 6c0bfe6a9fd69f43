"""Beyond the paper: what each part of the form of training that is our default gives, taken away alone.

Nothing is chosen by it: the default was chosen on training footage.
"""

from pathlib import Path

from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.variants import (
    Done,
    Variant,
    auc_rows,
    reproduce_variants,
)

VARIANTS = (
    Variant("as it is"),
    Variant("no variance", settings={"variance": 0.0}),
    Variant("no contrast", settings={"speed_contrast": 0.0}),
    Variant("stopped", settings={"latent_gradient": "stop"}),
)

PROTOCOL = (
    "no variance: without the term that keeps the code's variance over time; no contrast: sped-up footage is "
    "not held up as what must not be predicted; stopped: the prediction loss does not reach the encoder"
)


def reproduce_ablation(plan: Plan) -> Path:
    """Trains and judges each variant; writes the page and the JSON anew after every model.

    Gives the page; raises `UsageError` for a plan of more than one form, and as its parts do.
    """

    def rows_of(variant: Variant, done: Done) -> list[Row]:
        return auc_rows(plan, variant, done, same_data=False)

    return reproduce_variants(plan, VARIANTS, None, rows_of, PROTOCOL, "Not in the paper.")


ABLATION = Experiment(
    name="ablation",
    paper="not in it",
    about="the default form of training without each of its parts: R, Z and P",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=4 * 2550, scored=4 * 2010),
    quick_work=Work(trained=4 * 450, scored=4 * 690),
    run=reproduce_ablation,
)
