import logging

import numpy as np
import pytest
from clips import moving_square
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.folder import natural_key
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter


@given(st.lists(st.integers(0, 10**6), unique=True))
def test_numbers_sort_as_numbers(numbers):
    names = sorted((f"frame{number}.jpg" for number in numbers), key=natural_key)
    assert names == [f"frame{number}.jpg" for number in sorted(numbers)]


@given(st.lists(st.text()))
def test_any_names_can_be_compared(names):
    sorted(names, key=natural_key)


@pytest.mark.parametrize(
    "picture",
    [
        Image.new("L", (4, 2), 200),
        Image.new("RGBA", (4, 2), (200, 200, 200, 9)),
        Image.new("P", (4, 2), 1),
        Image.fromarray(np.full((2, 4), 200 * 256, dtype=np.uint16)),
    ],
    ids=["grey", "rgba", "palette", "16-bit"],
)
def test_every_kind_of_image_becomes_rgb(tmp_path, picture):
    if picture.mode == "P":
        picture.putpalette([0, 0, 0, 200, 200, 200])
    picture.save(tmp_path / "0.png")
    (frame,) = open_video(tmp_path)
    assert frame.rgb.dtype == np.uint8
    assert frame.rgb.shape == (2, 4, 3)
    assert (frame.rgb == 200).all()


def test_corrupt_image_is_skipped_and_counted(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=4)
    (folder / "001.png").write_bytes(b"no picture")
    source = open_video(folder, fps=5)
    assert [(frame.index, frame.time) for frame in source] == [(0, 0), (2, 0.4), (3, 0.6)]
    assert source.skipped == 1


def test_mixed_sizes_take_the_first_with_one_warning(tmp_path, caplog):
    for index, size in enumerate([(8, 6), (4, 4), (10, 10)]):
        Image.new("RGB", size).save(tmp_path / f"{index}.png")
    with caplog.at_level(logging.WARNING):
        assert {frame.rgb.shape for frame in open_video(tmp_path)} == {(6, 8, 3)}
    assert len(caplog.records) == 1


def film(path, frames=30, size=(40, 60), fps=25):
    with VideoWriter(path, fps) as writer:
        for index in range(frames):
            writer.write(np.full((*size, 3), 5 * index % 256, dtype=np.uint8))
    return path


@pytest.mark.parametrize("size", [(40, 60), (41, 61)])
def test_written_film_is_read_back(tmp_path, size):
    path = film(tmp_path / "film.mp4", size=size)
    assert [each.name for each in tmp_path.iterdir()] == ["film.mp4"]
    source = open_video(path)
    frames = list(source)
    assert source.fps == 25
    assert len(frames) == source.frame_count == 30
    assert frames[0].rgb.shape == (40, 60, 3)
    for frame in frames:
        assert frame.time == pytest.approx(frame.index / 25)
        assert abs(frame.rgb.mean() - 5 * frame.index) < 4


def test_resize_and_grey(tmp_path):
    frame = next(open_video(film(tmp_path / "film.mp4"), size=(16, 24), grey=True))
    assert frame.rgb.shape == (16, 24, 3)
    assert (frame.rgb[..., 0] == frame.rgb[..., 2]).all()


def test_failed_writing_leaves_no_file(tmp_path):
    def fails_half_way():
        with VideoWriter(tmp_path / "film.mp4", 25) as writer:
            writer.write(np.zeros((8, 8, 3), np.uint8))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails_half_way()
    assert list(tmp_path.iterdir()) == []


def test_film_cut_in_its_index_is_named(tmp_path):
    path = film(tmp_path / "film.mp4", frames=50, size=(120, 160))
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(LatentwatchError, match=r"film\.mp4: not a video that FFmpeg can open"):
        open_video(path)


def test_film_cut_in_its_pictures_plays_up_to_the_cut(tmp_path, caplog):
    path = film(tmp_path / "film.mp4", frames=50, size=(120, 160))
    data = path.read_bytes()
    path.write_bytes(data[: int(0.8 * len(data))])
    assert 0 < len(list(open_video(path))) < 50
    assert "cut short" in caplog.text


def test_what_is_no_film(tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(LatentwatchError, match=r"text\.mp4: not a video"):
        open_video(tmp_path / "text.mp4")
    with pytest.raises(UsageError, match="no such file or folder"):
        open_video(tmp_path / "none.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no images"):
        open_video(tmp_path / "empty")
