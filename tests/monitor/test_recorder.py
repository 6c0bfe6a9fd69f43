"""What becomes of an alarm when the clock that people read is set meanwhile."""

from contextlib import closing

import numpy as np
from servers import wait_for

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


def test_an_event_ends_after_its_start_though_the_clock_is_set_back(tmp_path, monkeypatch):
    now = [1e9]
    monkeypatch.setattr("latentwatch.monitor.recorder.time.time", lambda: now[0])
    ring = PacketRing(30)
    frame = Frame(0, 10.0, np.zeros((8, 8, 3), dtype=np.uint8))
    result = Result(0, 10.0, 1.0, np.zeros((1, 1), dtype=np.float32), True, [])
    with closing(EventStore(f"sqlite:///{tmp_path}/events.db")) as store:
        clips = ClipStore(str(tmp_path / "clips"), store.owner)
        recorder = Recorder(
            "door",
            Camera(url="rtsp://127.0.0.1/x", model="door.lw"),
            store,
            EventFiles("door", clips, tmp_path, None),
            ring,
            channels=[],
            longest=60,
            wake=lambda: None,
        )
        recorder.begin(Span(10.0, 10.0, 10.0, 1.2), frame, result)
        now[0] -= 3600
        recorder.end(Span(10.0, 11.0, 13.0, 1.5))
        ring.add(EncodedPacket(b"x", None, None, True, "mjpeg", b""), 100.0)  # the clip's end has passed
        wait_for(lambda: store.newest(1)[0].state == "done", 20)
        (event,) = store.newest(2)
        assert (event.start, event.peak, event.end) == (1e9, 1e9 + 1, 1e9 + 3)
