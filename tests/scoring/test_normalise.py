import numpy as np
import pytest

from latentwatch.scoring.normalise import normalise_clip, normalise_window

NAN = np.nan


def test_eq3_by_hand():
    np.testing.assert_array_equal(normalise_clip(np.array([NAN, 2.0, 4.0, 3.0])), [NAN, 0, 1, 0.5])


def test_constant_and_unscored_clips():
    np.testing.assert_array_equal(normalise_clip(np.array([NAN, 5.0, 5.0])), [NAN, 0, 0])
    assert np.isnan(normalise_clip(np.array([NAN, NAN]))).all()


def test_window_by_hand():
    scores = np.array([NAN, 0.0, 10.0, 20.0, 15.0])
    # windows of 3: {0,10}, {0,10,20}, {10,20,15}, {20,15}
    np.testing.assert_allclose(normalise_window(scores, 3), [NAN, 0, 0.5, 1, 0])
    with pytest.raises(ValueError, match="at least 2"):
        normalise_window(scores, 1)


def test_wide_window_is_the_whole_clip():
    scores = np.random.default_rng(0).random(30)
    np.testing.assert_allclose(normalise_window(scores, 99), normalise_clip(scores))
