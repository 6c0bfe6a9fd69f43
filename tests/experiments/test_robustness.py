"""`reproduce` of Figs. 2 to 5 and beyond on a made-up set like Ped2: what is written, and that it goes on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from clips import moving_square
from PIL import Image
from plans import plan

from latentwatch.experiments import frame_rate, weather
from latentwatch.experiments.accuracy import PED2
from latentwatch.experiments.beyond import reproduce_beyond
from latentwatch.experiments.frame_rate import reproduce_frame_rate, thinned
from latentwatch.experiments.horizons import HORIZONS, Horizons
from latentwatch.experiments.localisation import Count, _count, reproduce_localisation
from latentwatch.experiments.seeds import dataset_of, seed_folder, trained_seeds
from latentwatch.experiments.weather import QUICK, WHOLE, Grid, reproduce_weather
from latentwatch.scoring.codes import encoded
from latentwatch.scoring.localise import Box
from latentwatch.training.frames import build_store, frames_of
from latentwatch.training.settings import TrainingSettings


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the data, and runs that all tests here share."""
    folder = tmp_path_factory.mktemp("robustness")
    labels = {}
    for clip in ("01", "02"):
        moving_square(folder / "data" / "training" / "frames" / clip, frames=48)
        moving_square(folder / "data" / "testing" / "frames" / clip, frames=48, speed=2)
        labels[clip] = {"frames": 48, "anomalous": [[25, 40]]}
        masks = folder / "data" / "testing" / "masks" / clip
        masks.mkdir(parents=True)
        for index in range(48):
            mask = np.zeros((32, 48), dtype=np.uint8)
            if 24 <= index < 40:
                mask[10:22, 12:24] = 255
            Image.fromarray(mask).save(masks / f"{index:03}.png")
    (folder / "data" / "testing" / "labels.json").write_text(json.dumps(labels))
    return folder


def asked(folder, name, **changes):
    forms = {"fast": TrainingSettings(epochs=2)}
    return plan(folder, name=f"{name}-quick", forms=forms, seeds=1, quick=True, **changes)


def rows_of(folder, name):
    result = json.loads((folder / "results" / f"{name}-quick.json").read_text())
    assert {row["status"] for row in result["rows"]} == {"quick"}
    assert "**Quick:" in (folder / "results" / f"{name}-quick.md").read_text()
    return result, {(row["dataset"], row["score"], row["metric"]): row["value"] for row in result["rows"]}


def test_weather_is_judged_in_every_condition_and_goes_on(made, monkeypatch):
    grid = Grid(brightness=(1.0,), blur=(0.0,), single=("noise=0.3", "jpeg=5"))
    monkeypatch.setattr(weather, "QUICK", grid)
    reproduce_weather(asked(made, "fig4-5"))
    result, rows = rows_of(made, "fig4-5")
    assert len(rows) == 5 * 3 * 2
    assert "of all 5. Z-MSE and speed made one" in result["remarks"][0]
    clean, noisy = rows["ped2, none", "p_mse", "auc_macro"], rows["ped2, noise=0.3", "p_mse", "auc_macro"]
    assert clean != noisy
    for picture in ("samples", "curves", "single"):
        assert (made / "results" / f"fig4-5-quick-{picture}.png").stat().st_size > 5000

    kept = made / "runs" / "ped2" / "fast" / "seed-0" / "weather.json"
    state = json.loads(kept.read_text())
    del state["figures"]["jpeg=5"]
    state["figures"]["none"]["z_mse"]["auc_micro"] = 12.5
    state["commits"]["none"] = "0ld"
    kept.write_text(json.dumps(state))
    said = []
    reproduce_weather(asked(made, "fig4-5", say=said.append))
    assert [line.split(" (")[0] for line in said] == ["jpeg=5"]  # the others are kept
    result, rows = rows_of(made, "fig4-5")
    assert rows["ped2, none", "z_mse", "auc_micro"] == 12.5
    assert result["settings"]["judged_at_commit"] == f"0ld, {result['commit']}"
    kept.write_text(json.dumps({**state, "model": "another's checksum"}))
    said.clear()
    reproduce_weather(asked(made, "fig4-5", say=said.append))
    assert len(said) == 5  # those were of another model

    reproduce_weather(replace(asked(made, "fig4-5", say=said.append), seeds=2))
    both = [
        json.loads((made / "runs/ped2/fast" / seed / "weather.json").read_text())
        for seed in ("seed-0", "seed-1")
    ]
    noisy = [each["figures"]["noise=0.3"]["p_mse"]["auc_macro"] for each in both]
    assert noisy[0] != noisy[1]
    assert rows_of(made, "fig4-5")[1]["ped2, noise=0.3", "p_mse", "auc_macro"] == pytest.approx(
        sum(noisy) / 2
    )


def test_grids():
    assert len({str(how) for how in QUICK.conditions()}) == 12
    assert len({str(how) for how in WHOLE.conditions()}) == 46
    assert {str(how) for how in QUICK.conditions()} <= {str(how) for how in WHOLE.conditions()}


def test_frame_rate_trains_one_model_each(made, monkeypatch):
    monkeypatch.setattr(frame_rate, "QUICK_STEPS", (1, 3))
    reproduce_frame_rate(asked(made, "fig3"))
    result, rows = rows_of(made, "fig3")
    assert {key[0] for key in rows} == {"ped2, 1 frame in 1", "ped2, 1 frame in 3"}
    assert f"{2 * (48 - 11)} at d = 1, {2 * 3 * (16 - 11)} at d = 3" in result["protocol"]
    assert "of 2 values of d" in result["remarks"][0]
    assert {key[1] for key in rows} == {"z_mse", "p_mse", "fused"}
    assert (made / "runs" / "ped2-every-3" / "fast" / "seed-0" / "ped2-every-3.lw").is_file()
    data = thinned(dataset_of(asked(made, "fig3"), "ped2"), 3)
    assert [len(clip.labels) for clip in data.test] == [16] * 6
    assert len({clip.name for clip in data.test}) == 6
    assert data.train[0].fps == pytest.approx(10 / 3)


def test_localisation_shows_the_highest_of_each_kind(made):
    reproduce_localisation(asked(made, "fig2"))
    _, rows = rows_of(made, "fig2")
    assert {key[1:] for key in rows} == {
        (score, metric) for score in ("z_mse", "p_mse") for metric in ("regions_found", "false_boxes")
    }
    assert (made / "results" / "fig2-quick-boxes.png").stat().st_size > 20000


@pytest.fixture
def short_tracks(monkeypatch):
    """The made-up square is not seen as long as a person is."""
    monkeypatch.setattr("latentwatch.datasets.altered.SHORTEST_TRACK", 10)


@pytest.mark.usefixtures("short_tracks")
def test_beyond_judges_every_score_and_the_mean_is_z_mse(made):
    reproduce_beyond(asked(made, "beyond"))
    PED2.run(asked(made, "ped2"))
    result, beyond = rows_of(made, "beyond")
    _, usual = rows_of(made, "ped2")
    micro = {
        score.removeprefix("z "): value
        for (dataset, score, metric), value in beyond.items()
        if dataset == "ped2" and metric == "auc_micro"
    }
    assert len(micro) == 35
    on_altered = {score: value for (dataset, score, _), value in beyond.items() if dataset == "altered ped2"}
    assert {score.removeprefix("z ") for score in on_altered} == set(micro)
    highest = max(on_altered, key=lambda score: on_altered[score]).removeprefix("z ")
    assert f"the highest micro AUC there have {highest} (" in result["remarks"][1]
    in_rain = {score: value for (dataset, score, _), value in beyond.items() if "rain=heavy" in dataset}
    assert set(in_rain) == {"z mean", "z speed", "z mean + 2 speed", "z horizons + 2 speed"}
    assert in_rain["z mean"] != on_altered["z mean"]
    assert f"in rain=heavy, micro AUC on average: mean {in_rain['z mean']:.1f}, speed" in result["remarks"][2]
    told = result["remarks"][0].split("average: ")[1]
    named = {part.rsplit(" (", 1)[0] for part in told.split("; ")} - {"none."}
    assert named == {score for score in micro if micro[score] > micro["mean"]}  # of the only seed
    for metric in ("auc_micro", "auc_macro", "auc_raw", "eer"):
        assert beyond["ped2", "z mean", metric] == usual["ped2", "z_mse", metric]
        # What the product scores by is one of them.
        assert beyond["ped2", "z mean + 2 speed", metric] == pytest.approx(usual["ped2", "fused", metric])

    kept = made / "runs" / "ped2" / "fast" / "seed-0" / "beyond.json"
    state = json.loads(kept.read_text())
    del state["figures"]["altered ped2"]
    kept.write_text(json.dumps(state))
    said = []
    reproduce_beyond(asked(made, "beyond", say=said.append))
    assert [line for line in said if "judging" in line] == ["judging altered ped2"]  # the others are kept
    assert rows_of(made, "beyond")[1] == beyond


@pytest.mark.usefixtures("short_tracks")
def test_horizons_are_fitted_once_and_averaged_by_their_usual_error(made):
    said = []
    asked_for = asked(made, "beyond", say=said.append)
    reproduce_beyond(asked_for)
    said.clear()
    (made / "runs" / "ped2" / "fast" / "seed-0" / "beyond.json").unlink()
    reproduce_beyond(asked_for)
    assert "judging ped2" in said
    assert not any("frames ahead" in line for line in said)
    dataset = dataset_of(asked_for, "ped2")
    (form,) = asked_for.forms
    model, _ = next(trained_seeds(asked_for, dataset, form))
    store = build_store(dataset.train, model.architecture.size, made / "frames")
    seen, held_out = store.split(model.architecture.span)
    folder = seed_folder(asked_for, dataset, form, 0) / "horizons"
    normal = [encoded(model, frames_of(store, *run)) for run in held_out]
    horizons = Horizons(model, asked_for.forms[form], store, seen, normal, folder, asked_for)
    found = horizons.scores(encoded(model, frames_of(store, 0, 40)))
    near, usual, far = (found[f"mean, horizon {horizon} refitted"] for horizon in HORIZONS)
    first = model.architecture.k - 1
    assert [int(np.isnan(each).sum()) for each in (near, usual, far)] == [first + each for each in HORIZONS]
    together = found["mean, horizons 3, 6, 9"]
    assert np.isnan(together[: first + 3]).all()
    np.testing.assert_allclose(together[first + 3], near[first + 3])
    np.testing.assert_allclose(together[-1], (near[-1] + usual[-1] + far[-1]) / 3)


def test_regions_found_and_false_boxes():
    count = Count()
    regions = [Box(0, 0, 10, 10, 1.0), Box(30, 30, 40, 40, 1.0)]
    _count(count, [Box(0, 0, 10, 12, 5.0), Box(1, 0, 10, 10, 4.0), Box(60, 60, 70, 70, 3.0)], regions)
    _count(count, [], regions[:1])
    _count(count, [Box(0, 0, 5, 5, 1.0)], [])
    assert (count.frames, count.regions, count.found, count.false) == (3, 3, 1, 2)
