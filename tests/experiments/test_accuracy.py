"""`reproduce ped2`, `street` and `table2` on made-up sets: what they write, and what they train."""

import json

import pytest
from clips import ped2_layout
from plans import plan

from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.errors import LatentwatchError
from latentwatch.experiments import seeds
from latentwatch.experiments.accuracy import PAPER, PED2, STREET
from latentwatch.experiments.table2 import reproduce_table2
from latentwatch.models.presets import TABLE1
from latentwatch.training.settings import TrainingSettings


@pytest.fixture
def made(tmp_path):
    """A folder whose `data` is the set."""
    ped2_layout(tmp_path / "data")
    return tmp_path


def test_page_and_json_say_the_same_and_finished_seeds_are_kept(made):
    page = PED2.run(plan(made)).read_text()
    result = json.loads((made / "results" / "ped2.json").read_text())
    rows = {(row["score"], row["metric"]): row for row in result["rows"] if "fast" in row["preset"]}
    assert {row["preset"] for row in result["rows"]} == {"ped2/test fast", "ped2/test paper"}
    assert {score: rows[score, "auc_micro"]["paper"] for score in PAPER["ped2"]} == PAPER["ped2"]
    z_mse = rows["z_mse", "auc_micro"]
    assert z_mse["seeds"] == 2
    assert z_mse["ci95"] is not None
    assert f"| z_mse | auc_micro | {z_mse['value']:.1f} ± {z_mse['ci95']:.1f} | 95.1 | 2 |" in page
    assert "19 frames judged, 11 without a score left out" in page

    bundle = made / "runs" / "ped2" / "fast" / "seed-0" / "ped2.lw"
    trained = bundle.stat().st_mtime_ns
    PED2.run(plan(made))
    assert bundle.stat().st_mtime_ns == trained
    with pytest.raises(LatentwatchError, match="trained with other settings"):
        PED2.run(plan(made, forms={"fast": TrainingSettings(epochs=3)}))


def test_street_has_a_row_for_each_clip_and_needs_no_data(tmp_path, monkeypatch):
    small = street_dataset(train_clips=2, test_clips=2, frames=40, size=(48, 72))
    monkeypatch.setattr(seeds, "open_dataset", lambda name, _: small if name == "street" else None)
    STREET.run(plan(tmp_path, data=None, name="street", forms={"fast": TrainingSettings(epochs=2)}, seeds=1))
    rows = json.loads((tmp_path / "results" / "street.json").read_text())["rows"]
    assert {row["dataset"] for row in rows} == {"street", "street, 01-runner", "street, 02-cyclist"}
    of = {(row["dataset"], row["score"], row["metric"]): row["value"] for row in rows}
    clips = [of[f"street, {clip}", "z_mse", "auc_micro"] for clip in ("01-runner", "02-cyclist")]
    assert of["street", "z_mse", "auc_macro"] == pytest.approx(sum(clips) / 2)
    assert not any(row["paper"] for row in rows)


def test_table2_takes_the_sets_that_are_there_and_trains_none_twice(made, monkeypatch):
    small = {"height": 32, "width_px": 48, "k": 6, "blocks": 2}
    for name in ("ped1", "ped2"):
        monkeypatch.setitem(TABLE1, name, small)
        (made / "sets" / name).parent.mkdir(exist_ok=True)
        (made / "sets" / name).symlink_to(made / "data")
    one = {"forms": {"fast": TrainingSettings(epochs=2)}, "seeds": 1}
    PED2.run(plan(made, **one))
    bundle = made / "runs" / "ped2" / "fast" / "seed-0" / "ped2.lw"
    trained = bundle.stat().st_mtime_ns
    result = json.loads((made / "results" / "ped2.json").read_text())
    of_ped2 = {row["score"]: row["value"] for row in result["rows"] if row["metric"] == "auc_micro"}
    z, both = of_ped2["z_mse"], of_ped2["fused"]

    page = reproduce_table2(plan(made, name="table2", data=made / "sets", **one)).read_text()
    assert bundle.stat().st_mtime_ns == trained
    assert "| system | ped1 | ped2 | avenue | shanghaitech |" in page
    assert "| MNAD (2020), quoted | - | 97.0 | 88.5 | 70.5 |" in page
    assert "| ours in the paper, 4 runs, quoted | 85.0 ± 0.3 | 95.1 ± 0.4 | 88.8 ± 0.3 | 73.9 ± 0.1 |" in page
    assert f"| ours here, form fast, 1 seed | {z:.1f} | {z:.1f} | - | - |" in page
    assert f"| ours here, form fast, Z-MSE and speed, 1 seed | {both:.1f} | {both:.1f} | - | - |" in page
    rows = json.loads((made / "results" / "table2.json").read_text())["rows"]
    ours = [row for row in rows if row["status"] == "measured"]
    assert [(row["dataset"], row["preset"], row["score"], row["paper"]) for row in ours] == [
        ("ped1", "ped1/test fast", "z_mse", 85.0),
        ("ped1", "ped1/test fast", "fused", None),
        ("ped2", "ped2/test fast", "z_mse", 95.1),
        ("ped2", "ped2/test fast", "fused", None),
    ]
