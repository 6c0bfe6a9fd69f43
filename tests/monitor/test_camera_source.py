"""A camera that fails in all the ways that cameras do, served by a real RTSP server."""

import gc
import resource
import threading
import time
from itertools import pairwise

import av
import pytest
from encoded import FPS, film

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.camera_source import BackOff, CameraSource, Listeners, Patience
from latentwatch.monitor.clip import ClipRecording
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.video.address import parse_address

QUICK = Patience(open_timeout=5, stall_after=1.0, back_off=BackOff(first=0.1, longest=0.3))


class Watched:
    """A camera source read in a thread, as `LiveReader` reads it, and what it told."""

    def __init__(self, url, ring=None, **options):
        self.states, self.frames = [], []
        listeners = Listeners(
            on_state=lambda state, reason: self.states.append((state, reason)),
            on_packet=(ring or PacketRing(1)).add,
        )
        options = {"patience": QUICK, "listeners": listeners, "size": (18, 32), **options}
        self.source = CameraSource(parse_address(url), **options)
        self._thread = threading.Thread(target=self._read)

    def _read(self):
        for frame in self.source:
            self.frames.append((frame.index, frame.time))

    def until(self, happened, what, limit=20):
        end = time.monotonic() + limit
        while not happened(self):
            assert time.monotonic() < end, f"{what}: {self.states} {self.source.counts}"
            time.sleep(0.02)

    def gets(self, count=3):
        """Waits for so many more frames."""
        wanted = len(self.frames) + count
        self.until(lambda self: len(self.frames) >= wanted, "no more frames")

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.source.close()
        self._thread.join(10)
        assert not self._thread.is_alive()


def test_server_killed_and_restarted(rtsp):
    server = rtsp()
    ring = PacketRing(30)
    threads = threading.active_count()
    with Watched(server.url(), ring) as camera:
        camera.gets()
        for times in range(1, 4):
            server.kill()
            camera.until(lambda c, n=times: c.source.counts.losses == n, "the loss is not seen")
            server.start()
            camera.gets()
        assert threading.active_count() == threads + 1
    assert [state for state, _ in camera.states] == ["live"] + 3 * ["lost", "live"]
    assert camera.source.counts.connections == 4
    assert all(b > a for (_, a), (_, b) in pairwise(camera.frames))
    assert all(b > a for (a, _), (b, _) in pairwise(camera.frames))
    assert sum(b - a > 3 / FPS for (_, a), (_, b) in pairwise(camera.frames)) >= 3  # the gaps can be seen
    times = [kept.time for kept in ring.since(0, 0)]
    assert times == sorted(times)


def _size(path):
    with av.open(str(path)) as opened:
        frame = next(opened.decode(video=0))
    return frame.width, frame.height


def test_stall_garbage_and_another_size(rtsp, units, tmp_path):
    server = rtsp()
    ring = PacketRing(60)
    with Watched(server.url(), ring) as camera:
        camera.gets()
        server.tell("stall")
        camera.until(lambda c: c.source.state == "stalled", "the stall is not seen")
        server.tell("resume")
        camera.gets()
        assert camera.source.state == "live"

        server.tell("garbage")
        camera.until(lambda c: c.source.counts.damaged > 3, "no damage is seen")
        server.tell("resume")
        camera.gets(12)

        server.tell(f"film live {units(size=(120, 160))}")
        camera.until(lambda c: c.source.counts.size_changes == 1, "the new size is not seen")
        camera.gets(12)
        recording = ClipRecording(ring, tmp_path / "all.mp4", start=0, end=camera.frames[-1][1])
        clip = recording.wait(20)
    assert camera.source.counts.stalls >= 1
    first = next(reason for state, reason in camera.states if state == "stalled")
    assert "no answer within 1 s" in first  # the garbage may have been a second one
    assert [_size(path) for path in clip.paths] == [(320, 180), (160, 120)]
    assert all(b > a for (_, a), (_, b) in pairwise(camera.frames))


def test_endless_garbage_is_a_stall(rtsp):
    server = rtsp()
    with Watched(server.url()) as camera:
        camera.gets()
        server.tell("garbage")
        camera.until(lambda c: c.source.state == "stalled", "the garbage is not seen")
    assert "no picture of them could be decoded" in dict(camera.states)["stalled"]


def test_rtsp_over_udp(rtsp):
    with Watched(rtsp().url(), transport="udp") as camera:
        camera.gets(5)
    assert [state for state, _ in camera.states] == ["live"]


def test_wrong_password_is_tried_seldom(rtsp):
    server = rtsp(digest=True)
    patience = Patience(back_off=BackOff(first=0.01, longest=30))
    with Watched(server.url(password="wrong"), patience=patience) as camera:
        camera.until(lambda c: c.source.state == "lost", "the refusal is not seen")
        time.sleep(0.5)
        assert len(camera.states) == 1
    assert "password is wrong" in camera.states[0][1]
    assert "wrong@" not in camera.states[0][1]


def test_files_play_in_real_time_and_loop(tmp_path):
    path = str(film(tmp_path / "film.mp4", "h264", 8))
    began = time.monotonic()
    once = list(CameraSource(parse_address(path), size=(18, 32)))
    assert len(once) == 8
    assert 0.6 < time.monotonic() - began < 3
    with CameraSource(parse_address(path), loop=True, size=(18, 32)) as source:
        frames = [next(source) for _ in range(18)]
    assert [frame.index for frame in frames] == list(range(18))
    assert frames[-1].time == pytest.approx(frames[0].time + 1.7, abs=0.3)
    with pytest.raises(LatentwatchError, match="No such file"):
        next(CameraSource(parse_address("none.mp4")))


def test_memory_and_threads_stay_flat_over_many_connections(tmp_path):
    path = str(film(tmp_path / "film.mp4", "h264", 2))
    ring = PacketRing(seconds=5, max_bytes=200_000)
    listeners = Listeners(on_packet=ring.add)
    threads = threading.active_count()
    peaks = []
    with CameraSource(parse_address(path), loop=True, listeners=listeners, size=(18, 32)) as source:
        for index, _ in enumerate(source):
            if index in (30, 90):
                gc.collect()
                peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            if index == 90:
                break
    assert source.counts.connections > 40
    assert ring.held_bytes <= 200_000
    assert threading.active_count() == threads
    assert peaks[1] - peaks[0] < 5_000  # KB


def test_waits_grow_and_differ():
    waits = [[BackOff().seconds(failures) for failures in range(1, 12)] for _ in range(20)]
    assert all(0.5 <= wait[0] <= 1 for wait in waits)
    assert all(30 <= wait[-1] <= 60 for wait in waits)
    assert len({wait[5] for wait in waits}) == 20
