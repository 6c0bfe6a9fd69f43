"""Smoothing with the frames after, against the Gaussian itself."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from latentwatch.scoring.hindsight import DEVIATION, LAG, smoothed_in_hindsight

NAN = np.nan


def test_one_high_score_is_spread_around_the_moment_before_it():
    scores = np.zeros(200)
    scores[100] = 5.0
    found = smoothed_in_hindsight(scores)
    distance = np.arange(200) - (100 - LAG)
    gaussian = np.exp(-0.5 * (distance / DEVIATION) ** 2)
    np.testing.assert_allclose(found, 5 * gaussian / gaussian.sum(), atol=1e-4)  # cut off at 4 deviations


def test_at_the_ends_and_beside_frames_without_a_score_only_scores_count():
    np.testing.assert_allclose(smoothed_in_hindsight(np.full(50, 3.0)), 3.0)
    found = smoothed_in_hindsight(np.array([NAN, NAN, 2.0, NAN, 4.0]))
    assert np.isnan(found[[0, 1, 3]]).all()
    around = np.exp(-0.5 * ((np.array([2, 4]) - np.array([[2], [4]]) - LAG) / DEVIATION) ** 2)
    np.testing.assert_allclose(found[[2, 4]], around @ [2, 4] / around.sum(axis=1))
    assert np.isnan(smoothed_in_hindsight(np.full(100, NAN))).all()
    assert smoothed_in_hindsight(np.array([])).shape == (0,)


@given(st.lists(st.floats(0, 1e6) | st.just(NAN), max_size=150))
def test_it_stays_within_the_scores_and_keeps_the_frames_without(scores):
    given_scores = np.array(scores, dtype=np.float64)
    found = smoothed_in_hindsight(given_scores)
    known = ~np.isnan(given_scores)
    np.testing.assert_array_equal(~np.isnan(found), known)
    if known.any():
        least, most = given_scores[known].min(), given_scores[known].max()
        assert (found[known] >= least * (1 - 1e-9) - 1e-9).all()
        assert (found[known] <= most * (1 + 1e-9) + 1e-9).all()
