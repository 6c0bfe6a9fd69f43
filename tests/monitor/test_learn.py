"""Learning over time: the reservoir, the labels, the gate, the versions."""

import os
import signal
import time

import numpy as np
import pytest
from clips import SMALL, random_model
from typer.testing import CliRunner

from latentwatch.bundle.bundle import BundleInfo, Calibration, load_bundle, save_bundle
from latentwatch.cli.main import app
from latentwatch.datasets.dataset import Clip
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor import learn, reservoir
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import Tail, load_budget
from latentwatch.monitor.calibrate import file_sha256, save_budget
from latentwatch.monitor.feedback import label_event, take_labels
from latentwatch.monitor.footage import PARTS, RunWriter, open_run
from latentwatch.monitor.judge import judge
from latentwatch.monitor.learn import Learning, last_verdict, learn_more
from latentwatch.monitor.learner import due_at
from latentwatch.monitor.model import Event
from latentwatch.monitor.reservoir import Reservoir, event_run, forget_old, part_of, watched_footage
from latentwatch.monitor.settings_file import load_settings
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.versions import (
    adopt,
    in_use,
    keep_version,
    roll_back,
    settle,
    versions_folder,
    versions_of,
)
from latentwatch.scoring.detector import Detector
from latentwatch.training.settings import FORMS
from latentwatch.video.frame import Frame

FPS = 10
TAIL = Tail(typical=0.1, start=1, peaks=20, hours=1, shape=0, scale=1, highest=3)


def scene(seconds, seed=0, speed=1):
    """Small frames: a square that goes to and fro on a noisy ground."""
    ground = np.random.default_rng(0).integers(60, 90, (32, 48, 3), dtype=np.uint8)
    rng = np.random.default_rng(seed)
    x = float(rng.integers(0, 40))
    for index in range(round(seconds * FPS)):
        x += speed * (1 + index // 7 % 3)
        picture = ground + rng.integers(0, 3, ground.shape, dtype=np.uint8)
        at = abs(int(x) % 80 - 40)  # it turns back at the edges
        picture[12:20, at : at + 8] = 220
        yield Frame(index, index / FPS, picture)


def save(path, model, budget=True):
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    save_bundle(path, model, BundleInfo(architecture=SMALL, fps=FPS, calibrations={"fp32": calibration}))
    if budget:
        save_budget(
            path,
            TAIL,
            50,
            engine="torch fp32",
            fps=FPS,
            rules=AlarmRules(window=0.3),
            ignore=[],
            footage=["made by a test"],
        )
    return path


@pytest.fixture(autouse=True)
def short_runs(monkeypatch):
    monkeypatch.setattr(RunWriter.__init__, "__defaults__", (3.0,))


def looked(model, level_at, seconds=30, **changes):
    """A reservoir that saw `seconds` of the scene, with the level and event of each moment."""
    made = Reservoir(model, FPS, **({"every": 5.0, "gigabytes": 1, "seconds": 3.0} | changes))
    for frame in scene(seconds):
        level, event = level_at(frame.time)
        made.look(frame, level, event)
    made.pause()
    return [path for part in PARTS for path in watched_footage(model).runs(part)]


def test_the_reservoir_takes_quiet_runs_alone(tmp_path):
    assert len(looked(tmp_path / "a.lw", lambda _: (0.5, None))) == 4
    assert not looked(tmp_path / "b.lw", lambda _: (0.9, None))
    assert not looked(tmp_path / "c.lw", lambda _: (None, None))
    # The first run ends at 2.9 s; what the level says right after it is still of its frames.
    late = looked(tmp_path / "d.lw", lambda t: (1.2 if 3.5 < t < 4 else 0.5, None), seconds=8)
    assert not late


def test_old_and_new_runs_are_kept_within_the_room(tmp_path):
    room = 2e-3
    runs = looked(tmp_path / "a.lw", lambda _: (0.5, None), seconds=120, every=0, gigabytes=room)
    assert sum(path.stat().st_size for path in runs) <= room * 1e9
    assert 2 < len(runs) < 30
    assert not forget_old(tmp_path / "a.lw", days=1)
    os.utime(runs[0], (0, 0))
    assert forget_old(tmp_path / "a.lw", days=1) == 1


def settings(tmp_path, model):
    path = tmp_path / "cameras.yaml"
    path.write_text(
        f"cameras:\n  door:\n    url: rtsp://127.0.0.1:9/x\n    model: {model.name}\n    learn: weekly\n"
        "    false_alarms_per_day: 50\n"
    )
    return path


def event(store, name):
    store.begin(Event(id=name, camera="door", start=1, peak=2, level=2, boxes=[]), [])


def test_labels_say_where_the_frames_of_an_event_go(tmp_path):
    model = tmp_path / "door.lw"
    loaded = load_settings(settings(tmp_path, model))
    names = {name: name * 32 for name in "abc"}
    # An event of two seconds at 10, and a label for it while it still goes on.
    looked(model, lambda t: (1.5, names["a"]) if 10 <= t < 12 else (0.9, None))
    waiting = event_run(model, names["a"])
    frames = Clip("event", waiting).open()
    assert sum(1 for _ in frames) == 20 + 50  # and the five seconds before it
    store = EventStore(loaded.store_url)
    for name in names.values():
        event(store, name)
    learned = watched_footage(model).path(f"event-{names['a']}", part_of(names["a"]))
    _, moved = label_event(store, loaded, "aa", "normal")
    assert moved
    assert learned.is_file()
    assert not waiting.exists()
    label_event(store, loaded, "aa", None)
    assert waiting.is_file()
    assert not learned.exists()
    label_event(store, loaded, "aa", "normal")
    label_event(store, loaded, "aa", "anomaly")
    assert not waiting.exists()
    assert not learned.exists()
    # Labelled in the database alone; and not labelled at all.
    for name in "bc":
        with open_run(event_run(model, names[name]), FPS) as writer:
            for frame in scene(2):
                writer.write(frame.rgb)
    store.label("bb", "normal")
    assert take_labels(store, loaded) == 1
    assert not event_run(model, names["b"]).exists()
    assert event_run(model, names["c"]).is_file()
    store.close()


def write_runs(footage, count, part, speed=1, first=0):
    for number in range(count):
        with open_run(footage.path(f"{first + number:03}", part), FPS) as writer:
            for frame in scene(3, seed=first + number, speed=speed):
                writer.write(frame.rgb)


def test_a_static_code_does_not_win(tmp_path):
    footage = watched_footage(tmp_path / "door.lw")
    write_runs(footage, 2, "held-out")
    model = random_model(SMALL)
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    before = judge(Detector(model, calibration), footage.clips("held-out"))
    assert before.frames == 2 * (30 - SMALL.warm_up)
    faint = Detector(model, calibration)
    encode, push = faint.engine.encode, faint.motion.push
    faint.engine.encode = lambda rgb: encode(rgb) / 100  # the same code, of a hundredth of the size
    faint.motion.push = lambda code: None if (ahead := push(code * 100)) is None else ahead / 100
    after = judge(faint, footage.clips("held-out"))
    assert np.nanmean(after.scores[0]) < 0.001 * np.nanmean(before.scores[0])
    assert after.error == pytest.approx(before.error, rel=1e-3)


def test_a_model_learns_is_adopted_and_rolled_back(tmp_path, monkeypatch):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    sha = file_sha256(model)
    monkeypatch.setitem(learn.LEAST_RUNS, "held-out", 48)
    monkeypatch.setitem(learn.LEAST_RUNS, "train", 8)
    # Two alarms in the 91 s that are judged: of fewer, one by chance would be twice the budget.
    learning = Learning(
        per_day=2000, training=FORMS["joint"].model_copy(update={"epochs": 8}), engine="torch"
    )
    verdict = learn_more(model, learning)
    assert not verdict.adopted
    assert "too little new footage yet: 0 runs to learn from, 8 are needed" in str(verdict)
    footage = watched_footage(model)
    write_runs(footage, 8, "train")
    write_runs(footage, 48, "held-out", first=100)
    verdict = learn_more(model, learning, lambda _: None)
    assert verdict.adopted, str(verdict)  # a model that was never trained is easily bettered
    assert verdict.errors[1] < verdict.errors[0]
    assert last_verdict(model) == verdict
    assert not (tmp_path / "door.lw.learning").exists()
    assert in_use(model) == 2
    assert [each.number for each in versions_of(model)] == [1, 2]
    assert load_budget(model, file_sha256(model)).engine == "torch fp32"
    path = settings(tmp_path, model)
    assert due_at(load_settings(path).cameras["door"]) == pytest.approx(verdict.when + 7 * 86400)
    said = CliRunner().invoke(app, ["versions", str(path)]).output
    assert "learned from newer footage  <- in use" in said
    assert "last learning adopted: no worse" in said
    assert "version 1 is in use" in CliRunner().invoke(app, ["rollback", str(path), "door"]).output
    assert file_sha256(model) == sha
    with pytest.raises(UsageError, match="no version before"):
        roll_back(model)
    with pytest.raises(UsageError, match="there is no version 7; kept are 1, 2"):
        roll_back(model, 7)

    # A step that spoils the model is refused, and leaves it as it was.
    monkeypatch.setattr(learn, "learn_camera", lambda _clips, out, *_, **__: spoilt(out))
    verdict = learn_more(model, learning, lambda _: None)
    assert not verdict.adopted
    assert "refused" in str(verdict)
    assert "after" in str(verdict)
    assert file_sha256(model) == sha
    said = CliRunner().invoke(app, ["learn", str(path), "--camera", "window"])
    assert isinstance(said.exception, UsageError)


def spoilt(out):
    """The same network, but its motion model predicts badly."""
    import torch

    made = random_model(SMALL)
    with torch.no_grad():
        for parameter in made.motion.parameters():
            parameter.add_(torch.randn_like(parameter))
    save(out, made, budget=False)


def test_a_camera_without_versions_has_no_folder_for_them(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: {door: {url: door.mp4, model: models/door.lw}}\n")
    for words in (
        ["versions", str(path)],
        ["rollback", str(path), "door"],
        ["rollback", str(path), "door", "--to", "1"],
    ):
        CliRunner().invoke(app, words)
        assert [*tmp_path.iterdir()] == [path]
    with pytest.raises(UsageError, match="no versions are kept to go back to"):
        roll_back(tmp_path / "models" / "door.lw")


def test_an_adoption_that_was_cut_off_is_finished(tmp_path, monkeypatch):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    keep_version(model, model, "first")
    other = random_model(SMALL)
    other.background.fill_(0.5)
    made = save(tmp_path / "new" / "door.lw", other)
    number = keep_version(model, made, "second")
    from latentwatch.monitor import versions

    put, count = versions._put, 0

    def dies(path, data):
        nonlocal count
        count += 1
        if count == 3:  # the note and the budget are written, the model is not
            raise KeyboardInterrupt
        put(path, data)

    monkeypatch.setattr(versions, "_put", dies)
    with pytest.raises(KeyboardInterrupt):
        adopt(model, number)
    monkeypatch.undo()
    with pytest.raises(UsageError, match="made with another model"):
        load_budget(model, file_sha256(model))
    settle(model)
    load_budget(model, file_sha256(model))
    assert in_use(model) == number


def test_a_note_that_a_power_cut_left_empty_is_no_adoption(tmp_path):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    keep_version(model, model, "first")
    note = versions_folder(model) / "adopting"
    note.write_text("")
    settle(model)
    assert not note.exists()
    assert in_use(model) == 1


def test_a_version_whose_description_is_damaged_can_still_be_gone_back_to(tmp_path):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    keep_version(model, model, "first")
    other = random_model(SMALL)
    other.background.fill_(0.5)
    adopt(model, keep_version(model, save(tmp_path / "new" / "door.lw", other), "second"))
    for damage in ("", "{", "[]", "{}"):
        (versions_folder(model) / "0001" / "version.json").write_text(damage)
        assert [(each.number, each.about) for each in versions_of(model)] == [(1, "unknown"), (2, "second")]
    assert roll_back(model) == 1
    assert in_use(model) == 1


def test_kill_9_while_adopting_leaves_a_whole_model(tmp_path):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    keep_version(model, model, "first")
    other = random_model(SMALL)
    other.background.fill_(0.5)
    keep_version(model, save(tmp_path / "new" / "door.lw", other), "second")
    seen = set()
    for kill in range(20):
        child = os.fork()
        if not child:
            while True:
                adopt(model, 2)
                adopt(model, 1)
        time.sleep(0.01 + 0.0007 * kill)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        load_bundle(model)
        settle(model)
        load_budget(model, file_sha256(model))
        seen.add(in_use(model))
    assert seen <= {1, 2}


def test_a_full_disk_stops_the_collecting_and_not_the_watching(tmp_path, monkeypatch, caplog):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("latentwatch.video.writer.VideoWriter.write", full)
    assert not looked(tmp_path / "a.lw", lambda _: (0.5, None))
    assert caplog.text.count("No space left on device; free some space") == 1
    with pytest.raises(LatentwatchError, match="free some space"):
        RunWriter(watched_footage(tmp_path / "b.lw"), FPS).add(next(scene(1)), "train")
    assert reservoir.TRY_AGAIN > 30


def test_nothing_is_trained_that_could_not_be_judged(tmp_path, monkeypatch):
    model = save(tmp_path / "door.lw", random_model(SMALL))
    for part in PARTS:
        monkeypatch.setitem(learn.LEAST_RUNS, part, 4)
        write_runs(watched_footage(model), 4, part)
    monkeypatch.setattr(learn, "learn_camera", None)
    verdict = learn_more(model, Learning(per_day=500, engine="torch"), lambda _: None)
    assert "refused: no estimate of false alarms yet" in str(verdict)
    assert "a budget needs 10 at least" in str(verdict)
    assert not (tmp_path / "door.lw.learning").exists()
