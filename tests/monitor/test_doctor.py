"""`doctor` on a set-up that works, and on one in which all is wrong."""

import json
import logging
import re
import shutil
import socket
import sys
from contextlib import closing

import pytest
from cameras import make_camera
from fsspec.registry import _registry
from typer.testing import CliRunner

from latentwatch.cli.main import app
from latentwatch.errors import MissingPackageError, UsageError, installing
from latentwatch.experiments.live.rtsp_script import PASSWORD
from latentwatch.experiments.live.servers import free_port
from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.clips import MARK, ClipStore
from latentwatch.monitor.settings_file import load_settings
from latentwatch.monitor.store import EventStore


@pytest.fixture(autouse=True)
def quiet_here_alone():
    """The command silences the log of its process, which here is that of other tests too."""
    log = logging.getLogger("latentwatch")
    level = log.level
    yield
    log.setLevel(level)


@pytest.fixture
def place(tmp_path):
    return make_camera(tmp_path)


def doctor(path):
    done = CliRunner().invoke(app, ["doctor", str(path), "--engine", "torch", "--json"])
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return done, {each["what"]: (each["verdict"], each["text"]) for each in found}


def test_all_is_well(place, rtsp, broker):
    path = place / "cameras.yaml"
    path.write_text(
        f"cameras: {{door: {{url: '{rtsp(digest=True).url(password=PASSWORD)}', model: door.lw}}}}\n"
        f"notify: {{home: {{mqtt: 'mqtt://127.0.0.1:{broker.port}'}}, "
        "phone: {apprise: 'json://localhost/secret-token'}}\nkeep: {gigabytes: 0.001}\nhttp: {port: 0}\n"
    )
    done, found = doctor(path)
    assert done.exit_code == 0, done.output
    assert found["http"] == ("ok", "127.0.0.1:0 is free")
    assert found["camera door"][0] == "ok"
    assert "320x180 at" in found["camera door"][1]
    assert found["speed"][0] == "ok"
    assert "ms a frame on torch" in found["speed"][1]
    assert found["channel home"] == ("ok", "mqtt://127.0.0.1: connects")
    assert found["channel phone"][0] == found["store"][0] == found["folder"][0] == "ok"
    assert found["model of door"][0] == "warning"  # it has no health reference
    assert not {PASSWORD, "secret-token"} & set(done.output.replace("/", " ").replace(":", " ").split())
    assert not (place / "latentwatch-data").exists()


def test_clips_that_are_not_this_stores(place):
    """As `watch` would say, also where the store is yet to be made; looking at a folder does not claim it."""
    path = place / "cameras.yaml"
    path.write_text(
        "cameras: {door: {url: door.mp4, model: door.lw}}\nclips: clips\nkeep: {gigabytes: 0.001}\n"
    )
    clips = str(place / "clips")
    assert doctor(path)[1]["clips"][0] == "ok"
    assert not (place / "clips").exists()

    ClipStore(clips, "another")
    refused = f"{clips}: belongs to another event store; give each store its own folder"
    assert doctor(path)[1]["clips"] == ("problem", refused)
    (place / "latentwatch-data").mkdir()
    with closing(EventStore(load_settings(path).store_url)) as store:
        assert doctor(path)[1]["clips"] == ("problem", refused)
        with pytest.raises(UsageError, match=re.escape(refused)):
            ClipStore(clips, store.owner)
        (place / "clips" / MARK).write_text(store.owner)
    assert doctor(path)[1]["clips"][0] == "ok"


def test_clips_on_a_server(place, s3):
    path = place / "cameras.yaml"
    path.write_text(f"cameras: {{door: {{url: door.mp4, model: door.lw}}}}\nclips: {s3.url}\n")
    assert doctor(path)[1]["clips"] == ("ok", f"{s3.url}: can be reached")
    ClipStore(s3.url, "another")
    assert doctor(path)[1]["clips"][1].startswith(f"{s3.url}: belongs to another event store")
    path.write_text(path.read_text() + "store: mysql://x\n")
    assert doctor(path)[1]["clips"][0] == "warning"


def test_what_is_not_installed(place, monkeypatch):
    """The hints are commands that work: Latentwatch is in no package index."""
    for package in ("openvino", "psycopg", "s3fs"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(_registry, "s3", raising=False)  # where an earlier test has left it
    path = place / "cameras.yaml"
    path.write_text(
        "cameras: {door: {url: door.mp4, model: door.lw}}\nstore: postgresql://me:hidden@127.0.0.1:9/none\n"
    )
    _, found = doctor(path)
    assert found["engines"][0] == "warning"
    assert found["engines"][1].endswith(installing("openvino"))
    assert found["store"][1].endswith(f"PostgreSQL's driver is not installed; {installing('postgresql')}")
    with pytest.raises(MissingPackageError, match=re.escape(installing("s3"))):
        ClipStore("s3://bucket/clips", "a")


def test_a_port_that_is_taken(place):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        path = place / "cameras.yaml"
        path.write_text(
            "cameras: {door: {url: door.mp4, model: door.lw}}\nkeep: {gigabytes: 0.001}\n"
            f"http: {{port: {port}}}\n"
        )
        verdict, text = doctor(path)[1]["http"]
    assert verdict == "warning"
    assert f"127.0.0.1:{port}: Address already in use; unless 'watch' runs now, give another" in text


def test_all_is_wrong(place):
    shutil.copy(place / "door.lw", place / "bare.lw")
    budget_file(place / "door.lw").write_text("{")
    (place / "file").touch()
    path = place / "cameras.yaml"
    path.write_text(
        f"cameras:\n  door: {{url: 'rtsp://me:hidden@127.0.0.1:{free_port()}/x', model: door.lw}}\n"
        "  yard: {url: none.mp4, model: bare.lw}\nfolder: file/below\nkeep: {gigabytes: 1000000}\n"
        f"notify: {{home: {{mqtt: 'http://x'}}, office: {{webhook: 'http://127.0.0.1:{free_port()}/x', "
        "secret: s}, phone: {apprise: 'nonsense'}}\nstore: postgresql://me:hidden@127.0.0.1:9/none\n"
    )
    done, found = doctor(path)
    assert done.exit_code == 1
    wrong = {what for what, (verdict, _) in found.items() if verdict == "problem"}
    assert wrong == {
        "model of door",
        "model of yard",
        "camera door",
        "camera yard",
        "folder",
        "clips",
        "store",
        "channel home",
        "channel office",
        "channel phone",
    }
    assert "calibrate" in found["model of yard"][1]
    assert found["folder"][1].endswith("file: is a file; give another folder")
    assert "hidden" not in done.output
    assert "Traceback" not in done.output
