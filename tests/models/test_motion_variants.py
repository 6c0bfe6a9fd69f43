"""ConvLSTM by hand; what the autoregressive density sees, by gradient; its two steps against one."""

import math

import pytest
import torch
from torch.nn import functional as F

from latentwatch.models.autoregressive import BINS, AutoregressiveMotion
from latentwatch.models.conv_lstm import ConvLstmCell, ConvLstmMotion
from latentwatch.models.density import Density, negative_log_likelihood
from latentwatch.models.motion import Conv3dMotion


def test_conv_lstm_step_by_hand():
    cell = ConvLstmCell(1, 1)
    for weight in cell.parameters():
        torch.nn.init.zeros_(weight)
    # Input, forget, output, candidate, at the centre of the kernel: a cell at one place.
    cell.from_input.weight.data[:, 0, 1, 1] = torch.tensor([1.0, 2.0, 3.0, 4.0])
    cell.from_hidden.weight.data[:, 0, 1, 1] = torch.tensor([0.5, 0.25, 0.125, 1.0])
    cell.from_input.bias.data = torch.tensor([0.0, 1.0, 0.0, 0.0])
    x, hidden, memory = 0.3, 0.2, -0.7

    def sigmoid(value):
        return 1 / (1 + math.exp(-value))

    kept = sigmoid(2 * x + 0.25 * hidden + 1) * memory
    added = sigmoid(x + 0.5 * hidden) * math.tanh(4 * x + hidden)
    out = sigmoid(3 * x + 0.125 * hidden) * math.tanh(kept + added)

    one = torch.ones(1, 1, 1, 1)
    new_hidden, new_memory = cell.step(cell.from_input(x * one), hidden * one, memory * one)
    assert new_memory.item() == pytest.approx(kept + added, rel=1e-5)
    assert new_hidden.item() == pytest.approx(out, rel=1e-5)


@pytest.mark.parametrize("kind", [Conv3dMotion, ConvLstmMotion])
def test_a_prediction_rests_on_every_code_and_its_error_is_squared(kind):
    torch.manual_seed(0)
    motion = kind(4)
    codes = torch.randn(2, 4, 6, 3, 5, requires_grad=True)
    predicted = motion(codes)
    assert predicted.shape == (2, 4, 3, 5)
    predicted[0].square().sum().backward()
    assert (codes.grad[0].abs().sum(dim=(0, 2, 3)) > 0).all()
    observed = torch.randn(2, 4, 3, 5)
    torch.testing.assert_close(motion.errors(predicted, observed), (predicted - observed).square())


def density_of(channels):
    torch.manual_seed(0)
    motion = AutoregressiveMotion(channels)
    motion(torch.randn(8, channels, 8, 4, 5))  # gives BatchNorm statistics
    return motion.eval()


@pytest.mark.parametrize("k", [6, 8])
@pytest.mark.parametrize("channel", [0, 2, 4])
def test_the_density_of_a_number_sees_the_past_and_what_comes_before_it_at_its_place(k, channel):
    motion = density_of(5)
    past = torch.randn(1, 5, k, 4, 5, requires_grad=True)
    observed = torch.randn(1, 5, 4, 5, requires_grad=True)
    errors = motion.errors(motion(past), observed)
    assert errors.shape == observed.shape
    assert (errors >= 0).all()
    errors[0, channel, 1, 2].backward()
    seen = observed.grad[0] != 0
    assert seen[: channel + 1, 1, 2].all()
    seen[: channel + 1, 1, 2] = False
    assert not seen.any()
    near = past.grad[0] != 0
    assert near[:, :, 0:3, 1:4].all()
    near[:, :, 0:3, 1:4] = False
    assert not near.any()


def test_the_two_steps_are_the_density_as_published():
    """At each place: `Density` over the eight past codes and the observed one, read at the last time."""
    motion = density_of(4)
    past, observed = torch.randn(1, 4, 8, 2, 3), torch.randn(1, 4, 2, 3)
    with torch.no_grad():
        errors = motion.errors(motion(past), observed)
        around = motion.around(motion._numbers(past))
        number = motion._numbers(observed[:, :, None])
        for row in range(2):
            for column in range(3):
                codes = torch.cat([around, number], dim=2)[:, :, :, row, column].transpose(1, 2)
                logits = motion.density(codes)[:, :, -1]
                expected = negative_log_likelihood(logits, codes[:, -1])
                torch.testing.assert_close(errors[:, :, row, column], expected)


def test_a_density_that_knows_nothing_spreads_over_its_bins():
    motion = density_of(3)
    for layer in motion._layers():
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    errors = motion.errors(motion(torch.randn(2, 3, 8, 2, 2)), torch.randn(2, 3, 2, 2))
    torch.testing.assert_close(errors, torch.full_like(errors, math.log(BINS)))


def test_a_layer_at_places_is_the_layer_at_each_place():
    torch.manual_seed(0)
    layer = Density(3, (2,), 4).layers[0]
    features = torch.randn(2, 3, 5, 2, 2)
    everywhere = layer.at_places(features)
    single = F.conv1d(features[..., 1, 0], layer.weight * layer.mask, layer.bias)
    torch.testing.assert_close(everywhere[..., 1, 0], single)
