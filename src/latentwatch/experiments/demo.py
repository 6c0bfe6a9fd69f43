"""The demonstration: learn a scene, judge new footage of it, and leave something good to look at."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from latentwatch.bundle.bundle import BundleInfo, load_bundle
from latentwatch.datasets.dataset import Dataset
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.evaluation.annotate import annotate
from latentwatch.evaluation.plots import plot_clips, plot_roc
from latentwatch.evaluation.report import Picture, Report, write_report
from latentwatch.evaluation.run import Evaluation, evaluate_model
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import WIDTHS, Architecture
from latentwatch.scoring.camera import detector_of
from latentwatch.training.camera import learn_camera
from latentwatch.training.settings import FORMS
from latentwatch.video.writer import VideoWriter

ARCHITECTURE = Architecture(height=96, width_px=144, base_width=WIDTHS["tiny"])
"""Three quarters of the paper's input size in each direction: what two cores learn while one waits."""


@dataclass(frozen=True)
class Demo:
    """Where to look, and the frame-level micro AUC in percent."""

    report: Path
    video: Path
    auc: float


def run_demo(
    dataset: Dataset, folder: Path, *, epochs: int, seed: int = 0, say: Callable[[str], None] = print
) -> Demo:
    """Trains on `dataset.train`, judges `dataset.test`, writes model, report and video to `folder`.

    Raises as training and evaluation do.
    """
    model_file = folder / f"{dataset.name}.lw"
    say(f"learning what is normal in {len(dataset.train)} clips of {dataset.name}")
    settings = FORMS["joint"].model_copy(update={"epochs": epochs, "seed": seed})
    learn_camera(dataset.train, model_file, ARCHITECTURE, settings, say=say)
    model, info = load_bundle(model_file)
    result = evaluate_model(model, dataset, info.calibration, fusion=info.fusion, say=say)
    say("drawing the annotated video")
    video = folder / f"{dataset.name}.mp4"
    moments = _film(model, info, dataset, video, folder)
    plot_clips(result.clips["fused"], folder / "clips.png")
    plot_roc(result.figures, folder / "roc.png")
    report = folder / "report.html"
    write_report(_report(dataset, info, result, video, moments, folder), report)
    return Demo(report, video, result.figures["fused"].auc_micro)


def _film(model: Decoupled, info: BundleInfo, dataset: Dataset, video: Path, folder: Path) -> Path:
    """Writes the annotated video, and a sheet of each clip's highest moment; gives the sheet."""
    peaks: list[Image.Image] = []
    with VideoWriter(video, info.fps) as writer:
        for clip in dataset.test:
            detector = detector_of(model, info, TorchEngine(model))
            history: list[float] = []
            highest, moment = -1.0, None
            with clip.open() as frames:
                for frame in frames:
                    result = detector.step(frame)
                    history.append(result.score if result else np.nan)
                    drawn = annotate(frame.rgb, result, history, detector.threshold)
                    writer.write(drawn)
                    if result and result.score > highest:
                        highest, moment = result.score, drawn
            if moment is not None:
                peaks.append(Image.fromarray(moment))
    return _sheet(peaks, folder / "moments.jpg")


def _sheet(pictures: list[Image.Image], path: Path) -> Path:
    columns = min(3, len(pictures))
    width, height = 480, round(480 * pictures[0].height / pictures[0].width)
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 8) - 8, rows * (height + 8) - 8), "white")
    for number, picture in enumerate(pictures):
        place = (number % columns * (width + 8), number // columns * (height + 8))
        sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), place)
    sheet.save(path, quality=88)
    return path


def _report(
    dataset: Dataset, info: BundleInfo, result: Evaluation, video: Path, moments: Path, folder: Path
) -> Report:
    figure = result.figures["fused"]
    facts = [
        ("Protocol", figure.protocol),
        ("Training", f"{info.provenance['frames']} frames, {info.provenance['minutes']} minutes, no labels"),
        (
            "Input",
            f"{info.architecture.height}x{info.architecture.width_px} pixels, {info.fps:g} frames a second",
        ),
        (
            "Threshold",
            f"{info.threshold:.4g}, from {info.calibration.frames} held-out normal frames",
        ),
    ]
    for name, places in result.localisation.items():
        facts.append((f"Localisation by {name}", f"RBDC {places.rbdc:.1f}%, TBDC {places.tbdc:.1f}%"))
    return Report(
        title=f"Latentwatch on {dataset.name}",
        summary="The model saw only normal footage of this camera, with no labels. It was then shown new "
        "clips; the anomaly score says how far each frame is from what the model expected.",
        headlines=[
            (f"{figure.auc_micro:.1f}%", "frame-level AUC (Z-MSE and speed)"),
            (f"{figure.eer:.1f}%", "equal error rate"),
            (f"{result.figures['z_mse'].auc_micro:.1f}%", "AUC of Z-MSE alone"),
            (f"{result.figures['p_mse'].auc_micro:.1f}%", "AUC of the pixel prediction error"),
            (f"{result.figures['r_mse'].auc_micro:.1f}%", "AUC of the reconstruction error"),
        ],
        pictures=[
            Picture(moments, "The highest-scoring moment of each test clip."),
            Picture(
                folder / "clips.png", "Anomaly score of each test clip; what was really anomalous is shaded."
            ),
            Picture(folder / "roc.png", "ROC curves of the scores."),
        ],
        facts=facts,
        video=video.name,
    )
