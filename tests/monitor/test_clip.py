import threading
from itertools import pairwise

import pytest
from encoded import FPS, encode, film
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwatch.errors import LatentwatchError
from latentwatch.monitor.clip import ClipRecording
from latentwatch.monitor.packet_ring import PacketRing, parameter_sets
from latentwatch.video.address import parse_address
from latentwatch.video.stream import EncodedPacket, Stream


def packets(codec="h264", count=40, size=(180, 320), start=0.0):
    """Encoded packets with their times, a key frame each second."""
    for index, unit in enumerate(encode(codec, count, size)):
        at = index / FPS
        yield EncodedPacket(unit, at, at, index % 10 == 0, codec, b""), start + at


def filled(ring, source):
    for packet, time in source:
        ring.add(packet, time)
    return ring


def played(path):
    """The packets of a clip and the sizes of its pictures."""
    with Stream(parse_address(str(path))) as stream:
        decoded = list(stream.decoded())
    assert not sum(each.damaged for each in decoded)
    sizes = {(picture.height, picture.width) for each in decoded for picture in each.pictures}
    return [each.packet for each in decoded], sizes


sizes_and_steps = st.lists(st.tuples(st.integers(0, 400), st.floats(0, 3), st.booleans()), max_size=60)


@settings(max_examples=50)
@given(sizes_and_steps)
def test_ring_never_holds_more_than_its_limits(added):
    ring = PacketRing(seconds=5, max_bytes=1000)
    now = newest = 0.0
    for size, step, is_key in added:
        now += step
        newest = now if size else newest  # an empty packet is ignored
        ring.add(EncodedPacket(bytes(size), None, None, is_key, "mjpeg", b""), now)
        held = ring.since(0, timeout=0)
        assert ring.held_bytes == sum(len(kept.packet.data) for kept in held) <= 1000
        assert all(newest - kept.time <= 5 for kept in held)
        assert all(b.number == a.number + 1 for a, b in pairwise(held))
        first = ring.start(now - 1)
        assert all(kept.packet.is_key for kept in held if kept.number == first)


def test_no_clip_waits_for_a_camera_that_was_closed(tmp_path):
    ring = filled(PacketRing(10), packets())
    recording = ClipRecording(ring, tmp_path / "last.mp4", start=0, end=100)
    ring.close()
    clip = recording.wait(5)
    assert len(played(clip.paths[0])[0]) == 40


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_clip_is_what_the_camera_encoded(tmp_path, codec):
    source = list(packets(codec))
    ring = filled(PacketRing(10), source)
    recording = ClipRecording(ring, tmp_path / "clips" / "event.mp4", start=1.5, end=2.75)
    clip = recording.wait(20)
    assert clip.paths == (tmp_path / "clips" / "event.mp4",)
    assert (clip.start, clip.end) == (1.0, 2.7)  # from the key frame before
    assert [each.name for each in clip.paths[0].parent.iterdir()] == ["event.mp4"]
    inside, sizes = played(clip.paths[0])
    assert sizes == {(180, 320)}
    assert [packet.pts for packet in inside] == pytest.approx([i / FPS for i in range(18)], abs=1e-4)
    for packet, (original, _) in zip(inside, source[10:28], strict=True):
        assert original.data.endswith(packet.data[-100:])  # not encoded anew


def test_clip_goes_on_while_packets_come(tmp_path):
    source = list(packets())
    ring = filled(PacketRing(1.5), source[:20])  # more than the ring holds is to come
    recording = ClipRecording(ring, tmp_path / "event.mp4", start=1.0)

    def camera():
        for packet, time in source[20:]:
            ring.add(packet, time)
            pause.wait(0.02)

    pause = threading.Event()
    thread = threading.Thread(target=camera)
    thread.start()
    recording.end_at(3.5)
    clip = recording.wait(20)
    thread.join()
    assert len(played(clip.paths[0])[0]) == 26


def test_new_picture_size_makes_a_second_file(tmp_path):
    ring = filled(PacketRing(10), packets(count=20))
    filled(ring, packets(count=20, size=(120, 160), start=2.0))
    recording = ClipRecording(ring, tmp_path / "event.mp4", start=0.5, end=3.0)
    clip = recording.wait(20)
    assert [path.name for path in clip.paths] == ["event.mp4", "event-2.mp4"]
    assert [played(path)[1] for path in clip.paths] == [{(180, 320)}, {(120, 160)}]
    assert [len(played(path)[0]) for path in clip.paths] == [20, 11]


def test_parameter_sets_that_come_twice_or_not_at_all_make_no_new_file(tmp_path):
    """A server has two in a key frame, one in the SDP, and none in damage that passes for a key frame."""
    ring = PacketRing(10)
    source = list(packets(count=30))
    sets = parameter_sets("h264", source[0][0].data)
    for index, (packet, time) in enumerate(source):
        data = packet.data.replace(sets, b"") if index == 10 else packet.data
        twice = sets + data if index == 20 else data
        ring.add(EncodedPacket(twice, time, time, packet.is_key, "h264", sets), time)
    recording = ClipRecording(ring, tmp_path / "event.mp4", start=0, end=2.85)
    (path,) = recording.wait(20).paths
    assert len(played(path)[0]) == 29


def test_packets_of_a_file_and_headers_beside_them(tmp_path):
    ring = PacketRing(10)
    with Stream(parse_address(str(film(tmp_path / "film.mp4", "h264", 20)))) as stream:
        for decoded in stream.decoded():
            packet = decoded.packet
            headers = parameter_sets("h264", packet.data)
            bare = packet.data.replace(headers, b"") if headers else packet.data
            ring.add(EncodedPacket(bare, packet.pts, packet.dts, packet.is_key, "h264", headers), packet.pts)
    recording = ClipRecording(ring, tmp_path / "event.mp4", start=0, end=1.5)
    assert len(played(recording.wait(20).paths[0])[0]) == 16


def test_what_cannot_be_a_clip(tmp_path):
    ring = filled(PacketRing(10), packets(count=10))
    (tmp_path / "file").write_text("in the way")
    recording = ClipRecording(ring, tmp_path / "file" / "event.mp4", start=0, end=0.5)
    with pytest.raises(LatentwatchError, match=r"event\.mp4: the clip cannot be written: "):
        recording.wait(20)

    assert [each.name for each in tmp_path.iterdir()] == ["file"]

    empty = PacketRing(10)
    empty.add(EncodedPacket(b"raw", 0.0, 0.0, True, "rawvideo", b""), 0.0)
    assert empty.held_bytes == 0
    recording = ClipRecording(empty, tmp_path / "event.mp4", start=0, end=0.5)
    filled(empty, packets(count=1, start=1.0))
    assert recording.wait(20) is None
