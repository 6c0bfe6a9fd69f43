"""The baselines through the command line, on footage made here."""

import csv
import json
import signal
import time

import pytest
from clips import moving_square
from command import start
from typer.testing import CliRunner

from latentwatch.baselines.registry import SYSTEMS
from latentwatch.cli.main import app
from latentwatch.errors import LatentwatchError, UsageError

TINY = ["--width", "tiny", "--size", "32x64", "--epochs", "2", "--fp32"]


def run(*words):
    """What a command prints. Its errors are raised, as `main` gets them before it makes them one line."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, LatentwatchError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """Own labelled footage: the square is four times as fast in the second half of the test clip."""
    folder = tmp_path_factory.mktemp("cli")
    for name in "abc":
        moving_square(folder / "train" / name, frames=24)
    moving_square(folder / "test" / "new", frames=30, speed=4)
    labels = {"new": {"frames": 30, "anomalous": [[20, 30]]}}
    (folder / "labels.json").write_text(json.dumps(labels))
    return folder


@pytest.fixture(scope="module")
def trained(footage):
    run("train", footage / "train", "--model", "mnad", "-o", footage / "mnad.lw", *TINY)
    return footage / "mnad.lw"


@pytest.mark.parametrize("system", SYSTEMS)
def test_train_info_score_evaluate(footage, tmp_path, system):
    model, out = tmp_path / "x.lw", tmp_path / "out"
    lines = run("train", footage / "train", "--model", system, "-o", model, *TINY).splitlines()
    assert [line[:9] for line in lines[3:6]] == ["epoch 1/2", "epoch 2/2", "calibrati"]
    needed = SYSTEMS[system].clip_length
    said = run("info", model)
    assert f'"system": "{system}"' in said
    assert f"reads {needed} frames; checksum verified" in said

    said = run("score", model, footage / "test", "-o", out)
    assert f"new: {30 - needed + 1} of 30 frames scored" in said
    rows = list(csv.DictReader((out / "new.csv").open()))
    assert [row["score"] == "" for row in rows] == [True] * (needed - 1) + [False] * (30 - needed + 1)
    frames = json.loads((out / "new.json").read_text())["frames"]
    assert frames[25]["score"] == pytest.approx(float(rows[25]["score"]), rel=1e-5)
    assert {path.suffix for path in out.iterdir()} == {".csv", ".json", ".png"}

    said = run("evaluate", model, "folder", "--data", footage, "-o", tmp_path / "plots")
    assert f"{system} protocol: micro AUC over 1 clips after Eq. 3 per clip; {30 - needed + 1} frames" in said
    made = {"roc.png", "clips.png", "evaluation.json", "evaluation.md"}
    assert {path.name for path in (tmp_path / "plots").iterdir()} == made


def test_too_few_frames_for_a_score(trained, tmp_path):
    moving_square(tmp_path / "brief", frames=4)
    said = run("score", trained, tmp_path / "brief", "-o", tmp_path / "out")
    assert "brief: 4 frames, too few for a score (the first comes with frame 5)" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--model", "best"], "--model best: no such system; known are decoupled, conv-ae, future-frame"),
        (["--model", "mnad", "--size", "30x50"], "input size 30x50 must be a multiple of 16"),
        (["--model", "latent-auto", "--size", "48x64"], "48x64 must be a multiple of 32"),
        (["--model", "mnad", "--size", "big"], "--size big: expected HEIGHTxWIDTH"),
        (["--model", "mnad", "--size", "8x9000"], "--size 8x9000: Input should be greater than or equal"),
        (["--model", "mnad", "--width", "huge"], "--width huge: no such width"),
        (["--model", "mnad", "--preset", "home"], "--preset home: no such preset"),
        (["--model", "mnad", "--form", "fast"], "--form: not for mnad; leave it away"),
        (["--model", "mnad", "--compile"], "--compile: not for mnad"),
        (["--model", "mnad", "--devices", "2"], "--devices: not for mnad"),
        (["--model", "mnad", "--resume"], "nothing to resume"),
    ],
)
def test_mistakes_in_training(footage, tmp_path, words, message):
    with pytest.raises(UsageError, match=message):
        run("train", footage / "train", "-o", tmp_path / "x.lw", *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["score", "MODEL", "test", "--video"], "--video: not for mnad"),
        (["score", "MODEL", "test", "--boxes", "pixel"], "--boxes pixel: not for mnad"),
        (["score", "MODEL", "test", "--engine", "onnx"], "--engine onnx: not for mnad"),
        (["score", "MODEL", "test", "--bf16"], "--bf16: not for mnad"),
        (["score", "MODEL", "nowhere"], "nowhere: no such file or folder"),
        (["evaluate", "MODEL", "ped9"], "ped9: no such data set"),
        (
            ["export", "MODEL", "--to", "onnx"],
            "a model of mnad; it can be used with score, evaluate and info",
        ),
    ],
)
def test_mistakes_with_a_model(footage, trained, monkeypatch, words, message):
    monkeypatch.chdir(footage)
    with pytest.raises(UsageError, match=message):
        run(*[trained if word == "MODEL" else word for word in words])


def test_a_damaged_model_is_a_failure(trained, footage, tmp_path):
    data = bytearray(trained.read_bytes())
    data[-5] ^= 1
    (tmp_path / "bad.lw").write_bytes(data)
    for words in (["info"], ["score", footage / "test"], ["evaluate", "folder", "--data", footage]):
        with pytest.raises(LatentwatchError, match="checksum does not match") as caught:
            run(words[0], tmp_path / "bad.lw", *words[1:])
        assert caught.value.exit_code == 1


def test_ctrl_c_and_resume(footage, tmp_path):
    out = tmp_path / "long.lw"
    words = ["train", footage / "train", "--model", "mnad", "-o", out, *TINY[:-2], "15", "--fp32"]
    process = start(*words)
    while not (tmp_path / "long.lw.run" / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert len(stderr.strip().splitlines()) == 1
    assert "go on with --resume" in stderr
    assert not out.exists()
    assert "epoch 1/15 " not in run(*words, "--resume")
    assert out.is_file()
