from plans import plan

from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.experiments import health


def test_rows_of_a_quick_look_say_so(tmp_path, monkeypatch):
    small = street_dataset(train_clips=1, test_clips=1, frames=50, size=(48, 72))
    monkeypatch.setattr(health, "dataset_of", lambda *_: small)
    monkeypatch.setattr(health, "street_dataset", lambda **_: small)
    monkeypatch.setattr(health, "ALTERATIONS", health.ALTERATIONS[:1])
    page = health.reproduce_health(plan(tmp_path, name="health-quick", quick=True))
    result = ResultFile.model_validate_json(page.with_suffix(".json").read_text())
    assert len(result.rows) == 2 * (3 + 2)
    assert {row.status for row in result.rows} == {"quick"}
    assert "**Quick" in page.read_text()
