"""Tables 4 and 5 and Fig. 6 on a made-up set in Ped2's layout: each model is trained once, the page right."""

import json

import pytest
from clips import SMALL, moving_square

from latentwatch.bundle.bundle import load_bundle
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.experiments import ablation, contamination, motion_models, reconstruction_losses
from latentwatch.experiments.seeds import Plan, trained_model
from latentwatch.experiments.variants import Variant, ped2_without_masks, variant_plan
from latentwatch.training.settings import TrainingSettings


@pytest.fixture
def made(tmp_path):
    for clip in ("01", "02"):
        moving_square(tmp_path / "data" / "training" / "frames" / clip, frames=30)
    labels = {}
    for number, clip in enumerate(("01", "02")):
        moving_square(tmp_path / "data" / "testing" / "frames" / clip, frames=44, speed=3 + number)
        labels[clip] = {"frames": 44, "anomalous": [[16, 40]]}
    (tmp_path / "data" / "testing" / "labels.json").write_text(json.dumps(labels))
    settings = TrainingSettings(epochs=2, phase_one=0.5, warm_up_passes=1)

    (tmp_path / "results").mkdir()

    def make(name, **changes):
        return Plan(
            name=name,
            data=tmp_path / "data",
            architecture=SMALL,
            preset="ped2/test",
            forms=changes.get("forms", {"fast": settings}),
            seeds=1,
            command=f"latentwatch reproduce {name}",
            compiled=False,
            runs=tmp_path / "runs",
            results=tmp_path / "results",
            say=lambda _: None,
        )

    return make


def rows_of(asked):
    return json.loads((asked.results / f"{asked.name}.json").read_text())["rows"]


def test_table4_trains_each_loss_once_and_quotes_the_paper_as_such(made, monkeypatch):
    two = [reconstruction_losses.VARIANTS[0], reconstruction_losses.VARIANTS[1]]
    monkeypatch.setattr(reconstruction_losses, "VARIANTS", two)
    asked = made("table4")
    page = reconstruction_losses.reproduce_reconstruction_losses(asked).read_text()
    rows = rows_of(asked)
    ours = {(row["preset"], row["score"]): row for row in rows if row["status"] == "measured"}
    assert set(ours) == {
        (f"ped2/test fast, {loss}", score) for loss in ("mse", "gdl") for score in ("r_mse", "z_mse", "p_mse")
    }
    assert all(row["paper"] is None for row in ours.values())  # Avenue's figures are not Ped2's
    quoted = [row for row in rows if row["status"] == "quoted"]
    assert {row["dataset"] for row in quoted} == {"avenue"}
    assert "| paper, gdl | avenue | z_mse | auc_micro |  | 84.2 ± 0.1 |" in page
    assert (asked.results / "table4.png").is_file()
    best = max(("mse", "gdl"), key=lambda loss: ours[f"ped2/test fast, {loss}", "z_mse"]["value"])
    assert f"z_mse with {best} (" in page
    models = {path.parent.parent.name: path for path in asked.runs.rglob("*.lw")}
    assert set(models) == {"fast", "fast-gdl"}
    times = {name: path.stat().st_mtime_ns for name, path in models.items()}
    reconstruction_losses.reproduce_reconstruction_losses(asked)
    assert {name: path.stat().st_mtime_ns for name, path in models.items()} == times


def test_ablation_trains_each_variant_as_it_says(made):
    asked = made("ablation")
    page = ablation.reproduce_ablation(asked).read_text()
    rows = {(row["preset"].split(", ")[1], row["score"], row["metric"]): row for row in rows_of(asked)}
    assert {key[0] for key in rows} == {"as it is", "no variance", "no contrast", "stopped"}
    assert "crosses" not in page
    folders = {path.parent.parent.name: path for path in asked.runs.rglob("*.lw")}
    assert set(folders) == {
        "fast",
        "fast-variance-0.0",
        "fast-speed_contrast-0.0",
        "fast-latent_gradient-stop",
    }
    _, info = load_bundle(folders["fast-latent_gradient-stop"])
    assert info.provenance["settings"]["latent_gradient"] == "stop"


def test_table5_has_the_papers_scores_and_the_delay_of_each_model(made):
    asked = made("table5")
    motion_models.reproduce_motion_models(asked)
    rows = {(row["preset"].split(", ")[1], row["score"], row["metric"]): row for row in rows_of(asked)}
    assert rows["conv3d", "z_mse", "auc_micro"]["paper"] == 95.1
    assert rows["conv-lstm", "p_mse", "auc_micro"]["paper"] == 90.3
    assert rows["autoregressive", "z_nll", "auc_micro"]["paper"] == 92.31
    assert not any(model == "autoregressive" and score == "p_mse" for model, score, _ in rows)
    for model, score in (("conv3d", "z_mse"), ("conv-lstm", "z_mse"), ("autoregressive", "z_nll")):
        assert 0 <= rows[model, score, "delay_frames"]["value"] <= 25
        assert rows[model, score, "missed_spans (of 2)"]["value"] in (0, 1, 2)
        assert 0 <= rows[model, score, "false_after (of 8 frames)"]["value"] <= 100


def test_fig6_judges_every_system_at_every_share(made, monkeypatch):
    monkeypatch.setattr(contamination, "LEVELS", (0.0, 0.28))
    monkeypatch.setattr(contamination, "BASELINES", ("mem-ae",))
    asked = made("fig6")
    page = contamination.reproduce_contamination(asked).read_text()
    rows = {
        (row["system"], row["score"], row["preset"].split(", ")[1], row["dataset"]) for row in rows_of(asked)
    }
    assert rows == {
        (system, score, share, f"ped2: {judged}")
        for system, score in (
            ("decoupled", "z_mse"),
            ("decoupled", "p_mse"),
            ("decoupled", "fused"),
            ("mem-ae", "mem-ae"),
        )
        for share in ("0% anomalous", "28% anomalous")
        for judged in contamination.JUDGED
    }
    assert "sampled at random" in page
    assert "ours, P-MSE" in page.split("in points: ")[1]
    assert {path.name for path in asked.runs.iterdir()} == {"ped2", "ped2-28-anomalous"}


def test_the_papers_own_variant_is_the_model_of_the_other_experiments(made):
    asked = made("table5")
    assert variant_plan(asked, "fast", Variant("conv3d", {}))[1] == "fast"
    other, name = variant_plan(asked, "fast", Variant("x", {}, motion="conv-lstm", reconstruction="gdl"))
    assert name == "fast-conv-lstm-gdl"
    assert other.architecture == SMALL.model_copy(update={"motion": "conv-lstm"})
    assert other.forms[name].reconstruction == "gdl"
    with pytest.raises(UsageError, match="shows one form"):
        motion_models.reproduce_motion_models(made("table5", forms={"fast": None, "paper": None}))


def test_a_model_of_other_settings_is_not_taken(made):
    asked = made("table5")
    dataset = ped2_without_masks(asked)
    trained_model(asked, dataset, "fast", 0)
    other = made("table5", forms={"fast": TrainingSettings(epochs=2, reconstruction="gdl")})
    with pytest.raises(LatentwatchError, match="trained with other settings"):
        trained_model(other, dataset, "fast", 0)
