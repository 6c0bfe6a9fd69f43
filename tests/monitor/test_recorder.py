"""What becomes of an alarm when things go wrong meanwhile."""

from contextlib import closing

import numpy as np
import pytest
from servers import wait_for
from sqlalchemy import text

from latentwatch.monitor.alarm import Span
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.event_files import EventFiles
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.monitor.recorder import Recorder
from latentwatch.monitor.settings import Camera
from latentwatch.monitor.store import EventStore
from latentwatch.scoring.detector import Result
from latentwatch.video.frame import Frame
from latentwatch.video.stream import EncodedPacket

FRAME = Frame(0, 10.0, np.zeros((8, 8, 3), dtype=np.uint8))
RESULT = Result(0, 10.0, 1.0, np.zeros((1, 1), dtype=np.float32), True, [])


@pytest.fixture
def store(tmp_path):
    with closing(EventStore(f"sqlite:///{tmp_path}/events.db")) as opened:
        yield opened


@pytest.fixture
def ring():
    return PacketRing(30)


@pytest.fixture
def recorder(store, ring, tmp_path):
    clips = ClipStore(str(tmp_path / "clips"), store.owner)
    scratch = tmp_path / "unfinished"
    scratch.mkdir()
    camera = Camera(url="rtsp://127.0.0.1/x", model="door.lw")
    files = EventFiles("door", clips, scratch, None)
    return Recorder("door", camera, store, files, ring, channels=["home"], longest=60, wake=lambda: None)


def test_an_event_ends_after_its_start_though_the_clock_is_set_back(store, ring, recorder, monkeypatch):
    now = [1e9]
    monkeypatch.setattr("latentwatch.monitor.recorder.time.time", lambda: now[0])
    recorder.begin(Span(10.0, 10.0, 10.0, 1.2), FRAME, RESULT)
    now[0] -= 3600
    recorder.end(Span(10.0, 11.0, 13.0, 1.5))
    ring.add(EncodedPacket(b"x", None, None, True, "mjpeg", b""), 100.0)  # the clip's end has passed
    wait_for(lambda: store.newest(1)[0].state == "done", 20)
    (event,) = store.newest(2)
    assert (event.start, event.peak, event.end) == (1e9, 1e9 + 1, 1e9 + 3)


def test_an_alarm_that_cannot_be_recorded_leaves_no_files(store, recorder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("latentwatch.monitor.recorder.TRIES", (0.01,))
    with store.engine.begin() as connection:
        connection.execute(text("DROP TABLE message"))
    recorder.begin(Span(10.0, 10.0, 10.0, 1.2), FRAME, RESULT)
    assert "is LOST" in caplog.text
    recorder.end(Span(10.0, 11.0, 13.0, 1.5))  # nothing has begun
    assert store.newest(1) == []
    assert [path.name for path in tmp_path.glob("*/*") if path.is_file()] == ["latentwatch-store"]
    assert not [path for path in tmp_path.glob("clips/door/*") if path.is_file()]


def test_a_full_disk_keeps_no_piece_of_a_snapshot(store, tmp_path):
    files = EventFiles("door", ClipStore(str(tmp_path / "clips"), store.owner), tmp_path, None)
    (tmp_path / "17.jpg").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        files.keep_snapshot("17", FRAME.rgb)
    assert not (tmp_path / "17.jpg").is_symlink()
