"""Footage is taken at the frame rate of the model, and a model learns one rate."""

import csv
import json
from dataclasses import replace

import pytest
from clips import SMALL, moving_square, random_model
from command import run
from encoded import FPS, film

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.bundle.file import fps_of
from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.derived import at_fps, at_one_rate
from latentwatch.training.frames import build_store


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    path = tmp_path_factory.mktemp("rate") / "film.mp4"
    film(path, "h264", count=50)
    return Clip("film", path)


def taken(clip):
    with clip.open((32, 48)) as frames:
        return [(frame.index, frame.time) for frame in frames], frames.fps


def test_of_faster_footage_the_frames_nearest_to_the_models_rate_are_taken(footage):
    said = []
    found, fps = taken(at_fps(footage, FPS / 2.5, said.append))
    assert [index for index, _ in found[:5]] == [0, 2, 5, 7, 10]
    assert [time for _, time in found] == pytest.approx([index / FPS for index, _ in found])
    assert (len(found), fps) == (20, FPS / 2.5)
    assert said == [f"film: of its {FPS} frames/s {FPS / 2.5:g} are taken, as many as the model learns"]


@pytest.mark.parametrize(("rate", "words"), [(FPS, []), (FPS * 1.05, []), (2 * FPS, ["is too fast for it"])])
def test_other_footage_is_taken_whole_and_slower_footage_is_told_of(footage, rate, words):
    said = []
    assert taken(at_fps(footage, rate, said.append)) == taken(footage)
    assert [line.rsplit("moves ")[1] for line in said] == words


def test_images_have_no_times_and_are_all_taken(tmp_path):
    clip = Clip("images", moving_square(tmp_path / "images", frames=5))
    assert len(taken(at_fps(clip, 1, pytest.fail))[0]) == 5
    assert len(taken(at_fps(replace(clip, fps=10), 5, print))[0]) == 3  # unless somebody knows them


def test_score_takes_a_film_at_the_models_rate(footage, tmp_path):
    limits = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    info = BundleInfo(architecture=SMALL, fps=FPS / 2, calibration=limits)
    save_bundle(tmp_path / "door.lw", random_model(SMALL), info)
    said = run("score", tmp_path / "door.lw", footage.source, "-o", tmp_path / "out", "--engine", "torch")
    assert f"{25 - SMALL.warm_up} of 25 frames scored" in said.stdout
    rows = list(csv.DictReader((tmp_path / "out" / "film.csv").open()))
    assert [int(row["frame"]) for row in rows] == list(range(0, 50, 2))
    assert json.loads((tmp_path / "out" / "film.json").read_text())["frames"][1]["frame"] == 2


def test_footage_of_several_rates_is_learned_at_the_lowest(footage, tmp_path):
    slow, said = Clip("slow", moving_square(tmp_path / "slow", frames=5), fps=FPS / 2.5), []
    store = build_store(at_one_rate([footage, slow], None, said.append), (32, 48), tmp_path / "run")
    assert (store.starts, store.fps) == ((0, 20, 25), FPS / 2.5)
    assert len(said) == 1
    changed = at_one_rate([footage, slow], FPS / 5, said.append)
    store = build_store(changed, (32, 48), tmp_path / "run")  # what was decoded at another rate is not taken
    assert (store.starts, store.fps) == ((0, 10, 13), FPS / 5)


def test_images_count_as_the_rate_that_is_learned(footage, tmp_path):
    images = Clip("images", moving_square(tmp_path / "images", frames=5))
    assert at_one_rate([images], None, pytest.fail) == [images]
    for clips, fps in (([images], 4), ([images, footage], None)):
        clip = at_one_rate(clips, fps, pytest.fail)[0]
        assert (len(taken(clip)[0]), taken(clip)[1]) == (5, fps or FPS)


def test_frames_are_not_made_up_to_learn_a_rate(footage, tmp_path):
    words = ("train", footage.source, "-o", tmp_path / "door.lw", "--fps", 2 * FPS)
    assert f"film: has {FPS} frames/s, not {2 * FPS}: none can be made up" in run(*words, code=2).stderr
    assert not list(tmp_path.iterdir())


def test_a_model_is_trained_at_the_rate_that_is_asked_for(footage, tmp_path):
    words = ("--size", "32x48", "--width", "tiny", "--epochs", 2, "--fps", FPS / 2)
    run("train", footage.source, "-o", tmp_path / "door.lw", *words)
    assert fps_of(tmp_path / "door.lw") == FPS / 2
