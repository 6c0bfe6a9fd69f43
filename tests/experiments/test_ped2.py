"""`reproduce ped2` on a made-up set in Ped2's layout: what it writes, and that it goes on instead of anew."""

import json

import pytest
from clips import moving_square
from plans import plan

from latentwatch.errors import LatentwatchError
from latentwatch.experiments.ped2 import PAPER, reproduce_ped2
from latentwatch.training.settings import TrainingSettings


def test_page_and_json_say_the_same_and_finished_seeds_are_kept(tmp_path):
    for clip in ("01", "02"):
        moving_square(tmp_path / "data" / "training" / "frames" / clip, frames=30)
    moving_square(tmp_path / "data" / "testing" / "frames" / "01", frames=30, speed=3)
    labels = {"01": {"frames": 30, "anomalous": [[20, 30]]}}
    (tmp_path / "data" / "testing" / "labels.json").write_text(json.dumps(labels))

    page = reproduce_ped2(plan(tmp_path)).read_text()
    result = json.loads((tmp_path / "results" / "ped2.json").read_text())
    rows = {(row["score"], row["metric"]): row for row in result["rows"] if "fast" in row["preset"]}
    assert {row["preset"] for row in result["rows"]} == {"ped2/test fast", "ped2/test paper"}
    assert {score: rows[score, "auc_micro"]["paper"] for score in PAPER} == PAPER
    z_mse = rows["z_mse", "auc_micro"]
    assert z_mse["seeds"] == 2
    assert z_mse["ci95"] is not None
    assert f"| z_mse | auc_micro | {z_mse['value']:.1f} ± {z_mse['ci95']:.1f} | 95.1 | 2 |" in page
    assert "19 frames judged, 11 without a score left out" in page

    bundle = tmp_path / "runs" / "ped2" / "fast" / "seed-0" / "ped2.lw"
    trained = bundle.stat().st_mtime_ns
    reproduce_ped2(plan(tmp_path))
    assert bundle.stat().st_mtime_ns == trained
    with pytest.raises(LatentwatchError, match="trained with other settings"):
        reproduce_ped2(plan(tmp_path, forms={"fast": TrainingSettings(epochs=3)}))
