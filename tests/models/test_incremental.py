import pytest
import torch

from latentwatch.models.incremental import IncrementalMotion
from latentwatch.models.motion import Conv3dMotion


def trained_like(channels):
    """A motion model whose BatchNorm has statistics and scales of its own, as after training."""
    torch.manual_seed(0)
    motion = Conv3dMotion(channels)
    for layer in motion.layers:
        if isinstance(layer, torch.nn.BatchNorm3d):
            torch.nn.init.normal_(layer.weight, 1, 0.3)
            torch.nn.init.normal_(layer.bias, 0, 0.3)
            torch.nn.init.normal_(layer.running_mean, 0, 0.3)
            torch.nn.init.uniform_(layer.running_var, 0.3, 2)
    return motion.eval()


@pytest.mark.parametrize("k", [6, 8])
@pytest.mark.parametrize("streams", [1, 3])
def test_equals_the_dense_model_at_every_step(k, streams):
    motion = trained_like(5)
    incremental = IncrementalMotion(motion, k)
    codes = torch.randn(40, streams, 5, 4, 7)
    for now in range(len(codes)):
        predicted = incremental.push(codes[now])
        if now < k - 1:
            assert predicted is None
            continue
        window = codes[now - k + 1 : now + 1].permute(1, 2, 0, 3, 4)  # (N, C, k, h, w)
        with torch.no_grad():
            expected = motion(window)
        torch.testing.assert_close(predicted, expected, rtol=1e-4, atol=1e-5)


def test_reset_forgets_all_that_was_seen():
    motion = trained_like(5)
    codes = torch.randn(20, 1, 5, 4, 7)
    fresh, used = IncrementalMotion(motion, 8), IncrementalMotion(motion, 8)
    for code in torch.randn(13, 1, 5, 4, 7):
        used.push(code)
    used.reset()
    for code in codes:
        one, other = fresh.push(code), used.push(code)
        assert (one is None) == (other is None)
        if one is not None:
            assert torch.equal(one, other)


def test_computes_nine_planes_a_step_whatever_k(monkeypatch):
    """Counted as C-to-C 2-D convolutions, as the module's description does."""
    counted = []
    real = torch.nn.functional.conv2d

    def counting(data, weight, **options):
        counted.append(weight.shape[0] * weight.shape[1] / 25)
        return real(data, weight, **options)

    monkeypatch.setattr(torch.nn.functional, "conv2d", counting)
    for k in (6, 8):
        incremental = IncrementalMotion(trained_like(5), k)
        for code in torch.randn(12, 1, 5, 4, 7):
            counted.clear()
            incremental.push(code)
        assert sum(counted) == 9


def test_memory_does_not_grow_with_the_stream():
    incremental = IncrementalMotion(trained_like(4), 8)
    for code in torch.randn(200, 1, 4, 2, 2):
        incremental.push(code)
    assert len(incremental._products_one) == 8
    assert len(incremental._products_two) == 5


def test_other_k_is_refused():
    with pytest.raises(ValueError, match="k is 6 or 8"):
        IncrementalMotion(trained_like(4), 7)
