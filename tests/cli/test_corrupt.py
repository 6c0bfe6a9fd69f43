"""`--corrupt`, `corrupt` and `reproduce --list`, run in this process: starting Python takes longer."""

import csv
import json

import numpy as np
import pytest
from clips import SMALL, moving_square, random_model
from PIL import Image
from typer.testing import CliRunner

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.cli.main import app
from latentwatch.errors import UsageError


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model, and labelled footage."""
    folder = tmp_path_factory.mktemp("corrupt")
    model = random_model(SMALL)
    limits = Calibration(threshold=0.1, place_threshold=0.1, pixel_threshold=0.1, frames=1)
    save_bundle(folder / "door.lw", model, BundleInfo(architecture=SMALL, fps=10, calibration=limits))
    moving_square(folder / "set" / "train" / "a", frames=20)
    moving_square(folder / "set" / "test" / "b", frames=30, speed=2)
    (folder / "set" / "labels.json").write_text(json.dumps({"b": {"frames": 30, "anomalous": [[21, 30]]}}))
    return folder


def test_score_changes_the_frames_first(folder):
    footage = folder / "set" / "test" / "b"
    scores = []
    for number, more in enumerate(
        ([], ["--corrupt", "rain=none"], ["--corrupt", "noise=0.3,brightness=0.5"])
    ):
        out = folder / f"scores-{number}"
        run("score", folder / "door.lw", footage, "-o", out, "--engine", "torch", *more)
        rows = list(csv.DictReader((out / "b.csv").open()))
        scores.append([float(row["z_mse"]) for row in rows if row["z_mse"]])
    np.testing.assert_array_equal(scores[0], scores[1])
    assert np.abs(np.array(scores[2]) / scores[0] - 1).min() > 1e-3


def test_evaluate_changes_the_frames_first(folder):
    words = ("evaluate", folder / "door.lw", "folder", "--data", folder / "set", "-o", folder / "plots")
    assert run(*words) != run(*words, "--corrupt", "noise=0.3")


def test_a_sheet_shows_each_change(folder):
    picture = folder / "sheet.png"
    run("corrupt", folder / "set", "rain=heavy", "fog=0.9", "-o", picture, "--frame", 2)
    assert Image.open(picture).size[0] > 1000
    with pytest.raises(UsageError, match="hail=1: no such change of frames; known are rain=none, heavy"):
        run("corrupt", folder / "set", "hail=1")
    with pytest.raises(UsageError, match="--frame 99: test/b has no such frame"):
        run("corrupt", folder / "set", "fog=1", "--frame", 99)


def test_list_shows_every_experiment_with_its_state_and_data(tmp_path):
    lines = run("reproduce", "--list", "--quick", "--to", tmp_path).splitlines()
    listed = {line.split()[0]: line for line in lines[1:]}
    assert {"ped2", "fig2", "fig3", "fig4-5", "fig7"} <= set(listed)
    assert "no result" in listed["fig3"]
    assert "Fig. 3" in listed["fig3"]
    assert "svcl.ucsd.edu" in listed["ped2:"]
