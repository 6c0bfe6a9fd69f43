import numpy as np
import pytest

from latentwatch.scoring.pooling import SMOOTHED_FRAMES, UsualError, peak, smoothed, top, variants


def maps_with(error: float, size: int, frames: int = 3, shape: tuple[int, int] = (20, 20)) -> np.ndarray:
    """Error 1 everywhere, and `error` in a square of the last frame."""
    maps = np.ones((frames, *shape), dtype=np.float32)
    maps[-1, 5 : 5 + size, 5 : 5 + size] = error
    return maps


def test_top_is_the_mean_of_the_largest_twentieth():
    # 20 of 400 places: 9 of error 21, the rest 1.
    assert top(maps_with(21, 3)).tolist() == [1, 1, pytest.approx((9 * 21 + 11) / 20)]


def test_peak_is_the_fullest_square_of_three():
    assert peak(maps_with(10, 3)).tolist() == pytest.approx([1, 1, 10])
    assert peak(maps_with(10, 1))[-1] == pytest.approx((10 + 8) / 9)


def test_smoothing_takes_no_later_frame_and_skips_those_without_a_score():
    scores = np.array([np.nan, np.nan, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0])
    expected = [np.nan, np.nan, 2, 3, 2, 1.5, 6 / SMOOTHED_FRAMES, 4 / SMOOTHED_FRAMES]
    np.testing.assert_allclose(smoothed(scores), expected)
    changed = scores.copy()
    changed[-1] = 100
    np.testing.assert_array_equal(smoothed(changed)[:-1], smoothed(scores)[:-1])


def test_an_error_counts_for_more_where_there_is_usually_little():
    normal = np.full((10, 20, 20), 1, dtype=np.float32)
    normal[:, :, 10:] = 9
    normal[0] = np.nan  # frames without a score say nothing
    usual = UsualError.of(normal)
    maps = np.ones((2, 20, 20), dtype=np.float32)
    maps[0, 10, 4], maps[1, 10, 15] = 20, 20
    found = variants(maps, usual)
    assert found["mean"][0] == found["mean"][1]
    assert found["mean by place"][0] > found["mean by place"][1]
    assert found["peak by place"][0] > found["peak by place"][1]


def test_a_place_where_nothing_was_seen_does_not_divide_by_nought():
    normal = np.zeros((4, 8, 8), dtype=np.float32)
    normal[:, 7, 7] = 1
    found = variants(np.ones((1, 8, 8), dtype=np.float32), UsualError.of(normal))
    assert all(np.isfinite(scores).all() for scores in found.values())
