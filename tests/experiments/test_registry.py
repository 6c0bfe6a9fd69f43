"""The list of experiments: their states, their estimates, and how a plan limits itself to a quick look."""

import json
from dataclasses import replace

import pytest
from plans import plan

from latentwatch.datasets.registry import NAMES
from latentwatch.errors import UsageError
from latentwatch.experiments import experiment as experiment_module
from latentwatch.experiments.experiment import state
from latentwatch.experiments.registry import EXPERIMENTS, experiment
from latentwatch.experiments.seeds import dataset_of, only_form
from latentwatch.models.presets import TABLE1
from latentwatch.training.settings import TrainingSettings


def test_experiments_name_data_sets_and_presets_that_exist():
    for name, each in EXPERIMENTS.items():
        assert each.name == name
        assert set(each.datasets) <= set(NAMES)
        assert each.preset in TABLE1
        assert each.quick_work.trained < each.work.trained or each.work.trained == 0  # nothing to train
    with pytest.raises(UsageError, match=r"fig9: no such experiment; known are .*ped2"):
        experiment("fig9")


def test_state_is_that_of_the_better_result(tmp_path):
    row = {"preset": "p", "dataset": "ped2", "score": "z_mse", "metric": "auc_micro", "value": 90, "seeds": 2}
    result = {
        **dict.fromkeys(("name", "command", "version", "commit", "machine", "protocol"), "x"),
        "date": "2026-11-25",
        "settings": {},
    }
    assert state("ped2", tmp_path) == "no result"
    quoted = {**row, "seeds": 4, "status": "quoted"}
    quick = {**result, "rows": [quoted, {**row, "status": "quick"}]}
    (tmp_path / "ped2-quick.json").write_text(json.dumps(quick))
    assert state("ped2", tmp_path) == "quick, seeds: 2, 2026-11-25"
    (tmp_path / "ped2.json").write_text(json.dumps({**result, "rows": [quoted, row]}))
    assert state("ped2", tmp_path) == "measured, seeds: 2, 2026-11-25"
    (tmp_path / "ped2.json").write_text("{")
    assert "damaged" in state("ped2", tmp_path)


def test_minutes_grow_with_what_is_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment_module, "seconds_a_frame", lambda _: 0.06)
    ped2 = experiment("ped2")
    asked = plan(tmp_path, forms={"paper": TrainingSettings(epochs=50)}, seeds=1)
    assert ped2.minutes(asked) == pytest.approx((50 * 2550 + 2010 / 3) / 1000)
    assert ped2.minutes(replace(asked, seeds=4)) == pytest.approx(4 * ped2.minutes(asked))
    assert ped2.minutes(replace(asked, quick=True)) < ped2.minutes(asked) / 4
    live = experiment("live")  # one camera's model, however many seeds the others train
    assert live.minutes(replace(asked, seeds=4)) == live.minutes(asked)


def test_quick_plan_takes_few_clips(tmp_path, shared_data):
    asked = plan(tmp_path, data=shared_data)
    whole, few = dataset_of(asked, "ped2"), dataset_of(replace(asked, quick=True), "ped2")
    assert (len(whole.train), len(whole.test)) == (16, 12)
    assert [clip.name for clip in few.train] == ["01", "02", "03"]
    assert len(few.test) == 4
    assert len(dataset_of(replace(asked, quick=True), "moving-mnist", all_tests=True).test) == 96


def test_only_form(tmp_path):
    with pytest.raises(UsageError, match="shows one form"):
        only_form(plan(tmp_path))
    assert only_form(plan(tmp_path, forms={"fast": TrainingSettings()})) == "fast"
