"""The original of a blurred event: for who has the key, and not without a note of it."""

import base64
import getpass
import io
import stat
from contextlib import closing

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import update
from test_blur import empty_scene, with_person
from test_clip import filled, packets, played
from typer.testing import CliRunner

from latentwatch.cli.main import app
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.event_files import Blurring, EventFiles
from latentwatch.monitor.model import Event
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.settings import Camera
from latentwatch.monitor.store import EventStore

KEY, OTHER = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))

SETTINGS = """
cameras: {door: {url: a.mp4, model: a.lw}}
privacy: {keys: ['${CLIP_KEY}']}
"""


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """An event with blurred clip and snapshot; the settings file and the event's id."""
    settings = tmp_path / "cameras.yaml"
    settings.write_text(SETTINGS)
    scratch = tmp_path / "unfinished"
    scratch.mkdir()
    with closing(EventStore(f"sqlite:///{tmp_path}/latentwatch-data/events.db")) as store:
        clips = ClipStore(str(tmp_path / "latentwatch-data" / "clips"), store.owner)
        files = EventFiles("door", clips, scratch, Blurring([base64.b64decode(KEY)], empty_scene()))
        event = Event(id="a" * 32, camera="door", start=1.0, peak=1.0, level=2.0, boxes=[])
        event.snapshot, size = files.keep_snapshot(event.id, with_person(100))
        store.begin(event, [])
        ring = PacketRing(20)
        recording = files.record(event.id, ring, 0, 60)
        recording.end_at(1.5)
        filled(ring, packets(count=20))  # after its end is known: else a quick recorder takes all of them
        clip, more = files.keep_clip(event.id, recording, 60)
        store.end(event.id, [], state="done", end=2.0, clip=clip, bytes=size + more)
        assert sum(clips.size(name) for name in clips.files()) == size + more
        assert len(clips.files()) == 4
    assert not list(scratch.iterdir())
    monkeypatch.setenv("CLIP_KEY", KEY)
    return settings, event.id


def said(*words):
    done = CliRunner().invoke(app, ["events", *map(str, words)])
    if isinstance(done.exception, LatentwatchError):
        return str(done.exception)
    assert done.exit_code == 0, done.output
    return done.output


def test_who_has_the_key_gets_the_original_and_is_noted(recorded, tmp_path):
    settings, event = recorded
    (tmp_path / "clear.mp4.part").write_text("of a try that was cut off, for all to read")
    assert "is recorded" in said("unblur", settings, "aaa", "--to", tmp_path / "clear.mp4")
    assert len(played(tmp_path / "clear.mp4")[0]) == 16
    said("unblur", settings, "aaa", "--snapshot", "--to", tmp_path / "clear.jpg")
    clear = np.asarray(Image.open(tmp_path / "clear.jpg")).astype(int)
    assert np.abs(clear - with_person(100)).mean() < 12
    kept = np.asarray(Image.open(tmp_path / "latentwatch-data" / "clips" / "door" / f"{event}.jpg"))
    assert np.abs(kept.astype(int) - with_person(100))[60:120, 100:120].mean() > 60
    assert stat.S_IMODE((tmp_path / "clear.mp4").stat().st_mode) == 0o600
    shown = said("show", settings, "aaa")
    assert shown.count(f'"who": "{getpass.getuser()}"') == 2
    assert f"door/{event}.jpg.enc" in shown
    assert "is there already" in said("unblur", settings, "aaa", "--to", tmp_path / "clear.mp4")


def test_without_the_right_key_there_is_one_clear_line(recorded, tmp_path, monkeypatch):
    settings, event = recorded
    to = tmp_path / "clear.mp4"
    monkeypatch.setenv("CLIP_KEY", OTHER)
    assert "encrypted with a key that is not in privacy.keys" in said("unblur", settings, "aaa", "--to", to)
    monkeypatch.setenv("CLIP_KEY", "nonsense")
    assert "not a key; expected what 'openssl" in said("unblur", settings, "aaa", "--to", to)
    monkeypatch.delenv("CLIP_KEY")
    assert "${CLIP_KEY}: no such environment variable" in said("unblur", settings, "aaa", "--to", to)
    assert '"unblurred": []' in said("show", settings, "aaa")  # for which no key is needed
    monkeypatch.setenv("CLIP_KEY", KEY)
    sealed = tmp_path / "latentwatch-data" / "clips" / "door" / f"{event}.mp4.enc"
    data = sealed.read_bytes()
    sealed.write_bytes(data[:-10])
    assert "damaged or cut short" in said("unblur", settings, "aaa", "--to", to)
    sealed.unlink()
    assert "no encrypted clip" in said("unblur", settings, "aaa", "--to", to)
    assert "cannot be written" in said(
        "unblur", settings, "aaa", "--snapshot", "--to", tmp_path / "no" / "x.jpg"
    )
    settings.write_text(SETTINGS.replace("privacy", "#"))
    assert "privacy: is missing" in said("unblur", settings, "aaa", "--to", to)
    assert not list(tmp_path.glob("clear*"))


def test_a_clip_that_was_not_blurred_in_time_is_blurred_after_the_next_start(recorded, tmp_path):
    _, event = recorded
    clip = tmp_path / "latentwatch-data" / "clips" / "door" / f"{event}.mp4"
    clip.unlink()
    with closing(EventStore(f"sqlite:///{tmp_path}/latentwatch-data/events.db")) as store:
        with store.engine.begin() as connection:
            connection.execute(update(Event).values(clip=None, state="cut", bytes=7))
        clips = ClipStore(str(tmp_path / "latentwatch-data" / "clips"), store.owner)
        blurring = Blurring([base64.b64decode(OTHER), base64.b64decode(KEY)], empty_scene())
        files = EventFiles("door", clips, tmp_path / "unfinished", blurring)
        camera = Camera(url="a.mp4", model="a.lw")
        recorder = Recorder(
            "door", camera, store, files, PacketRing(1), channels=[], longest=1, wake=lambda: None
        )
        recorder.finish_left()
        recorder.close(60)
        assert store.get(event).clip == f"door/{event}.mp4"
        assert store.get(event).bytes == 7 + clip.stat().st_size
        assert not store.without_clip("door")
    assert len(played(clip)[0]) == 16


def test_an_old_key_still_opens(recorded, tmp_path, monkeypatch):
    settings, _ = recorded
    monkeypatch.setenv("NEW_KEY", OTHER)
    settings.write_text(SETTINGS.replace("['${CLIP_KEY}']", "['${NEW_KEY}', '${CLIP_KEY}']"))
    said("unblur", settings, "aaa", "--snapshot", "--to", tmp_path / "clear.jpg")
    assert Image.open(io.BytesIO((tmp_path / "clear.jpg").read_bytes())).size == (320, 180)
