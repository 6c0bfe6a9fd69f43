import pytest
import torch
from torch import nn

from latentwatch.models.losses import (
    CODE_DEVIATION,
    l2_term,
    prediction_loss,
    reconstruction_loss,
    variance_term,
)


def test_eq1_terms_by_hand():
    made, real = torch.zeros(2, 3, 1, 1), torch.tensor([1.0, 2.0, 2.0]).reshape(1, 3, 1, 1).repeat(2, 1, 1, 1)
    assert reconstruction_loss(made, real) == 9  # 1 + 4 + 4, mean over two frames
    assert prediction_loss(made, real) == 9


def test_l2_leaves_vectors_out():
    layer = nn.Linear(2, 1)
    layer.weight.data = torch.tensor([[3.0, 4.0]])
    layer.bias.data = torch.tensor([100.0])
    assert l2_term(layer.parameters()) == 25


def test_variance_term_by_hand():
    # One run of two frames, two channels, two places. Channel 0 stands still, however much its places differ;
    # channel 1 goes from -0.3 to 0.3 at both places, a deviation of 0.3.
    codes = torch.zeros(1, 2, 2, 1, 2)
    codes[:, :, 0] = torch.tensor([-7.0, 7.0])
    codes[0, 0, 1], codes[0, 1, 1] = -0.3, 0.3
    expected = 4 * (CODE_DEVIATION**2 + (CODE_DEVIATION - 0.3) ** 2) / 2  # 4 elements, mean of 2 channels
    assert float(variance_term(codes)) == pytest.approx(expected, rel=0.01)


def test_variance_term_is_nought_where_enough_moves_and_pulls_where_too_little_does():
    codes = torch.randn(2, 50, 3, 4, 4)
    assert variance_term(codes) == 0
    small = (0.1 * codes).requires_grad_()
    variance_term(small).backward()
    assert variance_term(small.detach() - small.grad) < variance_term(small.detach())
