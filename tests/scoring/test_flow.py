import numpy as np
import pytest
from clips import moving_square
from scipy import ndimage

from latentwatch.scoring.flow import FlowMeter, flow_maps
from latentwatch.video.frame import Frame
from latentwatch.video.source import open_video


def rough(height, width, seed=0):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), 3)
    return 255 * (noise - noise.min()) / np.ptp(noise)


def unchanged(picture, _index):
    return picture


def film(step, frames=10, size=(96, 144), change=unchanged, part=3):
    """A rough thing, a third of the picture high, that crosses before a rough wall, `step` pixels a frame.

    change: what becomes of each picture, float `(H, W)`, before it is taken. part: another one than a third.
    """
    height, width = size
    wall, thing = 0.3 * rough(height, width, 1), rough(height // part, width // part)
    for index in range(frames):
        picture = wall.copy()
        row, column = height // 3, width // 8 + step * index
        there = picture[row : row + thing.shape[0], column : column + thing.shape[1]]
        there[:] = thing[:, : there.shape[1]]
        grey = np.uint8(np.clip(change(picture, index), 0, 255))
        yield Frame(index, index / 10, np.repeat(grey[..., None], 3, axis=2))


def noisy(picture, index):
    return picture + np.random.default_rng(index).normal(0, 15, size=picture.shape)


def shaken(picture, index):
    return np.roll(picture, np.random.default_rng(index).integers(-3, 4, size=2), axis=(0, 1))


def rained_on(picture, index):
    """Bright streaks that are elsewhere in each frame."""
    rng = np.random.default_rng(index)
    wet = picture.copy()
    for row, column in rng.uniform(0, 1, size=(60, 2)) * picture.shape:
        wet[int(row) : int(row) + 12, int(column)] = 230
    return wet


@pytest.mark.parametrize("size", [(96, 144), (200, 300)])  # enlarged by most, and by less
@pytest.mark.parametrize("step", [0, 1, 4])
def test_what_moves_has_its_velocity_and_nothing_else_has_one(step, size):
    maps = flow_maps(film(step, size=size), (12, 18))
    assert maps.shape == (10, 12, 18, 3)
    assert maps.dtype == np.float32
    assert not maps[0].any()
    middle = int((size[1] / 8 + step * 6 + size[1] / 6) * 18 / size[1])  # of the thing, in the median frame
    for part, expected in enumerate((step, 0, step)):  # to the right, not down; and the speed
        np.testing.assert_allclose(maps[-1, 5:7, middle, part], expected, atol=0.15)
    assert np.abs(maps[-1, [0, 1, -2, -1]]).max() < 0.05


@pytest.mark.parametrize(("change", "most"), [(noisy, 0.1), (shaken, 0.1), (rained_on, 0.7)])
def test_bad_weather_hardly_moves_anything(change, most):
    """Drops, a noisy sensor and a shaking camera have little speed; who walks through them keeps it."""
    still = flow_maps(film(0, 30, change=change), (12, 18))[15:]
    moving = flow_maps(film(2, 30, change=change), (12, 18))[15:]
    assert np.quantile(still[..., 2], 0.95) < most
    assert 0.8 < np.median(moving[..., 2].max(axis=(1, 2))) < 2.2


def test_what_is_at_no_place_for_long_keeps_its_speed():
    # It is 14 pixels wide, and a place 8: it is there in 4 of 10 frames.
    maps = flow_maps(film(5, 20, part=10), (12, 18))[12:].reshape(8, -1, 3)
    fastest = maps[range(8), maps[..., 2].argmax(axis=1)]
    np.testing.assert_allclose(fastest, np.tile([5, 0, 5], (8, 1)), atol=0.5)


def test_what_passes_each_other_keeps_its_speed():
    right = [frame.rgb for frame in film(2, size=(48, 144))]
    meter = FlowMeter((12, 18))
    for rgb in right:
        maps = meter.push(np.concatenate([rgb, rgb[:, ::-1]]))  # below, all is mirrored
    np.testing.assert_allclose(maps[2:4, 4:9, 0], 2, atol=0.5)
    np.testing.assert_allclose(maps[8:10, 8:13, 0], -2, atol=0.5)
    np.testing.assert_allclose([maps[2:4, 4:9, 2], maps[8:10, 8:13, 2]], 2, atol=0.5)


def test_after_a_jump_it_begins_anew():
    first, second = list(film(4)), list(film(1))
    meter = FlowMeter((12, 18))
    for frame in first:
        meter.push(frame.rgb)
    meter.reset()
    np.testing.assert_array_equal([meter.push(frame.rgb) for frame in second], flow_maps(second, (12, 18)))


def test_the_same_frames_have_the_same_flow_to_the_last_bit(tmp_path):
    frames = list(open_video(moving_square(tmp_path / "normal", size=(64, 96))))
    usual = flow_maps(frames, (8, 12))
    rng, held = np.random.default_rng(0), []
    for _ in range(10):
        held.append(np.empty(rng.integers(1, 24000)))  # so that the next run's arrays lie elsewhere
        np.testing.assert_array_equal(flow_maps(frames, (8, 12)), usual)


@pytest.mark.parametrize("size", [(16, 16), (32, 48), (480, 640)])
def test_pictures_of_any_size_have_flow(size):
    # Places of 4 pixels: in 16 lines what moves is smaller than one of 8.
    maps = flow_maps(film(1, size=size), (size[0] // 4, size[1] // 4))
    assert np.isfinite(maps).all()
    assert maps[-1, ..., 2].max() > 0.5


def test_no_frames_have_no_flow():
    assert flow_maps([], (3, 4)).shape == (0, 3, 4, 3)
