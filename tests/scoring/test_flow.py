import numpy as np
import pytest
from clips import moving_square
from scipy import ndimage

from latentwatch.scoring.flow import FRAMES_BACK, LINES, FlowMeter, flow_maps
from latentwatch.video.frame import Frame
from latentwatch.video.source import open_video


def film(step, frames=10, size=(96, 144)):
    """A rough surface that moves right by `step` pixels a frame."""
    height, width = size
    noise = np.random.default_rng(0).normal(size=(height, width + step * frames))
    rough = ndimage.gaussian_filter(noise, 3)
    grey = np.uint8(255 * (rough - rough.min()) / np.ptp(rough))
    for index in range(frames):
        first = step * (frames - index)
        yield Frame(index, index / 10, np.repeat(grey[:, first : first + width, None], 3, axis=2))


@pytest.mark.parametrize("lines", [0, 160, LINES])  # of 96: as it is, and enlarged by more and by most
@pytest.mark.parametrize("step", [0, 1, 4])
def test_what_moves_has_its_velocity(step, lines):
    maps = flow_maps(film(step), (12, 18), lines)
    assert maps.shape == (10, 12, 18, 3)
    assert maps.dtype == np.float32
    assert not maps[0].any()
    # The first frame's 0 is among the averaged ones until there are enough others.
    np.testing.assert_allclose(maps[2, 3:-3, 3:-3, 2], step * 2 / 3, atol=0.15)
    for part, expected in enumerate((step, 0, step)):  # to the right, not down; and the speed
        np.testing.assert_allclose(maps[FRAMES_BACK:, 3:-3, 3:-3, part], expected, atol=0.15)


def test_what_passes_each_other_keeps_its_speed():
    right = [frame.rgb for frame in film(2, size=(48, 144))]
    both = [np.concatenate([rgb, rgb[:, ::-1]]) for rgb in right]  # the lower half moves left
    meter = FlowMeter((2, 2))
    for rgb in both:
        maps = meter.push(rgb)
    np.testing.assert_allclose(maps[0, :, 0], 2, atol=0.5)
    np.testing.assert_allclose(maps[1, :, 0], -2, atol=0.5)
    np.testing.assert_allclose(maps[..., 2], 2, atol=0.5)


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
    maps = flow_maps(film(1, size=size), (size[0] // 8, size[1] // 8))
    assert np.isfinite(maps).all()
    assert maps[-1, ..., 2].max() > 0.5


def test_no_frames_have_no_flow():
    assert flow_maps([], (3, 4)).shape == (0, 3, 4, 3)
