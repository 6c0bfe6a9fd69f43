"""Causality of latent-auto, by gradient, and its likelihood by hand."""

import math

import pytest
import torch

from latentwatch.baselines.latent_auto import CausalConv3d
from latentwatch.baselines.registry import build
from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.models.density import Density, negative_log_likelihood


@pytest.mark.parametrize(("time", "place"), [(0, 0), (0, 3), (2, 0), (2, 2), (3, 4)])
def test_the_density_sees_the_past_and_nothing_else(time, place):
    torch.manual_seed(0)
    density = Density(5, (3, 3), 7)
    codes = torch.rand(1, 4, 5, requires_grad=True)
    logits = density(codes)
    assert logits.shape == (1, 7, 4, 5)
    logits[0, :, time, place].square().sum().backward()
    order = torch.arange(20).view(4, 5)
    seen = codes.grad[0] != 0
    assert not seen[order >= order[time, place]].any()
    assert seen[order < order[time, place]].all()


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (3, 2), (1, 1), (1, 2)])
def test_convolutions_read_up_to_their_time(kernel, stride):
    torch.manual_seed(0)
    layer = CausalConv3d(1, 1, kernel, (stride, 1, 1))
    for index in range(8 // stride):
        features = torch.rand(1, 1, 8, 3, 3, requires_grad=True)
        out = layer(features)
        assert out.shape == (1, 1, 8 // stride, 3, 3)
        out[:, :, index].square().sum().backward()
        seen = features.grad.abs().sum(dim=(0, 1, 3, 4)) > 0
        now = index * stride + stride - 1
        assert seen[now]
        assert not seen[now + 1 :].any()


def test_codes_do_not_see_later_frames():
    torch.manual_seed(0)
    model = build(BaselineSettings(system="latent-auto", height=32, width_px=32, share=0.25)).eval()
    for index in range(4):
        batch = torch.rand(1, 16, 3, 32, 32, requires_grad=True)
        codes = model.encode(batch)
        assert codes.shape == (1, 4, 64)
        codes[:, index].square().sum().backward()
        seen = batch.grad.abs().sum(dim=(0, 2, 3, 4)) > 0
        assert seen[4 * index + 3]
        assert not seen[4 * index + 4 :].any()


def test_likelihood_by_hand():
    # Three bins at 0, 0.5 and 1, with probabilities 1/2, 1/4, 1/4.
    logits = torch.tensor([2.0, 1.0, 1.0]).log().view(1, 3, 1, 1)

    def surprise(code):
        return negative_log_likelihood(logits, torch.tensor(code).view(1, 1, 1)).item() / math.log(2)

    assert surprise(0.0) == pytest.approx(1)
    assert surprise(0.5) == pytest.approx(2)
    assert surprise(1.0) == pytest.approx(2)
    assert surprise(0.25) == pytest.approx(1.5)
    uniform = negative_log_likelihood(torch.zeros(2, 100, 4, 64), torch.rand(2, 4, 64)).sum(dim=(1, 2))
    assert uniform.tolist() == pytest.approx([4 * 64 * math.log(100)] * 2, rel=1e-5)


def test_the_likelihood_teaches_the_encoder():
    torch.manual_seed(0)
    codes = torch.rand(1, 2, 3, requires_grad=True)
    negative_log_likelihood(torch.randn(1, 10, 2, 3), codes).sum().backward()
    assert (codes.grad != 0).all()
