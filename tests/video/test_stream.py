"""Live sources, from a real RTSP server and a real HTTP server."""

import socket
import threading
from pathlib import Path

import av
import numpy as np
import pytest
from encoded import FPS, encode, film, pictures
from http_server import TOKEN, http_server
from PIL import Image

from latentwatch.errors import LatentwatchError
from latentwatch.experiments.live.rtsp_script import PASSWORD
from latentwatch.video.address import parse_address
from latentwatch.video.source import open_video
from latentwatch.video.stream import LoginRefusedError, SourceSilentError, Stream, rgb_of


def take(source, count):
    return [next(source) for _ in range(count)]


@pytest.mark.parametrize(("codec", "transport"), [("h264", "udp"), ("hevc", "tcp")])
def test_rtsp_with_digest_authentication(rtsp, codec, transport):
    server = rtsp(codec, digest=True)
    with Stream(parse_address(server.url(password=PASSWORD)), transport=transport) as stream:
        assert stream.codec == codec
        decoded = take(stream.decoded(), 12)
    first = decoded[0].packet
    assert first.is_key
    assert any(unit.endswith(first.data[-500:]) for unit in encode(codec))  # as it was encoded
    assert sum(each.damaged for each in decoded) == 0
    truth = list(pictures(30))
    shown = [picture.to_ndarray(format="rgb24") for each in decoded for picture in each.pictures]
    assert len(shown) >= 11
    assert min(np.abs(shown[5].astype(int) - picture).mean() for picture in truth) < 6

    for url, error, reason in [
        (server.url(password="wrong"), LoginRefusedError, "user name or the password is wrong"),
        (server.url(), LoginRefusedError, "wrong or missing"),
        (server.url(password=PASSWORD, name="none"), LatentwatchError, "no such stream there (404)"),
    ]:
        with pytest.raises(error) as caught:
            Stream(parse_address(url))
        assert reason in str(caught.value)
        assert "wrong@" not in str(caught.value)
        assert PASSWORD not in repr(caught.value)
        assert caught.value.__context__ is None  # FFmpeg's error has the password in it


def test_rtsp_as_any_other_footage(rtsp):
    with open_video(rtsp().url(), size=(90, 160)) as source:
        frames = take(source, 8)
    assert [frame.index for frame in frames] == list(range(8))
    assert frames[0].time == 0
    assert np.diff([frame.time for frame in frames[1:]]) == pytest.approx(1 / FPS, abs=0.002)
    assert frames[0].rgb.shape == (90, 160, 3)


def test_silent_server_is_given_up(rtsp):
    server = rtsp()
    with Stream(parse_address(server.url()), read_timeout=1) as stream:
        decoded = stream.decoded()
        next(decoded)
        server.tell("stall")
        with pytest.raises(SourceSilentError, match="no answer within 1 s"):
            list(decoded)


def test_mjpeg(tmp_path):
    for index, picture in enumerate(pictures(5)):
        Image.fromarray(picture).save(tmp_path / f"{index}.jpg", quality=90)
    with http_server(tmp_path) as address:
        with open_video(f"{address}/mjpeg?token={TOKEN}") as source:
            assert source.name == f"{address}/mjpeg?token=***"
            frames = take(source, 8)
        with pytest.raises(LoginRefusedError, match=r"token=\*\*\*: refused \(401"):
            open_video(f"{address}/mjpeg?token=wrong")
        with pytest.raises(LatentwatchError, match="404"):
            open_video(f"{address}/none.m3u8")
        (tmp_path / "page.html").write_text("<html>no video</html>")
        with pytest.raises(LatentwatchError, match="not with video that FFmpeg understands"):
            open_video(f"{address}/page.html")
    assert np.abs(frames[0].rgb.astype(int) - next(pictures(1))).mean() < 6


def test_hls(tmp_path):
    film(
        tmp_path / "live.m3u8", "h264", 30, container="hls", hls_time="1", hls_list_size="0",
        hls_segment_filename=str(tmp_path / "part%d.ts"),
    )  # fmt: skip
    assert len(list(tmp_path.glob("part*.ts"))) == 3
    with http_server(tmp_path) as address, open_video(f"{address}/live.m3u8") as source:
        frames = list(source)
    assert len(frames) == 30
    assert frames[-1].time == pytest.approx(2.9, abs=0.01)


def test_mp4_gives_packets_with_start_codes(tmp_path):
    with Stream(parse_address(str(film(tmp_path / "film.mp4", "hevc", 12)))) as stream:
        packets = [each.packet for each in stream.decoded()]
    assert [packet.is_key for packet in packets] == [True] + 9 * [False] + [True, False]
    assert all(packet.data.startswith(b"\0\0\0\1") for packet in packets)


def test_hosts_that_do_not_answer():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(LatentwatchError, match="nothing listens there"):
            open_video(f"rtsp://u:geheim@127.0.0.1:{port}/live")
        silent.listen()
        with pytest.raises(LatentwatchError, match=r"no answer within 0\.5 s"):
            Stream(parse_address(f"rtsp://127.0.0.1:{port}/live"), open_timeout=0.5)
        junk = threading.Thread(target=lambda: silent.accept()[0].sendall(b"junk\r\n" * 5000), daemon=True)
        junk.start()
        with pytest.raises(LatentwatchError, match=rf"^rtsp://127.0.0.1:{port}/live: "):
            Stream(parse_address(f"rtsp://127.0.0.1:{port}/live"), open_timeout=2)
    with pytest.raises(LatentwatchError, match="no host of that name"):
        open_video("rtsp://nowhere.invalid/live")
    with pytest.raises(LatentwatchError, match="/dev/video93: no such camera"):
        open_video("usb:93")


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts the threads of Linux")
def test_pictures_in_rgb_bring_no_threads_with_them():
    """FFmpeg starts one a core for each picture unless it is told not to, and ends them with the picture."""
    shown = next(pictures(1))
    held = [av.VideoFrame.from_ndarray(shown, format="rgb24").reformat(format="yuv420p") for _ in range(8)]
    made = [av.VideoFrame.from_ndarray(each.to_ndarray(), format="yuv420p") for each in held]
    before = len(list(Path("/proc/self/task").iterdir()))
    assert all(rgb_of(picture).shape == shown.shape for picture in made)
    assert len(list(Path("/proc/self/task").iterdir())) == before
