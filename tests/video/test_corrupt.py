"""What each change does to a frame, that it depends on the index alone, and what is refused."""

import numpy as np
import pytest
from clips import moving_square

from latentwatch.datasets.dataset import Clip
from latentwatch.datasets.derived import corrupted, every
from latentwatch.errors import UsageError
from latentwatch.video.corrupt import RAINS, Corruption, corrupt
from latentwatch.video.resize import resize

FRAME = np.random.default_rng(0).integers(60, 140, (96, 144, 3), dtype=np.uint8)


def changed(how, index=5, frame=FRAME):
    return corrupt(frame, index, Corruption.parse(how)).astype(float)


@pytest.mark.parametrize("how", ["rain=heavy", "fog=0.5", "noise=0.1", "shake=4", "dusk=0.5"])
def test_same_index_same_frame_and_it_goes_on(how):
    np.testing.assert_array_equal(changed(how), changed(how))
    if how != "dusk=0.5":
        flat = np.full((64, 96, 3), 100, dtype=np.uint8)
        flat[20:40, 30:60] = 180
        assert np.abs(changed(how, 5, flat) - changed(how, 6, flat)).max() > 1
    other = corrupt(FRAME, 5, Corruption.parse(how).model_copy(update={"seed": 1})).astype(float)
    assert np.abs(other - changed(how)).max() > 1


def test_nothing_changes_by_default():
    np.testing.assert_array_equal(corrupt(FRAME, 3, Corruption()), FRAME)
    assert str(Corruption.parse("rain=none,brightness=1")) == "none"
    assert (
        str(Corruption.parse(" brightness=0.70, rain=heavy,jpeg=20")) == "rain=heavy,brightness=0.7,jpeg=20"
    )


def test_each_does_what_it_says():
    mean, spread = FRAME.mean(), FRAME.std()
    assert changed("brightness=0.5").mean() == pytest.approx(mean / 2, abs=1)
    assert changed("brightness=2").max() == 255
    assert changed("blur=2").std() < spread / 4
    assert changed("noise=0.1").std() == pytest.approx(np.hypot(spread, 25.5), rel=0.03)
    assert changed("fog=0.8")[:30].std() < spread / 2
    assert changed("fog=0.8")[:30].mean() > changed("fog=0.8")[-30:].mean()  # thicker where it is farther
    red, _, blue = changed("dusk=1").mean(axis=(0, 1))
    assert red < blue < mean / 2
    smooth = np.repeat(np.linspace(0, 255, 144), 96 * 3).reshape(144, 96, 3).transpose(1, 0, 2)
    coarse = changed("jpeg=1", frame=smooth.astype(np.uint8))
    assert 5 < np.abs(coarse - smooth).max() < 120


def test_shake_moves_the_whole_picture():
    frame = np.zeros((60, 80, 3), dtype=np.uint8)
    frame[28:32, 38:42] = 255
    places = np.array(
        [np.argwhere(changed("shake=8", i, frame)[..., 0] > 60).mean(axis=0) for i in range(40)]
    )
    moves = places - [29.5, 39.5]
    assert np.abs(moves).max() <= 8.5
    assert np.abs(moves).max(axis=0).min() > 4


def test_rain_is_slanted_streaks_that_fall():
    black = np.zeros((240, 360, 3), dtype=np.uint8)
    shares = []
    for kind, rain in RAINS.items():
        streaks = changed(f"rain={kind}", frame=black)[..., 0] > 60
        shares.append(streaks.mean())
        vertical, horizontal = (np.count_nonzero(np.diff(streaks, axis=axis)) for axis in (0, 1))
        assert horizontal > 3 * vertical, kind  # longer than wide
        best = {}  # of all moves by a row, the one that maps the rain on itself best: along its slant
        for move in range(-rain.length // 2, rain.length // 2):
            half = rain.length // 2
            best[move] = (streaks[half:, 60:-60] & np.roll(streaks, move, axis=1)[:-half, 60:-60]).mean()
        assert max(best, key=best.get) != 0
    assert 0.02 < shares[0] < shares[1] < 0.4


def test_clip_is_changed_the_same_at_any_size(tmp_path):
    clip = Clip("a", moving_square(tmp_path / "a", frames=12), 10.0, np.arange(12) > 6)
    how = Corruption.parse("rain=torrential,noise=0.05")
    with corrupted(clip, how).open((16, 24)) as frames:
        read = [frame.rgb for frame in frames]
    with clip.open() as frames:
        made = [resize(corrupt(frame.rgb, frame.index, how), (16, 24)) for frame in frames]
    np.testing.assert_array_equal(read, made)


def test_every_third_frame(tmp_path):
    clip = Clip("a", moving_square(tmp_path / "a", frames=11), 9.0, np.arange(11) % 3 == 0)
    few = every(clip, 3)
    with clip.open() as frames:
        whole = [frame.rgb for frame in frames]
    with few.open() as frames:
        assert (frames.fps, frames.frame_count) == (3.0, 4)
        read = list(frames)
    np.testing.assert_array_equal([frame.rgb for frame in read], whole[::3])
    assert [frame.index for frame in read] == [0, 1, 2, 3]
    assert [frame.time for frame in read] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert few.labels.all()


def test_every_third_frame_from_another_on(tmp_path):
    clip = Clip("a", moving_square(tmp_path / "a", frames=11), 9.0, np.arange(11) % 3 == 2)
    few = every(clip, 3, first=2)
    with clip.open() as frames:
        whole = [frame.rgb for frame in frames]
    with few.open() as frames:
        assert frames.frame_count == 3
        np.testing.assert_array_equal([frame.rgb for frame in frames], whole[2::3])
    assert few.name == "a from 2"
    assert few.labels.tolist() == [True] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hail=1", "hail=1: no such change of frames; known are rain=none, heavy or torrential; brightness="),
        ("rain", "rain=: rain takes none, heavy or torrential"),
        ("rain=light", "rain=light: rain takes none, heavy or torrential"),
        ("brightness=3", "brightness=3: brightness takes 0 to 2, a factor"),
        ("brightness=dark", "brightness takes 0 to 2"),
        ("jpeg=0", "jpeg takes 1 to 100"),
        ("", "no such change"),
    ],
)
def test_unknown_changes_are_refused(text, message):
    with pytest.raises(UsageError, match=message):
        Corruption.parse(text)
