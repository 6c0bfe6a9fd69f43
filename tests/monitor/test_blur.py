"""What moves is blurred in every frame; what does not stays as it is."""

import io
from itertools import islice

import av
import numpy as np
import pytest
from encoded import FPS, encode, film
from PIL import Image
from test_clip import filled, packets, played

from latentwatch.datasets.registry import open_dataset
from latentwatch.errors import LatentwatchError
from latentwatch.monitor.background import STILL, Background
from latentwatch.monitor.blur import blur_clip, blur_picture
from latentwatch.monitor.clip import ClipRecording
from latentwatch.monitor.encryption import DecryptingFile
from latentwatch.monitor.packet_ring import PacketRing
from latentwatch.video.resize import resize
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter

SMALL = (45, 80)


def ground(size=(180, 320)):
    """The pictures' ground with nothing on it."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 160, (size[0] // 10, size[1] // 10, 3), dtype=np.uint8)
    return np.repeat(np.repeat(coarse, 10, axis=0), 10, axis=1)


def empty_scene():
    return Background(resize(ground(), SMALL).astype(np.float32))


def with_person(x, width=20, seed=1):
    """A person with a pattern that nothing else has; x may be partly out of the picture."""
    picture = ground()
    pattern = np.random.default_rng(seed).integers(0, 2, (60, width, 1), dtype=np.uint8) * 255
    left, right = max(x, 0), min(x + width, picture.shape[1])
    picture[60:120, left:right] = pattern[:, left - x : right - x]
    return picture


@pytest.mark.parametrize("x", [-12, 0, 100, 300, 312])
def test_nothing_of_a_person_is_left_and_the_rest_is(x):
    rgb = with_person(x)
    area = empty_scene().area(rgb)
    blurred = blur_picture(rgb, area).astype(int)
    there = np.abs(rgb.astype(int) - ground()).max(axis=2) > 0
    whole = area.repeat(4, axis=0).repeat(4, axis=1)
    assert whole[there].all()
    # A person is at most 4 blocks high: within each block of 11 rows all is alike.
    columns = np.flatnonzero(there.any(axis=0))
    inside = blurred[60:120, columns]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) <= 3 * 7
    assert whole.mean() < 0.25
    far = ~whole
    assert (blurred[far] == rgb[far]).all()


def test_a_background_takes_in_the_light_but_nobody():
    scene = empty_scene()
    for second in range(0, 120, 2):
        scene.learn((ground() + min(second // 4, 25)).astype(np.uint8), second)
    lighter = with_person(100) + np.uint8(25) * (with_person(100) < 200)
    area = scene.area(lighter)
    assert area[20:25, 26:29].all()
    assert area.mean() < 0.25
    moving = scene.area(lighter).sum()
    for second in range(120, 420, 4):  # five minutes on one spot, but not stiff
        scene.learn(with_person(100 + second % 3) + np.uint8(25), second)
    assert scene.area(with_person(100) + np.uint8(25)).sum() > 0.8 * moving


def test_what_never_changes_becomes_background():
    scene = empty_scene()
    assert scene.area(with_person(100)).any()
    for second in range(0, int(STILL) + 11, 10):
        scene.learn(with_person(100), second)
    assert not scene.area(with_person(100)).any()


@pytest.mark.parametrize("gain", [0.6, 1.4])
def test_a_cloud_is_no_person(gain):
    scene = empty_scene()
    assert not scene.area((ground() * gain).astype(np.uint8)).any()
    area = scene.area((with_person(100) * min(gain, 1.0)).astype(np.uint8))
    assert area[15:30, 25:30].all()
    assert area.mean() < 0.25


def test_another_scene_is_blurred_everywhere():
    assert empty_scene().area(255 - ground()).all()


def recorded(tmp_path, key=b"k" * 32):
    ring = filled(PacketRing(20), packets(count=40))
    recording = ClipRecording(ring, tmp_path / "event.mp4.enc", start=0, end=3.9, key=key)
    (path,) = recording.wait(20).paths
    return path, key


def test_an_encrypted_clip_holds_the_cameras_packets(tmp_path):
    path, key = recorded(tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["event.mp4.enc"]
    sealed = path.read_bytes()
    assert b"ftyp" not in sealed
    assert b"moov" not in sealed
    clear = tmp_path / "clear.mp4"
    clear.write_bytes(DecryptingFile(io.BytesIO(sealed), [key], "event.mp4").read())
    inside, sizes = played(clear)
    assert sizes == {(180, 320)}
    assert [packet.pts for packet in inside] == pytest.approx([i / FPS for i in range(40)], abs=1e-4)
    for packet, original in zip(inside, encode("h264", 40), strict=True):
        assert original.endswith(packet.data[-100:])


def test_a_blurred_clip_has_all_frames_at_their_times(tmp_path):
    path, key = recorded(tmp_path)
    with path.open("rb") as sealed:
        blur_clip(DecryptingFile(sealed, [key], "event.mp4"), tmp_path / "blurred.mp4", empty_scene())
    shown = list(open_video(tmp_path / "blurred.mp4"))
    assert len(shown) == 40
    assert [frame.time for frame in shown] == pytest.approx([i / FPS for i in range(40)], abs=0.01)
    with av.open(str(tmp_path / "blurred.mp4")) as clip:
        assert clip.streams.video[0].codec_context.name == "h264"
        assert clip.streams.video[0].pix_fmt == "yuv420p"


def test_a_person_is_blurred_wherever_he_goes(tmp_path):
    places = list(range(-16, 324, 20))  # in at the one edge, out at the other, there from the first frame on
    with VideoWriter(tmp_path / "film.mp4", FPS) as writer:
        for x in places:
            writer.write(with_person(x))
    with (tmp_path / "film.mp4").open("rb") as film:
        blur_clip(film, tmp_path / "blurred.mp4", empty_scene())
    for x, frame in zip(places, open_video(tmp_path / "blurred.mp4"), strict=True):
        person = slice(60, 120), slice(max(x, 0), x + 20)
        assert _detail(with_person(x)[person]) > 80
        assert _detail(frame.rgb[person]) < 12
        assert np.abs(frame.rgb[140:].astype(int) - ground()[140:]).mean() < 6


def _detail(part):
    """Mean difference of neighbouring pixels."""
    return np.abs(np.diff(part.astype(int), axis=0)).mean()


def test_ped2_leaves_next_to_nothing_of_riders_and_cars(shared_data):
    ped2 = open_dataset("ped2", shared_data / "ped2")
    seen = [
        resize(frame.rgb, (128, 192))
        for clip in ped2.train[::5]
        for frame in islice(clip.open(), 0, None, 30)
    ]
    scene = Background(np.mean(seen, axis=0, dtype=np.float32))
    for clip in ped2.test[::6]:
        masks = clip.load_masks()
        for index, frame in enumerate(clip.open()):
            if index % 10 == 0 and masks[index].any():
                area = scene.area(frame.rgb)
                shown = ~np.asarray(Image.fromarray(area).resize(frame.rgb.shape[1::-1]))
                assert (shown & masks[index]).sum() <= 0.02 * masks[index].sum()
                assert area.mean() < 0.6


def test_damaged_clips(tmp_path):
    clip = film(tmp_path / "film.mp4", "h264", 20)
    data = bytearray(clip.read_bytes())
    at = data.index(b"mdat") + len(data) // 2
    data[at : at + 300] = bytes(300)
    blur_clip(io.BytesIO(bytes(data)), tmp_path / "blurred.mp4", empty_scene())
    assert 5 < sum(1 for _ in open_video(tmp_path / "blurred.mp4")) <= 20
    for spoiled in (b"", b"no film" * 100):
        with pytest.raises(LatentwatchError, match=r"none\.mp4: "):
            blur_clip(io.BytesIO(spoiled), tmp_path / "none.mp4", empty_scene())
    assert not (tmp_path / "none.mp4").exists()
