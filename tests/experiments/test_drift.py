"""`reproduce drift` in small: the page is written, and what is done is not done again."""

import json

from plans import plan

from latentwatch.experiments import drift
from latentwatch.experiments.drift import Amounts, reproduce_drift
from latentwatch.monitor import budget


def test_the_page_has_a_row_for_each_stage_and_goes_on(tmp_path, monkeypatch):
    amounts = Amounts(train=2, held_out=12, normal=1, site=1, tests=1, epochs=2, fine_tuning=2)
    monkeypatch.setattr(drift, "QUICK", amounts)
    monkeypatch.setattr(budget, "LEAST_PEAKS", 2)
    for name, frames in (("RUN", 40), ("CLIP", 60), ("TEST", 40)):
        monkeypatch.setattr(drift, name, frames)
    wanted = plan(tmp_path, name="drift-quick", quick=True, seeds=1, command="latentwatch reproduce drift")
    page = reproduce_drift(wanted)
    written = json.loads(page.with_suffix(".json").read_text())
    rows = {(row["score"], row["metric"]): row["value"] for row in written["rows"]}
    assert [key[0] for key in rows][::2] == [f"fused, {stage}" for stage in drift.STAGES]
    assert written["remarks"][0].startswith("Before the drift: ")
    # Three times a few seconds of the site are too little to learn from, and that is said.
    assert len(list((tmp_path / "runs" / "drift" / "seed-0" / "watched").iterdir())) == 3
    assert "of the site: refused: too little new footage yet" in written["remarks"][-1]
    monkeypatch.setattr(drift, "_measured", None)  # nothing is measured again
    monkeypatch.setattr(drift, "learn_enrolled", None)
    assert reproduce_drift(wanted) == page
