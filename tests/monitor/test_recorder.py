"""What becomes of an alarm when things go wrong meanwhile."""

import time
from contextlib import closing, contextmanager

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
PLACES = np.zeros((1, 1), dtype=np.float32)
RESULT = Result(0, 10.0, 1.0, True, [], PLACES, PLACES)


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
    wait_for(lambda: [event.state for event in store.newest(2)] == ["done"], 20)
    (event,) = store.newest(2)
    assert (event.start, event.peak, event.end) == (1e9, 1e9 + 1, 1e9 + 3)


@pytest.fixture
def unwritable(store):
    """The store's tables cannot be written while entered, as on a full disk."""

    @contextmanager
    def hold():
        with store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE message RENAME TO gone"))
        yield
        with store.engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO message"))

    return hold


def test_an_event_is_recorded_when_the_store_is_back_however_late(
    store, ring, recorder, unwritable, monkeypatch
):
    monkeypatch.setattr("latentwatch.monitor.record_writer.FIRST_WAIT", 0.05)
    with unwritable():
        recorder.problem("dark", begins=True)
        recorder.begin(Span(10.0, 10.0, 10.0, 1.2), FRAME, RESULT)
        recorder.problem("dark", begins=False)
        recorder.end(Span(10.0, 11.0, 13.0, 1.5))
        ring.add(EncodedPacket(b"x", None, None, True, "mjpeg", b""), 100.0)
        time.sleep(0.5)
        assert store.newest(1) == []
        assert not recorder.event_id
    wait_for(lambda: [event.state for event in store.newest(2)] == ["done"], 20)
    assert store.open_problems("door") == []
    keys = []
    while message := store.next_message("home"):
        keys.append(message.kind)
        store.mark(message.id, delivered=1.0)
    assert keys == ["problem", "new", "well", "end"]


def test_what_cannot_be_recorded_until_the_end_is_named_and_leaves_no_files(
    store, recorder, tmp_path, unwritable, caplog
):
    with unwritable():
        recorder.begin(Span(10.0, 10.0, 10.0, 1.2), FRAME, RESULT)
        event = recorder.event_id[:8]
        wait_for(lambda: "make room on its disk" in caplog.text, 20)
        recorder.close(1)
    assert f"door: the beginning of event {event} is LOST" in caplog.text
    assert store.newest(1) == []
    store.recover(ClipStore(str(tmp_path / "clips"), store.owner), {})
    assert not [path for path in tmp_path.glob("clips/door/*") if path.is_file()]


def test_an_end_is_recorded_though_its_camera_has_begun_anew(store, ring, recorder):
    recorder.begin(Span(10.0, 10.0, 10.0, 1.2), FRAME, RESULT)
    recorder.end(Span(10.0, 11.0, 13.0, 1.5))
    recorder.close(0.1)  # while the clip still waits for packets
    assert [event.state for event in store.newest(2)] == ["open"]
    ring.add(EncodedPacket(b"x", None, None, True, "mjpeg", b""), 100.0)
    wait_for(lambda: [event.state for event in store.newest(2)] == ["done"], 20)


def test_a_full_disk_keeps_no_piece_of_a_snapshot(store, tmp_path):
    files = EventFiles("door", ClipStore(str(tmp_path / "clips"), store.owner), tmp_path, None)
    (tmp_path / "17.jpg").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        files.keep_snapshot("17", FRAME.rgb)
    assert not (tmp_path / "17.jpg").is_symlink()
