"""`latentwatch evaluate`."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from latentwatch.cli.options import Corrupt, Int8, Model, ScoringFormat, refuse
from latentwatch.engines.names import Choice


def evaluate(
    model: Model,
    dataset: Annotated[str, typer.Argument(help="Name of the data set, such as ped2.", show_default=False)],
    data: Annotated[
        Path | None, typer.Option(help="Folder that holds the data set (street needs none).")
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the plots.")] = Path(
        "evaluation"
    ),
    window: Annotated[
        int | None, typer.Option(help="Eq. 3 over so many frames, not the clip.", min=2)
    ] = None,
    unscored_as_first: Annotated[
        bool,
        typer.Option("--unscored-as-first", help="Judge frames without a score as the first scored one."),
    ] = False,
    engine: Annotated[
        Choice | None,
        typer.Option(
            help="Judge what this engine scores, without the scores in pixels. Default: PyTorch, all."
        ),
    ] = None,
    bf16: ScoringFormat = None,
    int8: Int8 = False,
    corrupt: Corrupt = None,
) -> None:
    """Judge a model on a labelled data set: frame-level AUC and EER, as JSON and a page with plots.

    Example: latentwatch evaluate ped2.lw ped2 --data data/ped2
    """
    from latentwatch.bundle.bundle import load_bundle
    from latentwatch.bundle.file import system_of
    from latentwatch.datasets.derived import corrupted
    from latentwatch.datasets.registry import open_dataset
    from latentwatch.evaluation.baseline import evaluate_scorer
    from latentwatch.evaluation.plots import plot_clips, plot_roc
    from latentwatch.evaluation.results import make_folder
    from latentwatch.evaluation.run import TITLES, evaluate_model, score_name
    from latentwatch.evaluation.written import write_evaluation
    from latentwatch.scoring.baseline import load_baseline
    from latentwatch.scoring.camera import number_format, open_camera
    from latentwatch.video.corrupt import Corruption

    judged = open_dataset(dataset, data)
    if corrupt is not None:
        how = Corruption.parse(corrupt)
        judged = replace(judged, test=[corrupted(clip, how) for clip in judged.test])
    make_folder(output)
    if system_of(model) == "decoupled":
        network, description = load_bundle(model)
        precision = number_format(bf16, int8)
        detector = open_camera(model, engine or "auto", precision) if engine or precision else None
        calibration = detector.calibration if detector else description.calibration
        scored_by = str(detector.engine) if detector else "torch fp32"
        result = evaluate_model(
            network,
            judged,
            calibration,
            fusion=description.fusion,
            detector=detector,
            window=window,
            unscored_as_first=unscored_as_first,
        )
        system, main = "decoupled", score_name(description.fusion)
        title = TITLES[main]
        if not network.motion.predicts:
            result, main, title = result.renamed(main, "z_nll"), "z_nll", "Z-NLL"
    else:
        scorer, _ = load_baseline(model)
        refuse(scorer.name, {"--engine": engine not in (None, "torch"), "--bf16": bool(bf16), "--int8": int8})
        result = evaluate_scorer(scorer, judged, window=window, unscored_as_first=unscored_as_first)
        system = main = title = scorer.name
        scored_by = "torch fp32"
    plot_roc(result.figures, output / "roc.png")
    plot_clips(result.clips[main], output / "clips.png")
    write_evaluation(
        result,
        output,
        command=shlex.join(["latentwatch", *sys.argv[1:]]),
        system=system,
        dataset=dataset,
        settings={"model": model.name, "engine": scored_by},
    )
    print(f"{'score':13}{'AUC micro':>11}{'AUC macro':>11}{'AUC raw':>9}{'EER':>7}   (percent)")
    for name, figure in result.figures.items():
        macro = f"{figure.auc_macro:.2f}" if figure.macro_clips else "none"
        print(f"{name:13}{figure.auc_micro:11.2f}{macro:>11}{figure.auc_raw:9.2f}{figure.eer:7.2f}")
    for name, places in result.localisation.items():
        print(
            f"localisation by {name}: RBDC {places.rbdc:.2f}, TBDC {places.tbdc:.2f} ({places.tracks} tracks)"
        )
    print(f"{title} protocol: {result.figures[main].protocol}")
    print(f"written: {output}/evaluation.md (engine: {scored_by})")
