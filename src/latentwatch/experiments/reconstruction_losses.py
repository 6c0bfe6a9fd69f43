"""Table 4: six reconstruction losses, and what each does to the three scores.

The paper's figures are on CUHK Avenue, which cannot be had here; ours are on UCSD Ped2. So directions can be
compared, not values: the paper finds that the losses beyond MSE help R-MSE and harm Z-MSE.
"""

from pathlib import Path

from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.variants import (
    Done,
    Figures,
    Variant,
    auc_rows,
    quoted_rows,
    reproduce_variants,
)
from latentwatch.models.losses import GDL, SSIM


def _paper(r: tuple[float, float], z: tuple[float, float], p: tuple[float, float]) -> Figures:
    return {"r_mse": r, "z_mse": z, "p_mse": p}


VARIANTS = (
    Variant("mse", _paper((83.7, 0.3), (89.2, 0.2), (88.8, 0.3))),
    Variant("gdl", _paper((85.7, 1.2), (84.2, 0.1), (88.4, 0.3)), reconstruction="gdl"),
    Variant("ssim", _paper((80.1, 1.0), (85.2, 0.7), (88.7, 0.3)), reconstruction="ssim"),
    Variant("mse+gdl", _paper((84.7, 0.7), (86.0, 0.3), (88.6, 0.2)), reconstruction="mse+gdl"),
    Variant("mse+ssim", _paper((81.1, 0.9), (85.0, 0.2), (88.7, 0.1)), reconstruction="mse+ssim"),
    Variant("mse+gdl+ssim", _paper((85.5, 0.8), (84.4, 0.5), (88.0, 0.8)), reconstruction="mse+gdl+ssim"),
)
"""With the paper's Table 4 (CUHK Avenue)."""


def reproduce_reconstruction_losses(plan: Plan) -> Path:
    """Trains and judges each loss; writes the page and the JSON anew after every model.

    Gives the page; raises `UsageError` for a plan of more than one form, and as its parts do.
    """

    def rows_of(variant: Variant, done: Done) -> list[Row]:
        return [*auc_rows(plan, variant, done, same_data=False), *quoted_rows([variant], "avenue")]

    return reproduce_variants(
        plan,
        VARIANTS,
        "avenue",
        rows_of,
        f"losses summed over a frame's values, weights 1 for MSE, {GDL} for GDL, {SSIM} for 1 - SSIM; "
        "quoted rows are the paper's, on another data set",
        "The paper (Table 4, Avenue): R-MSE gains from GDL, Z-MSE is best with MSE alone.",
    )


TABLE4 = Experiment(
    name="table4",
    paper="Table 4",
    about="six reconstruction losses: R, Z and P for each",
    dataset="ped2",
    preset="ped2",
    work=Work(trained=6 * 2550, scored=6 * 2010),
    quick_work=Work(trained=6 * 450, scored=6 * 690),
    run=reproduce_reconstruction_losses,
)
