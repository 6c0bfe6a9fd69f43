"""Table 2 on UCSD Ped2: train on several seeds, evaluate, and set the figures beside the paper's."""

from pathlib import Path

from latentwatch.datasets.registry import open_dataset
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.plots import plot_clips, plot_roc
from latentwatch.evaluation.results import ResultFile, Row, describe_run, write_result
from latentwatch.evaluation.run import SCORES, Evaluation, evaluate_model
from latentwatch.experiments.seeds import Plan, trained_seeds

PAPER = {"z_mse": 95.1, "p_mse": 90.9, "r_mse": 91.3}
"""The paper's micro AUC on Ped2 (Table 5, Conv3D)."""

METRICS = ("auc_micro", "auc_macro", "auc_raw", "eer")


def reproduce_ped2(plan: Plan) -> Path:
    """Trains, evaluates, writes `ped2.json` and `ped2.md`; gives the page. Raises as its parts do."""
    dataset = open_dataset("ped2", plan.data)
    evaluations: list[Evaluation] = []
    minutes: list[float] = []
    for model, info in trained_seeds(plan, dataset):
        evaluations.append(evaluate_model(model, dataset, info.calibration, say=plan.say))
        minutes.append(float(info.provenance["minutes"]))
        commit = str(info.provenance.get("commit", "unknown"))
    plan.results.mkdir(parents=True, exist_ok=True)
    plot_roc(evaluations[0].figures, plan.results / "ped2-roc.png")
    plot_clips(evaluations[0].clips["z_mse"], plan.results / "ped2-clips.png")
    result = ResultFile(
        name="ped2",
        command=plan.command,
        protocol=evaluations[0].figures["z_mse"].protocol,
        settings=plan.shown_settings | {"trained_at_commit": commit},
        rows=_rows(evaluations, minutes, plan.preset),
        **describe_run(),
    )
    plots = {
        "ped2-roc.png": "ROC curves of seed 0.",
        "ped2-clips.png": "Z-MSE of seed 0 on the 12 test clips after Eq. 3; labelled spans are shaded.",
    }
    return write_result(result, plan.results, plots)


def _rows(evaluations: list[Evaluation], minutes: list[float], preset: str) -> list[Row]:
    def row(score: str, metric: str, value: float, ci95: float | None) -> Row:
        return Row(
            preset=preset,
            dataset="ped2",
            score=score,
            metric=metric,
            value=value,
            ci95=ci95,
            seeds=len(evaluations),
            minutes_per_seed=sum(minutes) / len(minutes),
            paper=PAPER[score] if metric == "auc_micro" else None,
        )

    rows = []
    for score in SCORES:
        for metric in METRICS:
            value, ci95 = mean_ci95([getattr(each.figures[score], metric) for each in evaluations])
            rows.append(row(score, metric, value, ci95))
    for score in evaluations[0].localisation:
        for metric in ("rbdc", "tbdc"):
            value, ci95 = mean_ci95([getattr(each.localisation[score], metric) for each in evaluations])
            rows.append(row(score, metric, value, ci95))
    return rows
