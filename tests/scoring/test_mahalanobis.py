import numpy as np
import pytest

from latentwatch.scoring.mahalanobis import ErrorCovariance


def test_distances_by_hand_and_one_in_the_mean_on_the_footage_itself():
    # Two channels, independent, with variance 4 and 1: an error of (2, 1) is one of each's deviations.
    known = np.array([[2, 1], [-2, 1], [2, -1], [-2, -1]], dtype=np.float32).reshape(4, 2, 1, 1)
    covariance = ErrorCovariance.of([known[:1], known[1:]])
    np.testing.assert_allclose(covariance.maps(known), np.ones((4, 1, 1)), rtol=1e-3)
    rare = np.array([0, 3], dtype=np.float32).reshape(1, 2, 1, 1)
    assert covariance.maps(rare)[0, 0, 0] == pytest.approx(9 / 2, rel=1e-3)
