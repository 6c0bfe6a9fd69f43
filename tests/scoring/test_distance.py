import numpy as np
import pytest
import torch

from latentwatch.scoring.distance import FLOOR, distance_maps, fit_usual, highest


def errors_like(mixing, count=400):
    torch.manual_seed(0)
    return torch.einsum("dc,nchw->ndhw", mixing, torch.randn(count, len(mixing), 3, 4))


def test_one_channel_by_hand():
    """Errors of -2 and 2 have variance 4 and squared distance 1: log 2. 6 has 9: log 10."""
    usual_errors = torch.tensor([-2.0, 2.0, 2.0, -2.0]).view(4, 1, 1, 1).expand(4, 1, 1, 2)
    whitening, usual = fit_usual([usual_errors[:1], usual_errors[1:]])
    np.testing.assert_allclose(whitening, [[0.5]], rtol=0.01)  # the ridge adds a hundredth
    np.testing.assert_allclose(usual, [[np.log(2), np.log(2)]], rtol=0.01)
    maps = distance_maps(torch.tensor([[[[2.0, 6.0]]]]), torch.tensor([[0.5]]), torch.tensor([[0.3, 1.8]]))
    np.testing.assert_allclose(maps, [[[np.log(2) / 0.5, np.log(10) / 2]]], rtol=1e-6)


def test_half_of_the_usual_places_have_a_distance_below_one():
    mixing = torch.tensor([[3.0, 0.0, 1.0], [0.0, 0.1, 0.0], [1.0, 0.0, 2.0]])
    errors = errors_like(mixing)
    whitening, _ = fit_usual([errors])
    maps = distance_maps(errors, whitening, torch.full((3, 4), 1 - FLOOR))
    assert (maps < np.log(2)).float().mean() == pytest.approx(0.5, abs=0.01)


def test_an_error_against_the_usual_correlation_is_further_than_one_along_it():
    mixing = torch.tensor([[1.0, 0.0], [0.95, 0.3]])  # the two channels err together
    whitening, _ = fit_usual([errors_like(mixing)])
    usual = torch.ones(1, 1)
    along = distance_maps(torch.tensor([1.0, 1.0]).view(1, 2, 1, 1), whitening, usual)
    against = distance_maps(torch.tensor([1.0, -1.0]).view(1, 2, 1, 1), whitening, usual)
    assert against > 2 * along


def test_scale_of_the_code_does_not_matter():
    errors = errors_like(torch.eye(3))
    one = distance_maps(errors, *fit_usual([errors]))
    other = distance_maps(1e-3 * errors, *fit_usual([1e-3 * errors]))
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_the_same_error_counts_less_where_errors_are_usual():
    errors = errors_like(torch.eye(2)) * torch.tensor([0.1, 0.1, 0.1, 4.0])  # the last column is an entrance
    maps = distance_maps(torch.ones(1, 2, 3, 4), *fit_usual([errors]))[0]
    assert maps[1, 3] < 0.5 * maps[1, 0]


def test_highest_does_not_grow_with_the_number_of_things():
    maps = np.zeros((4, 12, 16), dtype=np.float32)
    maps[0, 3, 3] = maps[1, 3, 3] = maps[1, 9, 12] = 9
    maps[2] = np.nan
    one, two, none, still = highest(maps)
    assert one == pytest.approx(two, rel=1e-3)
    assert one > 0.3
    assert np.isnan(none)
    assert still == 0
    assert highest(maps[:0]).shape == (0,)


def test_no_errors_are_refused():
    with pytest.raises(ValueError, match="no latent errors"):
        fit_usual([])
