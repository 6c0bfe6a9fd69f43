"""The whole way through the command line, on footage made here."""

import csv
import json
import signal
import time

import pytest
from clips import moving_square
from command import run, start
from encoded import film

from latentwatch.bundle.bundle import load_bundle
from latentwatch.evaluation.result_file import ResultFile
from latentwatch.experiments.live.rtsp_script import PASSWORD
from latentwatch.models.presets import preset
from latentwatch.training.settings import FORMS

TINY = ["--width", "tiny", "--size", "32x48", "--epochs"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    for name in "abc":
        moving_square(folder / "normal" / name, frames=40)
    run("train", folder / "normal", "-o", folder / "door.lw", *TINY, 2)
    return folder


def test_train_score_info(trained):
    assert '"k": 8' in run("info", trained / "door.lw").stdout
    moving_square(trained / "new", frames=30, speed=3)
    run("score", trained / "door.lw", trained / "new", "-o", trained / "out", "--video")
    rows = list(csv.DictReader((trained / "out" / "new.csv").open()))
    assert len(rows) == 30
    assert [row["fused"] for row in rows[:13]] == [""] * 13
    frames = json.loads((trained / "out" / "new.json").read_text())["frames"]
    assert frames[20]["fused"] == pytest.approx(float(rows[20]["fused"]), rel=1e-5)
    assert {path.suffix for path in (trained / "out").iterdir()} == {".csv", ".json", ".png", ".mp4"}


def test_no_results_take_the_place_of_others(trained):
    for name in ("x/y", "x_y"):
        moving_square(trained / "alike" / name, frames=1)
    said = run("score", trained / "door.lw", trained / "alike", "-o", trained / "none", code=2).stderr
    assert said.endswith("x/y and x_y: the results of both would be called x_y; rename one\n")
    assert not (trained / "none").exists()


def test_no_results_take_the_place_of_the_footage(trained):
    footage = trained / "film.mp4"
    film(footage, "h264", count=2)
    before = footage.read_bytes()
    said = run("score", trained / "door.lw", footage, "-o", trained, "--video", code=2).stderr
    assert said.endswith("film.mp4: is the footage; give the results another folder with --output\n")
    run("score", trained / "door.lw", footage, "-o", trained)  # tables and a plot may lie beside it
    assert (trained / "film.csv").is_file()
    assert footage.read_bytes() == before


def test_the_paper_preset_is_the_paper(trained):
    words = ["--preset", "paper", "--size", "32x48", "--epochs", 2]
    run("train", trained / "normal", "-o", trained / "paper.lw", *words)
    _, info = load_bundle(trained / "paper.lw")
    assert info.architecture == preset("ped2", "paper").model_copy(update={"height": 32, "width_px": 48})
    assert info.provenance["settings"] == FORMS["paper"].model_copy(update={"epochs": 2}).model_dump()
    assert info.fusion is None


def test_same_seed_gives_the_same_model(trained):
    run("train", trained / "normal", "-o", trained / "twin.lw", *TINY, 2)
    one, two = (load_bundle(trained / name)[0].state_dict() for name in ("door.lw", "twin.lw"))
    for name in one:
        assert (one[name] - two[name]).abs().max() < 1e-5, name


def test_two_processes_train_one_model(trained):
    process = start("train", trained / "normal", "-o", trained / "two.lw", *TINY, 2, "--devices", 2)
    stdout, stderr = process.communicate(timeout=200)
    assert process.returncode == 0, stderr
    lines = [line for line in stdout.splitlines() if line.startswith(("epoch", "calibrating"))]
    assert [line[:9] for line in lines] == ["epoch 1/2", "epoch 2/2", "calibrati"]  # each said once
    assert '"clips": 3' in run("info", trained / "two.lw").stdout


def test_altered_footage_judges_a_model_without_labels(trained):
    words = ["altered", "--data", trained / "normal", "-o", trained / "plots"]
    said = run("evaluate", trained / "door.lw", *words, code=1).stderr
    assert "nothing moves apart from the rest for 40 frames" in said  # the square is in view for 39


def test_clips_of_one_kind_each_have_no_macro_auc(trained):
    own = trained / "own"
    for name, speed in (("normal", 1), ("odd", 3)):
        moving_square(own / "test" / name, frames=20, speed=speed)
    (own / "train").symlink_to(trained / "normal")
    spans = {"normal": [], "odd": [[1, 20]]}
    labels = {name: {"frames": 20, "anomalous": each} for name, each in spans.items()}
    (own / "labels.json").write_text(json.dumps(labels))
    out = trained / "judged"
    said = run("evaluate", trained / "door.lw", "folder", "--data", own, "-o", out).stdout
    assert next(line for line in said.splitlines() if line.startswith("fused")).split()[2] == "none"
    result = ResultFile.model_validate_json((out / "evaluation.json").read_text())
    assert {row.metric for row in result.rows if row.score == "fused"} == {"auc_micro", "auc_raw", "eer"}
    assert "no macro AUC, as no clip has frames of both kinds" in (out / "evaluation.md").read_text()


def test_stopped_training_is_resumed(trained):
    out = trained / "long.lw"
    process = start("train", trained / "normal", "-o", out, *TINY, 15)
    checkpoint = trained / "long.lw.run" / "checkpoints" / "last.ckpt"
    while not checkpoint.is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume" in stderr
    assert not out.exists()
    assert checkpoint.is_file()
    lines = run("train", trained / "normal", "-o", out, *TINY, 15, "--resume").stdout
    assert "epoch 1/15 " not in lines
    assert out.is_file()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["train", "nowhere"], 2, "nowhere: no such file or folder"),
        (["train", "empty"], 2, "holds no video and no folder of images"),
        (["train", "one"], 1, "a clip needs 14 frames, the longest has 1"),
        (["train", "short"], 1, "a clip needs 14 frames, the longest has 13"),
        (["train", "text.mp4"], 1, "not a video that FFmpeg can open"),
        (["train", "one", "--size", "30x50"], 2, "must be a multiple of 8"),
        (
            ["train", "one", "--size", "10x10"],
            2,
            "--size 10x10: height: input should be greater than or equal",
        ),
        (["train", "one", "--width", "huge"], 2, "no such width"),
        (["train", "one", "--resume"], 2, "nothing to resume"),
        (["train", "short", "-o", "empty"], 2, "empty: is a folder; give the name of the model file"),
        (["train", "short", "--model", "mnad", "-o", "text.mp4/x.lw"], 2, "text.mp4 is a file and no folder"),
        (["score", "none.lw", "one"], 2, "no such model file"),
        (["score", "text.mp4", "one"], 1, "damaged or not a Latentwatch model"),
        (["reproduce", "ped2", "--data", "empty"], 2, "no UCSD Ped2 there"),
        (["reproduce", "drift", "--to", "text.mp4"], 1, "text.mp4: cannot make this folder for the results"),
        (["reproduce", "ped2"], 2, "needs a folder; give the one that holds ped2 with --data. V. Mahadevan"),
        (
            ["reproduce", "table2", "--data", "empty"],
            2,
            "empty: none found; give with --data the folder that",
        ),
        (["reproduce", "ped9", "--data", "empty"], 2, "no such experiment"),
        (["reproduce", "ped2", "--only", "load"], 2, "a part of live, not of ped2"),
        (["reproduce", "table2", "--size", "64x96"], 2, "at its own size of Table 1"),
        (["reproduce"], 2, "'latentwatch reproduce --list' shows all"),
    ],
)
def test_mistakes_get_one_clear_line(tmp_path, monkeypatch, words, code, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("this is no film")
    moving_square(tmp_path / "one", frames=1)
    moving_square(tmp_path / "short", frames=13)
    stderr = run(*words, code=code).stderr
    assert message in stderr
    assert len(stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none(tmp_path, seed):
    said = run("train", tmp_path, "-o", tmp_path / "new.lw", "--seed", seed, code=2).stderr
    assert "Invalid value for '--seed'" in said
    assert not list(tmp_path.iterdir())


def test_a_resume_of_nothing_leaves_nothing(tmp_path):
    moving_square(tmp_path / "one", frames=20)
    run("train", tmp_path / "one", "-o", tmp_path / "new.lw", "--resume", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_score_a_camera(trained, rtsp):
    address = rtsp(digest=True).url(password=PASSWORD)
    done = run("score", trained / "door.lw", address, "-o", trained / "camera", "--seconds", 4)
    assert "frames scored" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    (table,) = (trained / "camera").glob("127.0.0.1*live.csv")
    assert 14 <= len(list(csv.DictReader(table.open()))) <= 60
