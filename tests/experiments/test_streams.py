import json
import signal
import weakref

import numpy as np
import pytest
from clips import SMALL, moving_square, random_model
from typer.testing import CliRunner

from latentwatch.bundle.bundle import Calibration
from latentwatch.cli.main import app
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.experiments.speed.systems import DenseTorch
from latentwatch.experiments.streams import load as load_module
from latentwatch.experiments.streams.costs import STAGES, Cost, measure_costs
from latentwatch.experiments.streams.film import SIZE, camera_film
from latentwatch.experiments.streams.load import Load
from latentwatch.experiments.streams.page import load_remarks, load_rows
from latentwatch.experiments.streams.run import StreamsPlan, measure_streams
from latentwatch.experiments.streams.steps import PARTS, measure_steps
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.scheduler import Scored
from latentwatch.video.frame import Frame
from latentwatch.video.source import open_video

CALIBRATION = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=1)


@pytest.fixture(autouse=True)
def _one_round(monkeypatch):
    monkeypatch.setattr("latentwatch.experiments.streams.costs.ROUNDS", 1)


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    return moving_square(tmp_path_factory.mktemp("streams") / "clip", frames=40)


def plan(footage, results, **changes):
    settings = {
        "detector": Detector(random_model(SMALL), CALIBRATION),
        "source": footage,
        "streams": [2, 1],
        "rates": [10],
        "seconds": 1,
        "wait": 0.02,
        "results": results,
        "command": "latentwatch streams MODEL --source FILE",
        "say": lambda _: None,
    }
    return StreamsPlan(**{**settings, **changes})


def test_the_film_is_what_cameras_send(footage, tmp_path):
    film = camera_film(footage, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["camera.mp4"]
    frames = list(open_video(film))
    assert len(frames) == 40
    assert frames[0].rgb.shape == (*SIZE, 3)
    assert camera_film(film, tmp_path / "not needed") == film


def test_loads_are_measured_and_written(footage, tmp_path):
    page = measure_streams(plan(footage, tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "README.md",
        "streams.json",
        "streams.md",
        "streams.png",
    }
    result = json.loads((tmp_path / "streams.json").read_text())
    rows = {(row["dataset"], row["metric"]): row["value"] for row in result["rows"]}
    for number in (1, 2):
        of = {metric: value for (name, metric), value in rows.items() if name.startswith(f"{number} x")}
        assert 0 < of["fps"] < 15 * number
        assert of["fps"] / (1 - of["lost_percent"] / 100) == pytest.approx(10 * number, rel=0.5)
        assert 0 < of["latency_ms_p50"] <= of["latency_ms_p99"]
        assert 1 <= of["frames_in_a_batch"] <= number
        assert of["cpu_ms"] * of["fps"] / 1000 == pytest.approx(of["cores"], rel=1e-3)
        assert of["memory_mib"] > 50
    for batch in (1, 2):
        assert all(rows[f"batch of {batch}", f"cpu_ms_{stage}"] > 0 for stage in STAGES)
    assert page.read_text().count("\n| batch of") == 2


def test_the_pictures_of_scored_frames_are_not_kept(monkeypatch):
    monkeypatch.setattr(load_module, "SETTLE", 0.0)
    pictures = []

    def batches():
        while True:
            picture = np.zeros((2, 2, 3), dtype=np.uint8)
            pictures.append(weakref.ref(picture))
            yield [Scored("door", Frame(0, 0.0, picture), None, 0.01, 0)]

    measured = load_module._measured(batches(), 0.2)
    assert measured.scored
    assert sum(each() is not None for each in pictures) <= 1 < len(pictures)


def test_ctrl_c_keeps_what_was_measured(footage, tmp_path):
    def say(line):
        if line.startswith("1 camera at"):
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError, match="stopped at 1 of 2 measurements; the 1 measured are in"):
        measure_streams(plan(footage, tmp_path, say=say))
    result = json.loads((tmp_path / "streams.json").read_text())
    assert {row["dataset"] for row in result["rows"] if row["metric"] == "fps"} == {
        "1 x 640x360 at 10 frames/s"
    }


def test_a_film_that_is_too_short_to_measure_on(tmp_path):
    film = camera_film(moving_square(tmp_path / "clip", frames=20), tmp_path)
    with pytest.raises(LatentwatchError, match="has 20 frames; 32 or more"):
        measure_costs(Detector(random_model(SMALL), CALIBRATION), film, [1])


def test_motion_is_measured_on_streams_that_predict(footage, tmp_path, monkeypatch):
    predicted = []

    class Counting(DenseTorch):
        def predict(self, codes):
            predicted.append(len(codes))
            return super().predict(codes)

    model = random_model(SMALL)
    monkeypatch.setattr("latentwatch.experiments.streams.costs._cpu_ms", lambda work: work() or 1.0)
    detector = Detector(model, CALIBRATION, engine=Counting(model))
    measure_costs(detector, camera_film(footage, tmp_path), [16])
    assert predicted.count(16) == 2  # of 32 frames


def load(streams, fps, scored, lost):
    return Load(
        streams=streams,
        fps=fps,
        seconds=10.0,
        scored=scored,
        lost=lost,
        p50_ms=20.0,
        p99_ms=40.0,
        worst_p99_ms=50.0,
        batch=1.5,
        cpu_ms=12.0,
        cores=1.2,
        other_cores=0.1,
        memory_mib=300.0,
    )


def test_the_page_says_what_was_kept_up_with_and_what_bounds_it(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    loads = [load(1, 10, 100, 0), load(4, 10, 399, 0), load(8, 10, 700, 100), load(2, 25, 400, 100)]
    costs = [
        Cost(stage, batch, value * (2 if batch == 1 else 1))
        for batch in (1, 8)
        for stage, value in zip(STAGES, (1.0, 1.0, 5.0, 1.5, 0.5, 1.0), strict=True)
    ]
    page = "\n".join(load_remarks(costs, loads))
    assert "Kept up with 4 cameras at 10 frames/s (tried: 1, 4, 8)." in page
    assert "Kept up with 0 cameras at 25 frames/s (tried: 2)." in page
    assert "a frame costs 10.0 ms of processor time, of which encode is 50%" in page
    assert "2 cores cannot do more than 200 frames/s" in page
    assert "| 8 | 10 | 70.0 | 12.5 | 20 | 40 | 50 | 1.5 | 12.0 | 1.20 | 0.10 | 300 |" in page
    assert "| batch of 1 | 2.00 | 2.00 | 10.00 | 3.00 | 1.00 | 2.00 | 20.00 |" in page
    rows = load_rows("128x192", "fused", costs, loads)
    assert {row.score for row in rows} == {"fused"}
    assert [row.value for row in rows if row.metric == "lost_percent"] == [0, 0, 12.5, 20]


def test_a_long_stream_takes_no_more_memory_or_time_a_step(tmp_path):
    page = measure_steps(1000, "torch", tmp_path, "latentwatch streams --steps 1000", say=lambda _: None)
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "steps.json", "steps.md", "steps.png"}
    rows = json.loads((tmp_path / "steps.json").read_text())["rows"]
    value = {row["metric"]: row["value"] for row in rows}
    assert value["steps"] == 1000
    assert value["memory_mib_last"] - value["memory_mib_first"] < 3
    assert value["ratio"] == pytest.approx(value["cpu_us_second_half"] / value["cpu_us_first_half"])
    assert "Over 1000 steps" in page.read_text()


def test_ctrl_c_keeps_the_steps_that_were_measured(tmp_path):
    said = []

    def say(line):
        said.append(line)
        if len(said) == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError, match="stopped after 60 of 400 measured steps"):
        measure_steps(400, "torch", tmp_path, "latentwatch streams --steps 400", say=say)
    assert json.loads((tmp_path / "steps.json").read_text())["settings"]["parts"] == 3


def test_a_folder_that_cannot_be_is_refused_before_the_work(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(LatentwatchError, match="taken: cannot make this folder for the results"):
        measure_steps(400, "torch", tmp_path / "taken", "", say=pytest.fail)


def test_the_page_names_the_number_format(tmp_path):
    words = ["streams", "--steps", str(PARTS), "--engine", "torch", "--fp32", "--to", str(tmp_path)]
    CliRunner().invoke(app, words, catch_exceptions=False)
    result = json.loads((tmp_path / "steps.json").read_text())
    assert result["command"] == f"latentwatch streams --steps {PARTS} --engine torch --fp32"
    with pytest.raises(UsageError, match="--bf16: ONNX Runtime computes in fp32"):
        CliRunner().invoke(
            app, ["streams", "--steps", "20", "--engine", "onnx", "--bf16"], catch_exceptions=False
        )


def test_the_command_measures_steps_without_a_model(tmp_path):
    words = ["streams", "--steps", str(10 * PARTS), "--engine", "torch", "--to", str(tmp_path)]
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert f"results: {tmp_path}/steps.md" in done.stdout.replace("\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "a model file and --source are needed, or --steps"),
        (["--steps", "3"], "give 20 or more"),
        (["--steps", "20", "--int8"], "--steps: its model has no int8 form"),
        (["none.lw", "--source", "none.mp4"], "no such model file"),
        (
            ["none.lw", "--source", "none.mp4", "--streams", "1,x"],
            "--streams 1,x: expected whole numbers from 1",
        ),
        (["none.lw", "--source", "none.mp4", "--streams", "1.5"], "--streams 1.5: expected whole numbers"),
        (["none.lw", "--steps", "1000"], "--steps: takes a model of its own"),
        (["none.lw", "--source", "none.mp4", "--fps", "0"], "--fps 0: expected numbers from 1"),
    ],
)
def test_mistakes(words, message):
    with pytest.raises(UsageError, match=message):
        CliRunner().invoke(app, ["streams", *words], catch_exceptions=False)
