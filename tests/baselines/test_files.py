"""The model file of a baseline, and the detectors that run one."""

import json

import numpy as np
import pytest
import torch
from clips import SMALL, random_model
from safetensors.torch import load_file, safe_open, save_file

from latentwatch.baselines.registry import SYSTEMS, build
from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.bundle.bundle import BundleInfo, Calibration, load_bundle, save_bundle
from latentwatch.bundle.file import checksum, system_of
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.scoring.baseline import (
    BaselineDetector,
    BaselineInfo,
    calibrate_baseline,
    load_baseline,
    save_baseline,
    stream_scores,
)
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.decoupled_scorer import DecoupledScorer
from latentwatch.video.frame import Frame


def saved(path, system="mnad"):
    torch.manual_seed(0)
    settings = BaselineSettings(system=system, height=32, width_px=64, share=0.125)
    model = build(settings)
    model.fit_terms(torch.rand(5, len(model.term_weights)))
    info = BaselineInfo(settings=settings, fps=10, threshold=-3.5, frames=9, provenance={"clips": 2})
    save_baseline(path, model, info)
    return model, info


def frames(count, size=(32, 64)):
    rgb = np.random.default_rng(0).integers(0, 255, (count, *size, 3), dtype=np.uint8)
    return [Frame(index, index / 10, picture) for index, picture in enumerate(rgb)]


@pytest.mark.parametrize("system", SYSTEMS)
def test_round_trip(tmp_path, system):
    path = tmp_path / "x.lw"
    model, info = saved(path, system)
    loaded, description = load_baseline(path)
    assert description == info
    assert system_of(path) == system
    assert [each.name for each in tmp_path.iterdir()] == ["x.lw"]
    assert loaded.critic is None
    before, after = (stream_scores(each, frames(18)) for each in (model, loaded))
    np.testing.assert_array_equal(before, after)
    assert np.isnan(after[: model.frames_needed - 1]).all()
    assert np.isfinite(after[model.frames_needed - 1 :]).all()


def test_damaged_foreign_and_missing_files(tmp_path):
    path = tmp_path / "x.lw"
    saved(path)
    data = path.read_bytes()
    path.write_bytes(data[:-9])
    with pytest.raises(LatentwatchError, match="damaged or not a Latentwatch model"):
        load_baseline(path)
    path.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    with pytest.raises(LatentwatchError, match="checksum does not match"):
        load_baseline(path)
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(LatentwatchError, match="not a Latentwatch model"):
        load_baseline(path)
    with pytest.raises(UsageError, match="no such model file"):
        load_baseline(tmp_path / "none.lw")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 9}, "schema 9, this program reads up to schema 1"),
        ({"threshold": "high"}, "its description is not valid"),
        ({"more": 1}, "its description is not valid"),
        ({"settings": {"system": "mnad", "height": 33}}, "must be a multiple of 16"),
        ({"settings": {"system": "mnad", "share": 0.5}}, "its weights do not fit its settings"),
        ({"settings": {"system": "best"}}, "a model of best, not of conv-ae"),
    ],
)
def test_other_descriptions_are_refused(tmp_path, change, message):
    path = tmp_path / "x.lw"
    saved(path)
    with safe_open(path, "pt") as opened:
        header = opened.metadata()
    tensors = load_file(path)
    header["latentwatch"] = json.dumps(json.loads(header["latentwatch"]) | change)
    header["sha256"] = checksum(tensors, header["latentwatch"])
    save_file(tensors, path, header)
    with pytest.raises(LatentwatchError, match=message):
        load_baseline(path)


def test_the_two_kinds_of_file_are_told_apart(tmp_path):
    baseline, bundle = tmp_path / "x.lw", tmp_path / "y.lw"
    saved(baseline)
    calibration = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=9)
    save_bundle(bundle, random_model(SMALL), BundleInfo(architecture=SMALL, fps=10, calibration=calibration))
    assert system_of(bundle) == "decoupled"
    with pytest.raises(UsageError, match="a model of mnad; it can be used with score, evaluate and info"):
        load_bundle(baseline)
    with pytest.raises(UsageError, match="a model of decoupled, not of conv-ae"):
        load_baseline(bundle)


def test_calibration_by_hand(tmp_path):
    model, _ = saved(tmp_path / "x.lw")
    clips = [np.stack([frame.rgb for frame in frames(count)]) for count in (9, 4, 6)]
    threshold, count = calibrate_baseline(model, clips)
    assert count == 5 + 2  # clips of 5 frames; the second is too short for one
    scores = np.concatenate([stream_scores(model, frames(count)) for count in (9, 6)])
    assert threshold == pytest.approx(np.nanquantile(scores, 0.995), rel=1e-3)
    assert np.nanmean(scores) == pytest.approx(0, abs=1e-3)  # both terms are standardised
    with pytest.raises(LatentwatchError, match="no held-out frame has a score"):
        calibrate_baseline(model, clips[1:2])


def test_detector_resizes_and_judges(tmp_path):
    model, _ = saved(tmp_path / "x.lw", "future-frame")
    detector = BaselineDetector(model, -100)
    results = [detector.step(frame) for frame in frames(6, (40, 70))]
    assert results[:4] == [None] * 4
    assert all(result.is_anomaly and not result.boxes for result in results[4:])
    assert not BaselineDetector(model, 1e9).step(frames(1)[0]).is_anomaly
    detector.reset()
    assert detector.step(frames(1)[0]) is None


def test_our_own_system_behind_the_same_interface():
    model = random_model(SMALL)
    scorer = DecoupledScorer(model)
    assert scorer.size == (32, 48)
    assert scorer.frames_needed == SMALL.span
    stream = frames(18, (32, 48))
    scores = stream_scores(scorer, stream)
    np.testing.assert_allclose(scores, score_clip(model, stream).z_mse, rtol=1e-4)
    assert np.isnan(scores).sum() == scorer.frames_needed - 1
    with pytest.raises(ValueError, match="expected uint8"):
        scorer.step(np.zeros((16, 16, 3), np.uint8))
