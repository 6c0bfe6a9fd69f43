import numpy as np
import pytest

from latentwatch.scoring.foreground import Foreground


def pictures(frames, noise=0.0, fog=0.0, light=1.0, size=(120, 180)):
    """A dark square that crosses a striped wall; noise and a broad drifting cloud, in grey levels."""
    across = np.arange(size[1])
    for index in range(frames):
        picture = np.tile(150 + 50 * np.sin(across), (size[0], 1))
        picture += fog * np.sin(2 * np.pi * (across / size[1] - 0.02 * index))
        picture[50:66, 3 * index : 3 * index + 16] -= 90
        picture += np.random.default_rng(index).normal(0, noise, size=size)
        yield np.uint8((light * picture).clip(0, 255))


def last(frames, foreground=None):
    foreground = foreground or Foreground()
    for frame in frames:
        weights = foreground.push(frame)
    return weights


@pytest.mark.parametrize("weather", [{}, {"noise": 15}, {"fog": 30}, {"light": 0.2}])
def test_what_moves_counts_and_nothing_else(weather):
    weights = last(pictures(40, **weather))
    assert weights.shape == (120, 180)
    assert weights.dtype == np.float32
    assert weights[54:62, 121:129].mean() > 0.8
    away = np.ones_like(weights, dtype=bool)
    away[40:76] = False  # where it is, and has been
    assert weights[away].mean() < 0.01


def test_in_a_picture_of_nothing_nothing_counts():
    weights = last([np.zeros((16, 24), np.uint8)] * 3)
    np.testing.assert_array_equal(weights, 0)


def test_of_the_first_frame_nothing_counts():
    first = next(iter(pictures(1, noise=15)))
    assert not Foreground().push(first).any()


def test_what_was_there_first_and_has_gone_is_forgotten():
    assert last(pictures(4))[50:66, :25].max() == 1
    assert last(pictures(120)).max() < 0.1


def test_after_a_reset_it_begins_anew():
    foreground = Foreground()
    last(pictures(10, noise=15), foreground)
    foreground.reset()
    second = list(pictures(8, fog=20))
    np.testing.assert_array_equal(last(second, foreground), last(second))
