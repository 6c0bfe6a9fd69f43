"""Table 5 and Section 6.3: three motion models, their scores, and how soon each finds an anomaly."""

from pathlib import Path

from latentwatch.evaluation.delay import AFTER, detection_delay, threshold_at
from latentwatch.evaluation.result_file import Row
from latentwatch.experiments.experiment import Experiment, Work
from latentwatch.experiments.seeds import Plan
from latentwatch.experiments.variants import (
    Done,
    Variant,
    auc_rows,
    reproduce_variants,
    row,
)

VARIANTS = (
    Variant("conv3d", {"r_mse": (91.3, 0.5), "z_mse": (95.1, 0.4), "p_mse": (90.9, 0.5)}),
    Variant(
        "conv-lstm",
        {"r_mse": (87.5, 0.1), "z_mse": (94.1, 0.1), "p_mse": (90.3, 0.8)},
        motion="conv-lstm",
    ),
    Variant("autoregressive", {"r_mse": (81.37, 0.2), "z_mse": (92.31, 0.3)}, motion="autoregressive"),
)
"""With the paper's Table 5 (UCSD Ped2)."""


FALSE_ALARMS = 0.1
"""Share of normal test frames above the threshold of each model, so that none is sooner by sounding more."""

PROTOCOL = (
    "z_nll: negative log-likelihood of the observed code, in nats an element; delay_frames: median over "
    "labelled spans that begin at a scored frame, from their start to the first raw score above a threshold "
    f"that {FALSE_ALARMS:.0%} of the normal test frames lie above, a missed span with its length; "
    f"missed_spans of so many; false_after: percent of the frames after a span, {AFTER} at most, above it"
)


def reproduce_motion_models(plan: Plan) -> Path:
    """Trains and judges each motion model; writes the page and the JSON anew after every model.

    Gives the page; raises `UsageError` for a plan of more than one form, and as its parts do.
    """

    def rows_of(variant: Variant, done: Done) -> list[Row]:
        return [*auc_rows(plan, variant, done, same_data=True), *_delay_rows(plan, variant, done)]

    return reproduce_variants(
        plan,
        VARIANTS,
        "ped2",
        rows_of,
        PROTOCOL,
        "The paper (Table 5, Section 6.3): Conv3D is best by all three, and ConvLSTM finds anomalies "
        "later and sounds more false alarms after them.",
    )


def _delay_rows(plan: Plan, variant: Variant, done: Done) -> list[Row]:
    delays = [
        detection_delay(each.clips["z_mse"], threshold_at(each.clips["z_mse"], FALSE_ALARMS))
        for each in done.evaluations
    ]
    after = [each.false_after for each in delays if each.false_after is not None]
    rows = [
        row(plan, variant, done, "z_mse", "delay_frames", [each.frames for each in delays]),
        row(
            plan,
            variant,
            done,
            "z_mse",
            f"missed_spans (of {delays[0].spans})",
            [each.missed for each in delays],
        ),
    ]
    if after:
        metric = f"false_after (of {delays[0].frames_after} frames)"
        rows.append(row(plan, variant, done, "z_mse", metric, after))
    return rows


TABLE5 = Experiment(
    name="table5",
    paper="Table 5",
    about="three motion models: R, Z and P for each; detection delay",
    dataset="ped2",
    preset="ped2",
    # The other motion models cost about as much again as Conv3D beside the same autoencoder.
    work=Work(trained=4 * 2550, scored=4 * 2010),
    quick_work=Work(trained=4 * 450, scored=4 * 690),
    run=reproduce_motion_models,
)
