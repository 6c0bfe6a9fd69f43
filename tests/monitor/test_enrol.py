"""Enrolment: what is recorded of a new camera, and that it becomes a model that can be watched."""

import json
import threading
from dataclasses import replace

import numpy as np
import pytest
from clips import SMALL
from servers import wait_for

from latentwatch.bundle.bundle import load_bundle, save_bundle
from latentwatch.errors import LatentwatchError, StoppedError, UsageError
from latentwatch.monitor import enrol, enrol_watch, enrolment, footage
from latentwatch.monitor.budget import budget_file, load_budget
from latentwatch.monitor.calibrate import file_sha256, health_file
from latentwatch.monitor.duration import parse_duration, shown
from latentwatch.monitor.enrol import Enrolment, enrol_camera, learn_enrolled, record
from latentwatch.monitor.enrolment import EnrolmentRecorder
from latentwatch.monitor.settings_file import load_settings
from latentwatch.monitor.versions import adopt, in_use, keep_version, versions_of
from latentwatch.monitor.watch import watch
from latentwatch.training.settings import FORMS
from latentwatch.video.address import parse_address
from latentwatch.video.frame import Frame
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter

FPS = 10


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    """Runs of 3 seconds, so that a test need not see hours; a rate is measured over 1 second."""
    monkeypatch.setattr(footage.RunWriter.__init__, "__defaults__", (3.0,))
    monkeypatch.setattr(enrolment, "MEASURED_OVER", 1.0)


def street(seconds, seed=0):
    """A noisy ground with a square that goes to and fro, now slowly, now fast."""
    rng = np.random.default_rng(seed)
    ground = rng.integers(60, 90, (64, 96, 3), dtype=np.uint8)
    x = 0.0
    for index in range(round(seconds * FPS)):
        x += 1 + (index // 7 % 3)
        picture = ground + rng.integers(0, 4, ground.shape, dtype=np.uint8)
        at = abs(int(x) % 160 - 80)  # it turns back at the edges
        picture[20:36, at : at + 16] = 220
        yield Frame(index, index / FPS, picture)


def short_film(folder, seconds=2.5):
    film = folder / "short.mp4"
    with VideoWriter(film, FPS) as writer:
        for frame in street(seconds):
            writer.write(frame.rgb)
    return film


def recorder(model, seconds=60.0, **changes):
    wanted = {"seconds": seconds, "fps": FPS, "gigabytes": 1} | changes
    return EnrolmentRecorder(model, SMALL.size, **wanted)


def fill(made, frames):
    for frame in frames:
        if made.is_done:
            break
        made.look(frame)
    made.close()


def test_runs_are_kept_as_they_were_and_every_fourth_is_held_out(tmp_path):
    made = recorder(tmp_path / "door.lw")
    frames = list(street(80))
    fill(made, frames)
    assert made.is_done
    kept = made.footage
    assert [len(kept.runs(part)) for part in footage.PARTS] == [15, 5]
    order = sorted((run.stem, part) for part in footage.PARTS for run in kept.runs(part))
    assert [part for _, part in order] == ["train", "train", "train", "held-out"] * 5
    with open_video(kept.runs("train")[0]) as run:
        first = [frame.rgb for frame in run]
        assert run.fps == FPS
    assert len(first) == 3 * FPS
    began = made.wanted_fps  # a second goes by before the rate is known
    wanted = [enrolment.resize(frame.rgb, SMALL.size) for frame in frames[began : began + 30]]
    assert all((a == b).all() for a, b in zip(first, wanted, strict=True))


def test_it_goes_on_after_a_crash_and_keeps_to_its_room(tmp_path, monkeypatch):
    monkeypatch.setattr(enrolment, "TRAIN_RUNS", 4)
    frames = list(street(80))
    made = recorder(tmp_path / "door.lw")
    for frame in frames[:300]:  # and then it is killed: nothing is closed
        made.look(frame)
    again = recorder(tmp_path / "door.lw")
    assert 27 <= again.seconds <= 30
    fill(again, frames[300:])
    assert again.is_done
    runs = again.footage.runs("train")
    assert 2 <= len(runs) <= 4
    assert again.footage.runs("held-out")
    # What is left is spread over all of it: the first run and one of the last third are there.
    assert json.loads((again.footage.folder / "enrolment.json").read_text())["every"]["train"] > 1
    with pytest.raises(UsageError, match="begun with frames of 32x48"):
        EnrolmentRecorder(tmp_path / "door.lw", (64, 96), seconds=60, fps=FPS, gigabytes=1)


def test_pictures_that_show_nothing_are_not_recorded(tmp_path):
    made = recorder(tmp_path / "door.lw")
    for frame in street(20):
        made.look(replace(frame, rgb=np.zeros_like(frame.rgb)))
    assert made.seconds == 0
    still = next(street(1)).rgb
    for index in range(100 * FPS):
        made.look(Frame(index, 100 + index / FPS, still))
    assert made.seconds < enrolment.STILL_AFTER


def test_a_slow_camera_keeps_its_own_rate(tmp_path):
    made = recorder(tmp_path / "door.lw", seconds=20.0)
    fill(made, (replace(frame, time=frame.index / 4) for frame in street(30)))
    assert made.is_done
    assert [len(made.footage.runs(part)) for part in footage.PARTS] == [5, 1]
    with open_video(made.footage.runs("train")[0]) as run:
        assert run.fps == 4


def test_a_camera_becomes_a_model_that_is_watched(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(enrolment, "TRAIN_RUNS", 8)
    model = tmp_path / "door.lw"
    wanted = Enrolment(
        seconds=340,
        architecture=SMALL,
        training=FORMS["joint"].model_copy(update={"epochs": 2}),
        per_day=500,
        engine="torch",
    )
    fill(enrol.recorder_of(model, wanted), street(370))
    said = []

    def stop_at_the_first_epoch(line):
        said.append(line)
        if line.startswith("epoch 1/2"):
            raise KeyboardInterrupt

    # All is recorded, so that the address is not looked at.
    address = parse_address("rtsp://127.0.0.1:9/none")
    with pytest.raises(StoppedError, match="goes on where it was"):
        enrol_camera(address, model, wanted, stop_at_the_first_epoch)
    assert not model.exists()
    # `watch` goes on by itself: it learns in a process beside, then watches, here a short film.
    film = short_film(tmp_path)
    path = tmp_path / "cameras.yaml"
    path.write_text(
        f"cameras:\n  door: {{url: {film.name}, model: {model.name}, enrol: 340s, learn: weekly}}\n"
    )
    loaded = load_settings(path)
    assert enrol_watch.enrolment_of(loaded.cameras["door"], loaded, "auto").seconds == 340
    monkeypatch.setattr(enrol_watch, "enrolment_of", lambda *_: wanted)
    monkeypatch.chdir(tmp_path)
    with caplog.at_level("INFO", logger="latentwatch"):
        watch(loaded, threading.Event(), engine="torch")
    assert "door: no model yet, the camera is enrolled first" in caplog.text
    assert "door: watching" in caplog.text
    _, info = load_bundle(model)
    assert info.fps == FPS
    assert load_budget(model, file_sha256(model)).per_day == 500
    assert health_file(model).is_file()
    assert in_use(model) == 1
    assert [each.about for each in versions_of(model)] == ["enrolled: 5.67 min"]
    assert not model.with_name("door.lw.run").exists()
    with pytest.raises(UsageError, match="is there already"):
        enrol_camera(address, model, wanted)

    # A version that is put in place while the camera is watched is taken up; what is not whole is not.
    network, info = load_bundle(model)
    network.background += 0.01
    made = tmp_path / "new" / model.name
    save_bundle(made, network, info)
    budget = load_budget(model, file_sha256(model))
    budget_file(made).write_text(
        budget.model_copy(update={"model_sha256": file_sha256(made)}).model_dump_json()
    )
    keep_version(model, made, "made by a test")
    short_film(tmp_path, seconds=8)
    caplog.clear()
    with caplog.at_level("INFO", logger="latentwatch"):
        watching = threading.Thread(
            target=watch, args=(loaded, threading.Event()), kwargs={"engine": "torch"}
        )
        watching.start()
        wait_for(lambda: "door: watching" in caplog.text)
        budget_file(model).write_text("no budget")
        wait_for(lambda: "not a budget" in caplog.text)
        assert "it goes on as before" in caplog.text
        adopt(model, 2)
        wait_for(lambda: "goes on with the model that was put in place" in caplog.text)
        watching.join(60)
    assert not watching.is_alive()


def test_a_film_that_is_too_short_says_so(tmp_path):
    film = short_film(tmp_path)
    made = recorder(tmp_path / "door.lw")
    with pytest.raises(LatentwatchError, match=r"ended after .* of 60 s; give more footage"):
        record(parse_address(str(film)), made, threading.Event(), print, Enrolment(seconds=60))
    assert made.seconds > 1
    # Again: from its beginning, or the same frames would count and be held out twice.
    before, said = made.seconds, []
    again = recorder(tmp_path / "door.lw")
    with pytest.raises(LatentwatchError, match=r"ended after .* of 60 s"):
        record(parse_address(str(film)), again, threading.Event(), said.append, Enrolment(seconds=60))
    assert again.seconds == pytest.approx(before, abs=1.5)
    assert "from its beginning again" in said[0]
    assert "mostly takes 30 min or more" in said[1]
    with pytest.raises(LatentwatchError, match="nothing was recorded yet"):
        learn_enrolled(tmp_path / "door.lw", Enrolment(seconds=60, architecture=SMALL))


def test_a_film_is_enrolled_once_though_it_is_watched_over_and_over(tmp_path, caplog):
    """By `watch` and by `enrol` alike, and both say so: its second round is no footage to hold out."""
    film = short_film(tmp_path)
    path = tmp_path / "cameras.yaml"
    path.write_text(f"cameras: {{door: {{url: {film}, model: door.lw, enrol: 60s, loop: true}}}}\n")
    loaded = load_settings(path)
    wanted = enrol_watch.enrolment_of(loaded.cameras["door"], loaded, "auto")
    said = []
    with pytest.raises(LatentwatchError, match="or a shorter time; more rounds of it show nothing new"):
        enrol_camera(parse_address(str(film)), tmp_path / "yard.lw", wanted, said.append)
    once = f"{film} is played once: 'loop' holds when it is watched, not while it is enrolled"
    assert said[-1] == once
    with caplog.at_level("INFO", logger="latentwatch"):
        watch(loaded, threading.Event(), engine="torch")
    assert f"door: enrolment: {once}" in caplog.text
    assert "more rounds of it show nothing new" in caplog.text


def test_lengths_of_time():
    assert parse_duration("90m") == 5400
    assert parse_duration("weekly") == 7 * 86400
    assert [shown(each) for each in (30, 90, 3 * 3600, 3 * 86400)] == ["30 s", "1.5 min", "3 h", "3 d"]
    for wrong in ("0h", "soon", "", "-1h"):
        with pytest.raises(ValueError, match="expected a time such as"):
            parse_duration(wrong)
