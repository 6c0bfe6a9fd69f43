import pytest
import torch
from torch import nn

from latentwatch.models.losses import (
    CODE_DEVIATION,
    GDL,
    SSIM,
    gradient_differences,
    l2_term,
    prediction_loss,
    reconstruction_loss,
    speed_contrast,
    variance_term,
)


def test_eq1_terms_by_hand():
    made, real = torch.zeros(2, 3, 1, 1), torch.tensor([1.0, 2.0, 2.0]).reshape(1, 3, 1, 1).repeat(2, 1, 1, 1)
    assert reconstruction_loss(made, real) == 9  # 1 + 4 + 4, mean over two frames
    assert prediction_loss((made - real).square()) == 9


def test_l2_leaves_vectors_out():
    layer = nn.Linear(2, 1)
    layer.weight.data = torch.tensor([[3.0, 4.0]])
    layer.bias.data = torch.tensor([100.0])
    assert l2_term(layer.parameters()) == 25


def test_gradient_difference_by_hand():
    real = torch.tensor([[0.0, 0.5], [1.0, -1.0]]).view(1, 1, 2, 2)
    made = torch.tensor([[0.0, -0.25], [0.5, 0.5]]).view(1, 1, 2, 2)
    across, down = gradient_differences(made, real)
    # Sizes of steps across: 0.5 and 2 against 0.25 and 0; down: 1 and 1.5 against 0.5 and 0.75.
    assert across.flatten().tolist() == [0.25, 2]
    assert down.flatten().tolist() == [0.5, 0.75]
    two = [each.repeat(2, 3, 1, 1) for each in (made, real)]
    assert reconstruction_loss(*two, "gdl").item() == pytest.approx(GDL * 3 * 3.5)


def test_ssim_by_hand():
    """Even pictures: no variance, so SSIM is its comparison of means alone."""
    made, real = torch.full((2, 3, 24, 24), -0.2), torch.full((2, 3, 24, 24), 0.6)
    a, b, c1 = 0.4, 0.8, 0.01**2  # means in [0, 1]
    ssim = (2 * a * b + c1) / (a * a + b * b + c1)
    loss = reconstruction_loss(made, real, "ssim").item()
    # The picture's edge is padded, so that the window is even there too.
    assert loss == pytest.approx(SSIM * (1 - ssim) * 3 * 24 * 24, rel=1e-3)


@pytest.mark.parametrize("kind", ["mse+gdl", "mse+ssim", "mse+gdl+ssim"])
def test_a_sum_is_the_sum_of_its_parts_and_none_is_left_at_a_perfect_copy(kind):
    torch.manual_seed(0)
    made, real = (2 * torch.rand(2, 3, 16, 16) - 1 for _ in range(2))
    parts = sum(reconstruction_loss(made, real, part) for part in kind.split("+"))
    torch.testing.assert_close(reconstruction_loss(made, real, kind), parts)
    assert reconstruction_loss(real, real, kind).item() == pytest.approx(0, abs=1e-3)


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


def test_speed_contrast_by_hand():
    # Two frames of one channel at two places: the first goes from 1 to -1 (variance 2), the second rests.
    codes = torch.tensor([[1.0, 0.0], [-1.0, 0.0]]).reshape(1, 2, 1, 1, 2)
    # Twice the variance is wanted at the first, 4, and 1 is there; nothing is wanted at the second.
    errors = torch.tensor([1.0, 0.0]).reshape(1, 1, 1, 2)
    assert float(speed_contrast(errors, codes)) == pytest.approx((4 - 1) / 2 * 2)
    assert float(speed_contrast(4 * errors, codes)) == 0
