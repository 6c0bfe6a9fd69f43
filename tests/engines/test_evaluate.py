"""A model is judged as an engine scores it, by the thresholds of that engine's number format."""

import json
import sys

import numpy as np
import pytest
from clips import SMALL, moving_square

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.cli.main import main
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.calibration import calibrate
from latentwatch.scoring.camera import open_camera, stream_clip
from latentwatch.scoring.detector import Detector
from latentwatch.video.source import open_video

LOOSE = Calibration(threshold=1, place_threshold=1, pixel_threshold=0.25, frames=1)


def evaluate(monkeypatch, bundle, data, out, *words):
    command = ["latentwatch", "evaluate", bundle, "folder", "--data", data, "-o", out, *words]
    monkeypatch.setattr(sys, "argv", list(map(str, command)))
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    rows = json.loads((out / "evaluation.json").read_text())["rows"]
    assert (out / "evaluation.md").read_text().startswith("# evaluation")
    return {(row["score"], row["metric"]): row["value"] for row in rows}


def test_evaluate_on_an_engine(monkeypatch, capsys, bundle, tmp_path):
    data = tmp_path / "data"
    moving_square(data / "train" / "a", frames=20)
    moving_square(data / "test" / "b", frames=40, speed=2)
    labels = {"b": {"frames": 40, "anomalous": [[26, 40]]}}
    (data / "labels.json").write_text(json.dumps(labels))
    plain = evaluate(monkeypatch, bundle, data, tmp_path / "plain")
    assert {score for score, _ in plain} == {"z_mse", "p_mse", "r_mse"}
    capsys.readouterr()
    live = evaluate(monkeypatch, bundle, data, tmp_path / "live", "--engine", "torch", "--fp32")
    assert "(engine: torch fp32)" in capsys.readouterr().out
    assert {score for score, _ in live} == {"z_mse"}
    assert live == pytest.approx({name: plain[name] for name in live})


def test_a_folder_that_cannot_be_is_refused_before_the_work(monkeypatch, capsys, bundle, tmp_path):
    (tmp_path / "taken").write_text("a file")
    for part in ("train", "test"):
        moving_square(tmp_path / "data" / part / "a", frames=20)
    words = ["evaluate", bundle, "folder", "--data", tmp_path / "data", "-o", tmp_path / "taken"]
    monkeypatch.setattr(sys, "argv", ["latentwatch", *map(str, words)])
    monkeypatch.setattr("latentwatch.evaluation.run.evaluate_model", None)  # would fail if it were called
    with pytest.raises(SystemExit) as stopped:
        main()
    stderr = capsys.readouterr().err
    assert stopped.value.code == 1
    assert "taken: cannot make this folder for the results: File exists; give another" in stderr
    assert len(stderr.strip().splitlines()) == 1


def test_streamed_clip_is_the_batch(small_model, tmp_path):
    clip = moving_square(tmp_path / "clip", frames=SMALL.span + 4)
    whole = score_clip(small_model, open_video(clip))
    live = stream_clip(Detector(small_model, LOOSE), open_video(clip))
    np.testing.assert_allclose(live.z_mse, whole.z_mse, rtol=1e-4)
    np.testing.assert_allclose(live.error_maps, whole.error_maps, rtol=1e-2, atol=1e-4)
    np.testing.assert_array_equal(live.times, whole.times)
    short = stream_clip(Detector(small_model, LOOSE), list(open_video(clip))[:3])
    both = calibrate([short, live], pixel_threshold=0.25)
    assert both == calibrate([live], pixel_threshold=0.25)
    assert both.pixel_threshold == 0.25
    assert both.frames == 5


def test_thresholds_are_those_of_the_number_format(small_model, tmp_path, caplog):
    path = tmp_path / "door.lw"
    calibrations = {"fp32": LOOSE, "bf16": LOOSE.model_copy(update={"threshold": 0.5})}
    save_bundle(path, small_model, BundleInfo(architecture=SMALL, fps=10, calibrations=calibrations))
    assert open_camera(path, "torch", "bf16").calibration.threshold == 0.5
    assert open_camera(path, "torch", "fp32").calibration.threshold == 1
    assert not caplog.records
    save_bundle(path, small_model, BundleInfo(architecture=SMALL, fps=10, calibration=LOOSE))
    detector = open_camera(path, "torch", "bf16")
    assert isinstance(detector.engine, TorchEngine)
    assert detector.calibration == LOOSE
    assert "has no thresholds for bf16" in caplog.text
