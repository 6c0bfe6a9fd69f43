import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwatch.models.incremental import MotionStep, waits
from latentwatch.models.motion import Conv3dMotion


def trained_like(channels, seed=0):
    """A motion model whose BatchNorm has statistics and scales of its own, as after training."""
    torch.manual_seed(seed)
    motion = Conv3dMotion(channels)
    for layer in motion.layers:
        if isinstance(layer, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(layer.weight, 1, 0.3)
            torch.nn.init.normal_(layer.bias, 0, 0.3)
            torch.nn.init.normal_(layer.running_mean, 0, 0.3)
            torch.nn.init.uniform_(layer.running_var, 0.3, 2)
    return motion.eval()


@torch.no_grad()
def assert_equal_to_dense(motion, k, codes, before):
    """codes: `(T, N, C, h, w)`; before: the terms of all steps before the first."""
    step = MotionStep(motion, k)
    past = [before] * max(waits(k))
    for now in range(len(codes)):
        due = torch.stack([past[-wait][:, term] for term, wait in enumerate(waits(k))], dim=1)
        terms, predicted = step(due, codes[now])
        past.append(terms)
        if now >= k - 1:
            window = codes[now - k + 1 : now + 1].permute(1, 2, 0, 3, 4)  # (N, C, k, h, w)
            torch.testing.assert_close(predicted, motion(window), rtol=1e-4, atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(
    k=st.sampled_from([6, 8]),
    streams=st.integers(1, 3),
    channels=st.integers(1, 5),
    height=st.integers(1, 5),
    width=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_equals_the_dense_model_whatever_was_seen_before(k, streams, channels, height, width, seed):
    """Whatever the terms are at the start, k codes later none of them is left."""
    motion = trained_like(channels, seed)
    codes = torch.randn(2 * k + 3, streams, channels, height, width)
    before = 100 * torch.randn(streams, len(waits(k)), channels, height, width)
    assert_equal_to_dense(motion, k, codes, before)


@pytest.mark.parametrize("k", [6, 8])
def test_equals_the_dense_model_in_a_long_stream(k):
    nothing = torch.zeros(1, len(waits(k)), 5, 4, 7)
    assert_equal_to_dense(trained_like(5), k, torch.randn(300, 1, 5, 4, 7), nothing)


def test_computes_nine_planes_a_step_whatever_k(monkeypatch):
    """Counted as C-to-C 2-D convolutions, as the module's description does."""
    counted = []
    real = torch.nn.functional.conv2d

    def counting(data, weight, *rest):
        counted.append(weight.shape[0] * weight.shape[1] / 25)
        return real(data, weight, *rest)

    monkeypatch.setattr(torch.nn.functional, "conv2d", counting)
    for k in (6, 8):
        counted.clear()
        MotionStep(trained_like(5), k)(torch.zeros(1, len(waits(k)), 5, 4, 7), torch.randn(1, 5, 4, 7))
        assert sum(counted) == 9


def test_other_k_is_refused():
    with pytest.raises(ValueError, match="k is 6 or 8, not 7"):
        MotionStep(trained_like(4), 7)
