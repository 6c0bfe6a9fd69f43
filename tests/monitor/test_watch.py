"""The whole program, as a person starts it: a film in, an event with a clip and a message out."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
from cameras import make_camera
from clips import SMALL
from missing import skip_or_fail
from PIL import Image
from servers import wait_for
from test_telling import Listener
from typer.testing import CliRunner

from latentwatch.cli.main import app
from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError
from latentwatch.experiments.live.rtsp_script import write_units
from latentwatch.experiments.live.servers import RtspServer
from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.calibrate import health_file
from latentwatch.monitor.health_reference import learn_health, save_health
from latentwatch.monitor.reservoir import event_run
from latentwatch.monitor.settings_file import load_settings
from latentwatch.monitor.watch import watch
from latentwatch.video.address import parse_address
from latentwatch.video.frame import Frame
from latentwatch.video.source import open_video
from latentwatch.video.stream import Stream
from latentwatch.video.writer import VideoWriter

COMMAND = [sys.executable, "-m", "latentwatch.cli"]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def run(*words, code=0):
    done = subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
        timeout=300,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def said(*words):
    """What a command prints; here in this process, since each new one imports PyTorch."""
    done = CliRunner().invoke(app, list(map(str, words)))
    if isinstance(done.exception, LatentwatchError):
        return str(done.exception)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    return make_camera(tmp_path_factory.mktemp("watch"))


def settings(camera, tmp_path, url, port):
    path = tmp_path / "cameras.yaml"
    path.write_text(
        f"cameras:\n  door:\n    url: {url}\n    model: {camera}/door.lw\n    learn: weekly\n"
        "    seconds_before: 1\n    seconds_after: 0\n"
        f"notify:\n  home:\n    mqtt: mqtt://me:${{BROKER_PASSWORD}}@127.0.0.1:{port}\n"
    )
    return path


def test_a_film_becomes_an_event_with_a_clip_and_messages(camera, tmp_path, broker, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "BROKER_PASSWORD", "hidden-password")
    monkeypatch.setenv("BROKER_PASSWORD", "hidden-password")  # what runs in this process sees it here
    path = settings(camera, tmp_path, camera / "door.mp4", broker.port)
    assert "no mistakes" in said("watch", path, "--check")
    with closing(Listener(broker.port)) as seen:
        done = run("watch", path, "--engine", "torch", "--json-logs")
        lines = [json.loads(line) for line in done.stderr.splitlines()]
        assert any("begins" in line["message"] for line in lines)
        assert "hidden-password" not in done.stderr
        wait_for(lambda: seen.last("latentwatch/door/anomaly") == b"OFF")
        told = [json.loads(each) for each in seen.seen["latentwatch/door/event"]]
        assert [each["type"] for each in told] == ["new", "end"]
        assert seen.last("latentwatch/status") == b"offline"
    event = json.loads(said("events", "show", path, told[0]["id"][:6]))
    assert event["state"] == "done"
    assert event["level"] > 1
    assert 1 < event["end"] - event["start"] < 8
    with av.open(event["clip"]) as clip:
        assert sum(1 for _ in clip.decode(video=0)) > 20
    files = [Path(event["clip"]).read_bytes(), Path(event["snapshot"]).read_bytes()]
    assert files[1].startswith(b"\xff\xd8")
    assert sum(map(len, files)) == event["bytes"]
    assert "written" in said("events", "picture", path, event["id"], "--to", tmp_path / "where.png")
    place, plain = (
        np.asarray(Image.open(each)).astype(int) for each in (tmp_path / "where.png", event["snapshot"])
    )
    reddened = (place - plain)[..., 0] - (place - plain)[..., 2] > 30
    assert reddened[:, :48].mean() > 0.1 > reddened[:, 72:].mean()  # where it flickers, and not elsewhere
    assert "cannot be written" in said(
        "events", "picture", path, event["id"], "--to", tmp_path / "x" / "y.png"
    )
    waiting = event_run(camera / "door.lw", event["id"])
    with open_video(waiting) as frames:
        small = [frame.rgb for frame in frames]
    assert len(small) > 20
    assert small[0].shape[:2] == SMALL.size
    assert "its frames will be learned from" in said("events", "label", path, event["id"], "normal")
    assert not waiting.exists()
    assert "normal" in said("events", "list", path)
    assert "no event" in said("events", "show", path, "zz")
    assert not list((tmp_path / "latentwatch-data" / "unfinished").iterdir())


def test_with_privacy_no_clear_picture_is_ever_on_the_disk(camera, tmp_path, broker, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "CLIP_KEY", "A" * 43 + "=")
    monkeypatch.setenv("CLIP_KEY", "A" * 43 + "=")
    path = settings(camera, tmp_path, camera / "door.mp4", broker.port)
    path.write_text(path.read_text().split("notify:")[0] + "privacy: {keys: ['${CLIP_KEY}']}\n")
    data = tmp_path / "latentwatch-data"
    process = subprocess.Popen(
        [*COMMAND, "watch", path, "--engine", "torch"], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    for line in process.stderr:
        if "begins" in line:
            break
    wait_for(lambda: list((data / "unfinished").glob("*.part.mp4")))
    process.kill()
    process.communicate()
    assert [each.name[32:] for each in (data / "unfinished").iterdir()] == [".mp4.enc.part.mp4"]
    assert not any(b"ftyp" in each.read_bytes() for each in data.rglob("*") if each.is_file())
    run("watch", path, "--engine", "torch")
    events = [json.loads(said("events", "show", path, line.split()[0])) for line in _rows(path)]
    assert [each["state"] for each in events] == ["done", "cut"]
    assert not list((data / "unfinished").iterdir())
    names = [
        f"{each['id']}.{kind}{more}" for each in events for kind in ("mp4", "jpg") for more in ("", ".enc")
    ]
    names = [name for name in names if not name.startswith(f"{events[1]['id']}.mp4")]  # it was cut short
    assert sorted(each.name for each in (data / "clips" / "door").iterdir()) == sorted(names)
    said("events", "unblur", path, events[0]["id"], "--to", tmp_path / "clear.mp4")
    clear, blurred = (list(open_video(each)) for each in (tmp_path / "clear.mp4", Path(events[0]["clip"])))
    assert len(clear) == len(blurred) > 20
    assert max(np.abs(a.rgb.astype(int) - b.rgb).max() for a, b in zip(clear, blurred, strict=True)) > 100


def test_a_black_picture_is_a_problem_and_no_event(camera, tmp_path, monkeypatch):
    monkeypatch.setattr("latentwatch.monitor.health.ENDS_AFTER", 1.0)
    for path in (
        camera / "door.lw",
        budget_file(camera / "door.lw"),
    ):  # and not what others made it learn from
        shutil.copy(path, tmp_path)
    good = [frame.rgb for frame in islice(open_video(camera / "door.mp4"), 30)]
    film = tmp_path / "film.mp4"
    with VideoWriter(film, 10) as writer:
        for rgb in [*good[:20], *(np.zeros_like(rgb) for rgb in good)]:
            writer.write(rgb)
    normal = [Frame(index, float(index), rgb) for index, rgb in enumerate(good)]
    save_health(learn_health(normal), health_file(tmp_path / "door.lw"))
    path = tmp_path / "cameras.yaml"
    path.write_text(f"cameras: {{door: {{url: {film}, model: door.lw}}}}\n")
    for runs in (1, 2):  # the second finds that the first problem goes on, and sees that it is over
        watch(load_settings(path), threading.Event(), engine="torch")
        lines = said("events", "problems", path).splitlines()[1:]
        assert [line.split()[:2] for line in lines] == [["door", "black"]] * runs
        assert "goes on" in lines[0]
    assert "goes on" not in lines[1]
    assert not _rows(path)


def _rows(path):
    return said("events", "list", path).splitlines()[1:]


def test_a_camera_that_stays_away_is_told_of(camera, tmp_path, monkeypatch):
    monkeypatch.setattr("latentwatch.monitor.camera_watch.GONE_AFTER", 1.0)
    path = tmp_path / "cameras.yaml"
    path.write_text(f"cameras: {{door: {{url: rtsp://127.0.0.1:9/none, model: {camera}/door.lw}}}}\n")
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(load_settings(path), stop), kwargs={"engine": "torch"})
    thread.start()
    wait_for(lambda: "gone" in said("events", "problems", path))
    stop.set()
    thread.join()
    with VideoWriter(tmp_path / "short.mp4", 10) as writer:
        for frame in islice(open_video(camera / "door.mp4"), 10):
            writer.write(frame.rgb)
    path.write_text(path.read_text().replace("rtsp://127.0.0.1:9/none", f"{tmp_path}/short.mp4, loop: true"))
    stop.clear()
    thread = threading.Thread(target=watch, args=(load_settings(path), stop), kwargs={"engine": "torch"})
    thread.start()
    wait_for(lambda: "goes on" not in said("events", "problems", path))
    thread.join(3)
    assert thread.is_alive()  # a second of film, over and over
    stop.set()
    thread.join()
    assert len(said("events", "problems", path).splitlines()) == 2


def test_an_alarm_ends_when_its_camera_goes_away(camera, tmp_path, monkeypatch):
    monkeypatch.setattr("latentwatch.monitor.camera_watch.AWAY_AFTER", 0.5)
    with Stream(parse_address(str(camera / "door.mp4"))) as film:
        units = [decoded.packet.data for decoded in film.decoded()]
    try:
        server = RtspServer({"live": write_units(tmp_path / "door.units", units)})
    except MissingPackageError as error:
        skip_or_fail(str(error))
    stop = threading.Event()
    with server:
        path = tmp_path / "cameras.yaml"
        path.write_text(f"cameras: {{door: {{url: '{server.url()}', model: {camera}/door.lw}}}}\n")
        thread = threading.Thread(target=watch, args=(load_settings(path), stop), kwargs={"engine": "torch"})
        thread.start()
        try:
            wait_for((tmp_path / "latentwatch-data").is_dir)
            wait_for(lambda: " open " in said("events", "list", path))
            server.kill()
            wait_for(lambda: " done " in said("events", "list", path))
        finally:
            stop.set()
            thread.join()
            server.start()
    shown = json.loads(said("events", "show", path, _rows(path)[0].split()[0]))
    assert shown["clip"]


def test_sigterm_ends_it_gently_and_only_one_may_watch(camera, tmp_path, broker, monkeypatch):
    monkeypatch.setitem(ENVIRONMENT, "BROKER_PASSWORD", "x")
    path = settings(camera, tmp_path, "rtsp://me:secret-word@127.0.0.1:9/none", broker.port)
    process = subprocess.Popen(
        [*COMMAND, "watch", str(path)], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    )
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: seen.last("latentwatch/status") == b"online")
        wait_for(lambda: seen.last("latentwatch/door/status") == b"offline")
        assert "another 'latentwatch watch'" in run("watch", path, code=2).stderr
        path.write_text(path.read_text().replace("seconds_after", "seconds_later"))
        process.send_signal(signal.SIGHUP)
        before = []
        while process.poll() is None and "goes on as before" not in "".join(before[-1:]):
            before.append(process.stderr.readline())
        assert "cameras.door.seconds_later: no such key" in before[-1]
        process.send_signal(signal.SIGTERM)
        stderr = "".join(before) + process.communicate(timeout=240)[1]
        assert process.returncode == 0
        assert "Traceback" not in stderr
        assert "secret-word" not in stderr
        wait_for(lambda: seen.last("latentwatch/status") == b"offline")


def test_mistakes_get_one_clear_line(camera, tmp_path):
    path = settings(camera, tmp_path, "x.mp4", 1)
    assert "no such environment variable" in said("watch", path)
    path.write_text(path.read_text().replace("${BROKER_PASSWORD}", "x").replace("door.lw", "none.lw"))
    with pytest.raises(UsageError, match="camera door: "):
        watch(load_settings(path), threading.Event())
    short = said("calibrate", camera / "door.lw", camera / "door.mp4", "--engine", "torch")
    assert "minutes of scored normal footage" in short
    assert len(short.splitlines()) == 1
