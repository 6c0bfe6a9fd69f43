"""Every motion model goes all the way: trained, kept, loaded, and the same live as on a whole clip."""

import json

import numpy as np
import pytest
from clips import SMALL, moving_square, random_model

from latentwatch.bundle.bundle import BundleInfo, Calibration, load_bundle, save_bundle
from latentwatch.bundle.file import checksum, read_model_file, write_model_file
from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.datasets.folder import clips_in
from latentwatch.engines.choose import open_engine
from latentwatch.engines.graphs import graph_names
from latentwatch.errors import UsageError
from latentwatch.evaluation.run import evaluate_model
from latentwatch.evaluation.score_files import score_to_files
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.detector import Detector
from latentwatch.training.camera import learn_camera
from latentwatch.training.settings import TrainingSettings
from latentwatch.video.source import open_video

LOOSE = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
OTHERS = ("conv-lstm", "autoregressive")


def live(model, frames, engine=None):
    detector = Detector(model, LOOSE, engine=engine)
    return np.array([result.score if (result := detector.step(frame)) else np.nan for frame in frames])


@pytest.mark.parametrize("k", [6, 8])
@pytest.mark.parametrize("motion", OTHERS)
def test_streaming_equals_batch(tmp_path, motion, k):
    frames = list(open_video(moving_square(tmp_path / "clip", frames=26)))
    model = random_model(SMALL.model_copy(update={"motion": motion, "k": k}))
    whole = score_clip(model, frames, pixel_scores=True, batch=7)
    scores = live(model, frames)
    np.testing.assert_allclose(scores, whole.z_mse, rtol=1e-4)
    assert np.isnan(scores).sum() == model.architecture.warm_up
    assert np.nanstd(scores) > 0
    assert (whole.p_mse is None) == (whole.pixel_maps is None) == (motion == "autoregressive")
    assert np.isnan(whole.r_mse).sum() == 1


@pytest.mark.parametrize("name", ["onnx", "openvino"])
def test_conv_lstm_on_the_other_engines(tmp_path, name):
    frames = list(open_video(moving_square(tmp_path / "clip", frames=16)))
    model = random_model(SMALL.model_copy(update={"motion": "conv-lstm"}))
    engine = open_engine(model, name, bf16=False)
    np.testing.assert_allclose(live(model, frames, engine), score_clip(model, frames).z_mse, rtol=1e-4)


def test_the_density_runs_on_pytorch_alone_and_has_no_boxes_from_pixels():
    model = random_model(SMALL.model_copy(update={"motion": "autoregressive"}))
    assert str(open_engine(model)) == "torch fp32"
    for wanted in ({"choice": "onnx"}, {"choice": "openvino"}, {"choice": "torch", "bf16": True}):
        with pytest.raises(UsageError, match="runs on PyTorch in fp32 alone"):
            open_engine(model, **wanted)
    with pytest.raises(UsageError, match="not exported"):
        graph_names(model)
    with pytest.raises(UsageError, match="predicts no frame"):
        Detector(model, LOOSE, pixel_boxes=True)


@pytest.mark.parametrize(("motion", "gradient"), [("conv-lstm", "full"), ("autoregressive", "late")])
def test_trained_kept_loaded_judged(tmp_path, motion, gradient):
    told = []
    folder = moving_square(tmp_path / "a", frames=44)
    settings = TrainingSettings(
        epochs=2, phase_one=0.5, warm_up_passes=1, latent_gradient=gradient, reconstruction="mse+gdl"
    )
    out = tmp_path / "door.lw"
    architecture = SMALL.model_copy(update={"motion": motion})
    learn_camera(clips_in(folder), out, architecture, settings, bf16=False, say=told.append)
    model, info = load_bundle(out)
    assert info.architecture.motion == motion
    assert info.provenance["settings"]["reconstruction"] == "mse+gdl"
    assert (info.calibration.pixel_threshold is None) == (motion == "autoregressive")
    name = "negative log-likelihood" if motion == "autoregressive" else "prediction MSE"
    assert any(f"held-out {name}" in line for line in told)

    labels = np.arange(30) >= 20
    clip = Clip("b", moving_square(tmp_path / "b", frames=30, speed=3), 10, labels)
    result = evaluate_model(model, Dataset("made", [], [clip], "ped2"), info.calibration, say=told.append)
    expected = {"z_mse", "r_mse"} | ({"p_mse"} if motion == "conv-lstm" else set())
    assert set(result.figures) == expected
    if motion == "autoregressive":
        under = result.renamed("z_mse", "z_nll")
        assert set(under.figures) == set(under.clips) == {"z_nll", "r_mse"}
        assert ("z_nll", "auc_micro") in under.by_metric()
    score_to_files(Detector(model, info.calibration), clip, tmp_path / "out")
    frames = json.loads((tmp_path / "out" / "b.json").read_text())["frames"]
    live_score = frames[-1]["z_nll" if motion == "autoregressive" else "z_mse"]
    assert live_score == pytest.approx(result.clips["z_mse"][0].scores[-1], rel=1e-4)


def test_a_bundle_from_before_motion_models_loads(tmp_path):
    model, path = random_model(SMALL), tmp_path / "old.lw"
    save_bundle(path, model, BundleInfo(architecture=SMALL, fps=10, calibration=LOOSE))
    tensors, text = read_model_file(path)
    description = json.loads(text)
    del description["architecture"]["motion"]
    write_model_file(path, tensors, json.dumps(description))
    assert checksum(*read_model_file(path)) == checksum(tensors, json.dumps(description))
    loaded, info = load_bundle(path)
    assert info.architecture == SMALL
    frames = list(open_video(moving_square(tmp_path / "clip", frames=14)))
    np.testing.assert_array_equal(score_clip(loaded, frames).z_mse, score_clip(model, frames).z_mse)
