"""The race, the ratios, what it says, and a small one run for real."""

import json

import pytest
import torch
from plans import plan
from typer.testing import CliRunner

from latentwatch.cli.main import app
from latentwatch.errors import LatentwatchError, StoppedError
from latentwatch.experiments.speed import bench as bench_module
from latentwatch.experiments.speed import systems
from latentwatch.experiments.speed import table3 as table3_module
from latentwatch.experiments.speed.bench import quick_plan, run_bench
from latentwatch.experiments.speed.costs import Arithmetic, arithmetic, peak_memory
from latentwatch.experiments.speed.end_to_end import Run, run_through, street_film
from latentwatch.experiments.speed.measured import Measured, targets
from latentwatch.experiments.speed.openvino_baseline import OpenvinoBaseline
from latentwatch.experiments.speed.page import plot_speed, table3_ratios, tables
from latentwatch.experiments.speed.parts import BASELINE, Part
from latentwatch.experiments.speed.race import Spread, Times, race, spread
from latentwatch.experiments.speed.rows import speed_rows
from latentwatch.experiments.speed.systems import Racer, racers, street_frames


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_ratios_pair_the_rounds():
    times = Times({"ours": [0.1, 0.2, 0.4], "theirs": [1.0, 1.0, 8.0]})
    assert times.ratios("ours", "theirs") == [10, 5, 20]  # not 1 / 0.2, the medians' ratio
    assert spread(times.ratios("ours", "theirs")) == Spread(10, 7.5, 15)
    assert spread([3.0]) == Spread(3, 3, 3)


def test_a_stopped_race_keeps_whole_rounds_alone():
    turns = []

    def after(name):
        turns.append(name)
        if len(turns) == 7:
            raise KeyboardInterrupt

    times = Times()
    with pytest.raises(KeyboardInterrupt):
        race(dict.fromkeys("abc", lambda: None), times, rounds=5, seconds=0, after=after)
    assert times.rounds == 2
    assert {len(each) for each in times.seconds.values()} == {2}
    assert sorted(turns[:3]) == sorted(turns[3:6]) == list("abc")


@pytest.mark.parametrize("system", ["conv-ae", "mnad"])
def test_a_baseline_scores_the_same_on_openvino(system):
    pytest.importorskip("openvino")
    from latentwatch.baselines.registry import build
    from latentwatch.baselines.scorer import BaselineSettings

    torch.manual_seed(0)
    model = build(BaselineSettings(system=system, height=32, width_px=48, share=0.05)).eval()
    converted = OpenvinoBaseline(model)
    frames = street_frames((32, 48), model.clip_length + 2)
    assert converted.size == (32, 48)
    for rgb in frames:
        expected, score = model.step(rgb), converted.step(rgb)
        assert score == (None if expected is None else pytest.approx(expected, rel=1e-4))
    assert expected is not None


def test_arithmetic_is_that_of_the_convolutions():
    """Encoder: two convolutions a block at 128x192, 64x96, 32x48, 16x24. Motion step: nine at 16x24."""
    count = 0
    for level, (a, b) in enumerate([(3, 8), (8, 16), (16, 32), (32, 64)]):
        count += 9 * (a + b) * b * (128 >> level) * (192 >> level)
    count += 9 * 9 * 64 * 64 * 16 * 24
    found = arithmetic(Racer("decoupled", "tiny", "ped2", "torch"))
    assert found.gflop == pytest.approx(2 * count / 1e9)
    assert found.parameters == pytest.approx(0.405, abs=0.005)


@pytest.fixture
def two_engines(monkeypatch):
    """As on a CPU without bf16, whatever this one has."""
    pytest.importorskip("openvino")
    monkeypatch.setattr(systems, "formats", lambda: [("torch", "fp32"), ("openvino", "fp32")])


@pytest.fixture
def no_int8(monkeypatch):
    """One network less to make, where another test has it."""
    monkeypatch.setattr(systems, "has_int8", lambda: False)


def made_up():
    measured = Measured(racers=racers(("ped2",), ("tiny", "small"), ("conv-ae", "latent-auto")))
    seconds = {"tiny": 0.01, "small": 0.002, "conv-ae": 0.04, "latent-auto": 0.5}
    for racer in measured.racers:
        base = seconds[racer.width if racer.is_ours else racer.system]
        measured.race.seconds[str(racer)] = [base, base, base]
        measured.costs[racer] = Arithmetic(2.0, 5.0)
    measured.peaks = {"fp32": 400.0}
    parts = {"encoder": 0.004, "dense": 0.012, "step": 0.006, "whole": 0.01}
    for name, each in parts.items():
        part = Part(name, "tiny", 8, "openvino fp32")
        measured.part_list.append(part)
        measured.parts.seconds[str(part)] = [each]
    for name, each in {"encoder": 0.002, "step": 0.003, "whole": 0.0075}.items():
        part = Part(name, "tiny", 8, "openvino int8")
        measured.part_list.append(part)
        measured.parts.seconds[str(part)] = [each]
    slow = Part("whole", "tiny", 8, BASELINE)
    measured.part_list.append(slow)
    measured.parts.seconds[str(slow)] = [0.06]
    measured.films[("tiny", 1080)] = [Run(0.02, 0.006, 0.004, 0.01)]
    return measured


@pytest.mark.usefixtures("two_engines")
def test_what_is_said_of_made_up_times(tmp_path, monkeypatch):
    monkeypatch.setattr(systems, "has_int8", lambda: True)
    measured = made_up()
    found = {each.what: (each.ratio.median, each.met) for each in targets(measured)}
    assert found == {
        "frames/s over ConvAE, 128x192, torch fp32": (pytest.approx(4), False),
        "frames/s over LatentAuto, 128x192, torch fp32": (pytest.approx(50), True),
        "frames/s over ConvAE, 128x192, openvino fp32": (pytest.approx(4), False),
        "frames/s over LatentAuto, 128x192, openvino fp32": (pytest.approx(50), True),
        "motion step over dense motion model, k = 8, openvino fp32": (pytest.approx(2), True),
        "best engine (openvino fp32) over torch fp32 dense": (pytest.approx(6), True),
        "best engine (openvino int8) over torch fp32 dense": (pytest.approx(8), True),
    }
    text = "\n".join(line for table in tables(measured) for line in table.markdown())
    assert "| ped2/small | latent-auto | 128x192 | torch fp32 | 250 (250 to 250) | 45 |" in text
    assert "| ped2 | paper, GTX 1080 Ti | 75 | 63 | 2 | 90 |" in text
    assert "| ped2 | here, torch fp32 | 25 |  | 2 | 100 |" in text
    assert "| ped2 | here, openvino int8 |  |  |  | 100 |" in text
    assert "| tiny | 8 | openvino fp32 | 4 | 12 | 6 | 2 (2 to 2) |  |" in text
    assert "| tiny | 8 | openvino int8 | 2 |  | 3 |  |  |" in text
    ratios = "\n".join(table3_ratios(measured, "tiny").markdown())
    assert "| ped2 | paper, GTX 1080 Ti | 1.2 | 1.43 | 45 |" in ratios
    assert "| ped2 | here, torch fp32 | 4 (4 to 4) |  | 50 (50 to 50) |" in ratios
    assert "| tiny | 1080 | 50 (50 to 50) | 6.00 | 4.00 | 10.00 |" in text
    rows = speed_rows(measured, "measured")
    ratio = next(row for row in rows if row.metric == "ratio" and row.system == "latent-auto")
    assert (ratio.value, ratio.quartiles, ratio.paper) == (pytest.approx(50), (50, 50), 45)
    assert not [row for row in rows if row.metric == "peak_percent" and row.engine == "openvino int8"]
    share = next(row for row in rows if row.metric == "peak_percent" and row.preset == "ped2/tiny")
    assert share.value == pytest.approx(100 * 2 * 100 / 400)
    assert {row.value for row in rows if row.status == "quoted"} == {75, 63, 2, 81, 90, 71, 48, 5, 77}
    plot_speed(measured, tmp_path / "speed.png")
    assert (tmp_path / "speed.png").stat().st_size > 10_000


def test_memory_is_that_of_a_process_of_its_own():
    ballast = torch.ones(100 * 2**20, dtype=torch.float32)  # 400 MiB that must not count
    found = peak_memory(Racer("decoupled", "tiny", "ped2", "torch"), 1)
    assert ballast.numel()
    if found is None:
        pytest.skip("no /proc here")
    assert 50 < found < 3000


def test_a_film_is_scored_from_the_file(tmp_path):
    from clips import SMALL, random_model

    from latentwatch.bundle.bundle import Calibration
    from latentwatch.scoring.detector import Detector

    street_film((64, 96), 30, tmp_path / "film.mp4")
    limits = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    run = run_through(tmp_path / "film.mp4", Detector(random_model(SMALL), limits), SMALL.size)
    assert run.total == pytest.approx(run.decode + run.resize + run.score)
    assert min(run.decode, run.resize, run.score) > 0


def small_plan(folder, **changes):
    small = {"datasets": ("ped2",), "widths": ("tiny",), "systems": ("conv-ae",), "seconds": 0.0}
    return quick_plan(folder, "latentwatch bench --quick", only="race", threads=1, **{**small, **changes})


@pytest.mark.usefixtures("two_engines")
def test_a_small_race_for_real(tmp_path):
    int8 = systems.has_int8()
    told = []
    measured, page = run_bench(small_plan(tmp_path), lambda *each: told.append(each))
    assert measured.race.rounds == 2
    turns = 2 * (4 + int8)  # the baseline is not in int8
    assert ("race", turns, turns) in told
    assert page == tmp_path / "speed-race-quick.md"
    result = json.loads(page.with_suffix(".json").read_text())
    timed = {(row["system"], row["engine"]) for row in result["rows"] if row["metric"] == "fps"}
    assert (("decoupled", "openvino int8") in timed) == int8
    assert ("conv-ae", "openvino int8") not in timed
    ours = [row for row in result["rows"] if row["metric"] == "ratio"]
    assert [row["engine"] for row in ours] == ["torch fp32", "openvino fp32"]
    assert all(row["value"] > 1 and row["status"] == "quick" for row in ours)
    assert page.with_suffix(".png").is_file()
    assert "Not a result" in page.read_text()


@pytest.mark.usefixtures("no_int8")
def test_a_small_table3_for_real(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    small = {"systems": ("conv-ae",), "seconds": 0.0}
    monkeypatch.setattr(table3_module, "quick_plan", lambda *a, **k: quick_plan(*a, **{**k, **small}))
    said = []
    asked = plan(tmp_path, name="table3-quick", preset="ped2/tiny", quick=True, say=said.append)
    page = table3_module.reproduce_table3(asked).read_text()
    assert "## Table 3: frames/s (ours: width tiny)" in page
    assert "| data set | where | ConvAE | FFP+MC | LatentAuto | ours |" in page
    (here,) = [
        line for line in page.splitlines() if line.startswith("| ped2 | here, torch fp32 | ") and "(" in line
    ]
    assert float(here.split("|")[3].split()[0]) > 0
    assert any("turns, about" in line for line in said)
    assert (tmp_path / "results" / "table3-quick.png").is_file()


@pytest.mark.usefixtures("two_engines")
def test_a_folder_that_cannot_be_is_refused_before_the_race(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LatentwatchError, match="taken: cannot make this folder for the results"):
        run_bench(small_plan(tmp_path / "taken"), pytest.fail)


@pytest.mark.usefixtures("two_engines", "no_int8")
def test_ctrl_c_keeps_the_finished_rounds(tmp_path):
    def stop(section, done, _total):
        if section == "race" and done == 5:
            raise KeyboardInterrupt

    with pytest.raises(StoppedError, match=r"the finished rounds are in .*speed-race-quick\.md"):
        run_bench(small_plan(tmp_path), stop)
    result = json.loads((tmp_path / "speed-race-quick.json").read_text())
    assert result["settings"]["rounds"] == 1


def test_the_command_shows_tables(tmp_path, monkeypatch):
    pytest.importorskip("openvino")
    small = {"widths": ("tiny",), "seconds": 0.0}
    monkeypatch.setattr(bench_module, "quick_plan", lambda *a, **k: quick_plan(*a, **{**k, **small}))
    words = ["bench", "--quick", "--only", "parts", "--rounds", "1", "--threads", "1", "--to", str(tmp_path)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Parts of ours" in done.output
    result = json.loads((tmp_path / "speed-parts-quick.json").read_text())
    assert result["command"] == "latentwatch bench --quick --rounds 1 --only parts --threads 1"
    assert {row["metric"] for row in result["rows"]} >= {"ms_encoder", "ms_dense", "ms_step", "speedup_step"}
