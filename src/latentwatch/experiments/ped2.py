"""Table 2 on UCSD Ped2: train on several seeds, evaluate, and set the figures beside the paper's."""

from collections.abc import Callable
from pathlib import Path

from latentwatch.bundle.bundle import load_bundle
from latentwatch.datasets.registry import open_dataset
from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.plots import plot_clips, plot_roc
from latentwatch.evaluation.results import ResultFile, Row, describe_run, write_result
from latentwatch.evaluation.run import SCORES, Evaluation, evaluate_model
from latentwatch.models.presets import Architecture
from latentwatch.training.camera import learn_camera
from latentwatch.training.module import TrainingSettings

PAPER = {"z_mse": 95.1, "p_mse": 90.9, "r_mse": 91.3}
"""The paper's micro AUC on Ped2 (Table 5, Conv3D)."""

METRICS = ("auc_micro", "auc_macro", "auc_raw", "eer")


def reproduce_ped2(
    data: Path,
    architecture: Architecture,
    width: str,
    settings: TrainingSettings,
    seeds: int,
    *,
    command: str,
    compiled: bool = False,
    runs: Path,
    results: Path,
    say: Callable[[str], None] = print,
) -> Path:
    """Trains the seeds that are not finished in `runs`, evaluates all, writes `ped2.json` and `ped2.md`.

    A run that was stopped goes on from its last checkpoint. Returns the page. Raises as training and
    evaluation do, and `LatentwatchError` where `runs` holds models of other settings.
    """
    dataset = open_dataset("ped2", data)
    evaluations: list[Evaluation] = []
    minutes: list[float] = []
    for seed in range(seeds):
        folder = runs / "ped2" / f"seed-{seed}"
        bundle = folder / "ped2.lw"
        wanted = settings.model_copy(update={"seed": seed})
        if not bundle.is_file():
            say(f"seed {seed}: training, {settings.epochs} epochs")
            resume = (folder / "checkpoints" / "last.ckpt").is_file()
            learn_camera(
                dataset.train,
                bundle,
                architecture,
                wanted,
                folder=folder,
                resume=resume,
                compiled=compiled,
                say=say,
            )
        model, info = load_bundle(bundle)
        if info.architecture != architecture or info.provenance.get("settings") != wanted.model_dump():
            raise LatentwatchError(
                f"{bundle}: was trained with other settings; give another --runs folder or remove {folder}"
            )
        evaluations.append(evaluate_model(model, dataset, info.calibration.place_threshold, say=say))
        minutes.append(float(info.provenance["minutes"]))
    results.mkdir(parents=True, exist_ok=True)
    plot_roc(evaluations[0].figures, results / "ped2-roc.png")
    plot_clips(evaluations[0].clips["z_mse"], results / "ped2-clips.png")
    result = ResultFile(
        name="ped2",
        command=command,
        protocol=evaluations[0].figures["z_mse"].protocol,
        settings=settings.model_dump(exclude={"seed"}) | architecture.model_dump(),
        rows=_rows(evaluations, minutes, width),
        **describe_run(),
    )
    plots = {
        "ped2-roc.png": "ROC curves of seed 0.",
        "ped2-clips.png": "Z-MSE of seed 0 on the 12 test clips after Eq. 3; labelled spans are shaded.",
    }
    return write_result(result, results, plots)


def _rows(evaluations: list[Evaluation], minutes: list[float], width: str) -> list[Row]:
    rows = []
    for score in SCORES:
        for metric in METRICS:
            value, ci95 = mean_ci95([getattr(each.figures[score], metric) for each in evaluations])
            rows.append(
                Row(
                    preset=f"ped2/{width}",
                    dataset="ped2",
                    score=score,
                    metric=metric,
                    value=value,
                    ci95=ci95,
                    seeds=len(evaluations),
                    minutes_per_seed=sum(minutes) / len(minutes),
                    paper=PAPER[score] if metric == "auc_micro" else None,
                )
            )
    pixels = [each.pixel for each in evaluations if each.pixel]
    for metric in ("rbdc", "tbdc") if pixels else ():
        value, ci95 = mean_ci95([getattr(each, metric) for each in pixels])
        rows.append(
            Row(
                preset=f"ped2/{width}",
                dataset="ped2",
                score="z_mse",
                metric=metric,
                value=value,
                ci95=ci95,
                seeds=len(pixels),
                minutes_per_seed=sum(minutes) / len(minutes),
            )
        )
    return rows
