"""`reproduce engines` on a made-up set in Ped2's layout, and what it says of made-up figures."""

import json

import numpy as np
import pytest
from clips import ped2_layout
from plans import plan

from latentwatch.datasets.registry import open_dataset
from latentwatch.engines.choose import formats_here, has_int8
from latentwatch.evaluation.frame_level import FrameLevel
from latentwatch.evaluation.run import evaluate_model
from latentwatch.experiments import engines
from latentwatch.experiments.seeds import trained_model
from latentwatch.experiments.speed.parts import BASELINE
from latentwatch.experiments.speed.race import Times
from latentwatch.training import quantise
from latentwatch.training.settings import TrainingSettings


@pytest.fixture
def made(tmp_path):
    ped2_layout(tmp_path / "data")
    return tmp_path


def test_every_engine_is_judged_and_timed_with_the_same_weights(made, monkeypatch):
    monkeypatch.setattr(engines, "ROUNDS", 1)
    monkeypatch.setattr(engines, "SECONDS", 0.0)
    # So the gate refuses: the model is judged in int8 even so.
    monkeypatch.setattr(quantise, "BOUND", 0.0)
    asked = plan(made, name="engines", forms={"fast": TrainingSettings(epochs=2)}, seeds=1)
    page = engines.reproduce_engines(asked).read_text()
    rows = json.loads((made / "results" / "engines.json").read_text())["rows"]
    found = {(row["engine"], row["metric"]): row for row in rows}

    wanted = {f"{name} {precision}" for name, precision in formats_here()}
    wanted |= {"openvino int8"} if has_int8() else set()
    assert {engine for engine, metric in found if metric == "auc_micro"} == wanted
    assert {engine for engine, metric in found if metric == "fps"} == wanted | {BASELINE}
    assert "torch fp32" in wanted

    dataset = open_dataset("ped2", asked.data)
    model, info = trained_model(asked, dataset, "fast", 0)
    whole = evaluate_model(model, dataset, info.calibration, say=lambda _: None).figures["z_mse"]
    reference = found["torch fp32", "auc_micro"]["value"]
    assert reference == pytest.approx(whole.auc_micro)
    for engine in wanted - {"torch fp32"}:
        auc = found[engine, "auc_micro"]["value"]
        assert found[engine, "auc_difference"]["value"] == pytest.approx(auc - reference)
        if engine.endswith("fp32"):
            assert auc == pytest.approx(reference, abs=0.01)
    assert found["torch fp32", "speedup_whole"]["value"] == pytest.approx(
        found["torch fp32", "fps"]["value"] / found[BASELINE, "fps"]["value"]
    )
    assert "| openvino int8 | z_mse | auc_micro |" in page or not has_int8()
    if has_int8():
        assert found["openvino int8", "gate_moved_percent"]["value"] > 0
        assert found["openvino int8", "gate_kept (of 1)"]["value"] == 0
        assert "keeps 0 of 1" in page


def figure(auc):
    points = np.array([0.0, 1.0])
    return FrameLevel(auc, auc - 1, auc, 10, 12, 8, 100, 10, None, points, points)


def made_up():
    """int8 is within the bound on average, but not with its second seed."""
    judged = [
        {"torch fp32": figure(90.0), "openvino bf16": figure(90.2), "openvino int8": figure(90.2)},
        {"torch fp32": figure(91.0), "openvino bf16": figure(90.9), "openvino int8": figure(90.6)},
    ]
    seconds = {"torch fp32": 0.01, "openvino bf16": 0.004, "openvino int8": 0.002, BASELINE: 0.02}
    trials = [
        quantise.Int8Trial({}, calibration=None, frames=9, relative_error=error, score_shift=(0, 0))
        for error in ((1.0, 1.02), (1.0, 0.8))
    ]
    times = Times({name: [each, each] for name, each in seconds.items()})
    return engines._Form(judged=judged, trials=trials, times=times)


def test_the_bound_is_for_every_seed():
    bound, fastest, gate = engines._remarks("joint", made_up())
    assert "with every seed: openvino bf16. Not so: openvino int8 (-0.40)." in bound
    assert "fastest within the bound is openvino bf16: 2.5 (2.5 to 2.5) times" in fastest
    assert "5 (5 to 5) times torch fp32 dense's" in fastest
    assert "keeps 1 of 2" in gate
    assert "moved by 2.0%, 20.0%" in gate


def test_the_table_has_differences_to_the_hundredth():
    lines = engines._table("joint", made_up()).markdown()
    (int8,) = [line for line in lines if line.startswith("| openvino int8 |")]
    assert "| 90.40 ± 2.54 | 89.40 ± 2.54 | -0.10 ± 3.81 | -0.40 | 500 (500 to 500) | 5 (5 to 5) |" in int8
    (dense,) = [line for line in lines if line.startswith(f"| {BASELINE} |")]
    assert dense == f"| {BASELINE} |  |  |  |  | 50 (50 to 50) | 0.5 (0.5 to 0.5) |  |"
