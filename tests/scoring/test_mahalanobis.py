import numpy as np
import pytest
import torch
from clips import SMALL

from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.mahalanobis import ErrorCovariance, latent_differences
from latentwatch.video.frame import Frame


def test_distances_by_hand_and_one_in_the_mean_on_the_footage_itself():
    # Two channels, independent, with variance 4 and 1: an error of (2, 1) is one of each's deviations.
    known = np.array([[2, 1], [-2, 1], [2, -1], [-2, -1]], dtype=np.float32).reshape(4, 2, 1, 1)
    covariance = ErrorCovariance.of([known[:1], known[1:]])
    np.testing.assert_allclose(covariance.maps(known), np.ones((4, 1, 1)), rtol=1e-3)
    rare = np.array([0, 3], dtype=np.float32).reshape(1, 2, 1, 1)
    assert covariance.maps(rare)[0, 0, 0] == pytest.approx(9 / 2, rel=1e-3)


def test_differences_are_what_the_error_maps_are_made_of():
    torch.manual_seed(0)
    model = Decoupled(SMALL).eval()
    rng = np.random.default_rng(0)
    frames = [
        Frame(i, i / 10, rng.integers(0, 256, (*SMALL.size, 3), dtype=np.uint8))
        for i in range(SMALL.span + 7)
    ]
    differences = latent_differences(model, frames, batch=5)
    expected = score_clip(model, frames).error_maps[SMALL.warm_up :]
    np.testing.assert_allclose(np.square(differences).mean(axis=1), expected, rtol=1e-4, atol=1e-7)
    assert latent_differences(model, frames[: SMALL.span - 1]).shape == (0, *SMALL.code_shape)
