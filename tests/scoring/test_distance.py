import numpy as np
import pytest
import torch

from latentwatch.scoring.distance import distance_maps, fit_whitening, mahalanobis


def errors_like(mixing, count=400):
    torch.manual_seed(0)
    return torch.einsum("dc,nchw->ndhw", mixing, torch.randn(count, len(mixing), 3, 4))


def test_one_channel_by_hand():
    """Errors of -2 and 2 have variance 4 and squared distance 1: scored as log 2; 6 has 9: log 10."""
    usual = torch.tensor([-2.0, 2.0, 2.0, -2.0]).view(4, 1, 1, 1)
    whitening = fit_whitening([usual[:1], usual[1:]])
    np.testing.assert_allclose(whitening, [[0.5]])
    maps = distance_maps(torch.tensor([[[[2.0, 6.0]]]]), whitening)
    np.testing.assert_allclose(maps, [[[np.log(2), np.log(10)]]], rtol=1e-6)
    np.testing.assert_allclose(mahalanobis(maps.numpy()), [(np.log(2) + np.log(10)) / 2], rtol=1e-6)


def test_half_of_the_usual_places_have_a_distance_below_one():
    mixing = torch.tensor([[3.0, 0.0, 1.0], [0.0, 0.1, 0.0], [1.0, 0.0, 2.0]])
    errors = errors_like(mixing)
    maps = distance_maps(errors, fit_whitening([errors]))
    assert (maps < np.log(2)).float().mean() == pytest.approx(0.5, abs=0.01)


def test_an_error_against_the_usual_correlation_is_further_than_one_along_it():
    mixing = torch.tensor([[1.0, 0.0], [0.95, 0.3]])  # the two channels err together
    whitening = fit_whitening([errors_like(mixing)])
    along = distance_maps(torch.tensor([1.0, 1.0]).view(1, 2, 1, 1), whitening)
    against = distance_maps(torch.tensor([1.0, -1.0]).view(1, 2, 1, 1), whitening)
    assert against > 2 * along


def test_scale_of_the_code_does_not_matter():
    errors = errors_like(torch.eye(3))
    one = distance_maps(errors, fit_whitening([errors]))
    other = distance_maps(1e-3 * errors, fit_whitening([1e-3 * errors]))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_no_errors_are_refused():
    with pytest.raises(ValueError, match="no latent errors"):
        fit_whitening([])
