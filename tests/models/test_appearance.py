import pytest
import torch

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.models.presets import TABLE1, Architecture, preset


@pytest.mark.parametrize("name", TABLE1)
def test_shapes_of_every_preset_of_table_1(name):
    architecture = preset(name, "tiny")
    model = Decoupled(architecture).eval()
    frames = model.foreground(torch.zeros(2, *architecture.size, 3, dtype=torch.uint8))
    codes, skips = model.encode(frames)
    assert codes.shape[1:] == architecture.code_shape
    assert model.decode(codes, skips).shape == frames.shape
    window = codes[:1].repeat(architecture.k, 1, 1, 1)[None]
    assert model.predict(window).shape[1:] == architecture.code_shape


def test_paper_span_and_warm_up():
    assert preset("ped2").span == 14
    assert preset("ped2").warm_up == 13  # k + 5
    assert preset("avenue").warm_up == 11


def test_current_skip_features_never_reach_the_decoder():
    """Gradient of frame 1's reconstruction: frame 1 is seen through its code alone."""
    model = Decoupled(Architecture(height=32, width_px=32, base_width=4, blocks=2)).eval()
    frames = torch.rand(2, 3, 32, 32)
    codes, skips = model.encode(frames)
    skips = [skip.detach().requires_grad_() for skip in skips]
    rebuilt = model.decode(codes[1:].detach(), [skip[:-1] for skip in skips])
    rebuilt.sum().backward()
    for skip in skips:
        assert skip.grad[0].abs().sum() > 0
        assert skip.grad[1].abs().sum() == 0


def test_background_is_subtracted():
    model = Decoupled(Architecture(height=16, width_px=16, base_width=2, blocks=2))
    model.background.fill_(0.5)
    white = torch.full((1, 16, 16, 3), 255, dtype=torch.uint8)
    assert torch.allclose(model.foreground(white), torch.tensor(0.5))


def test_windows_are_the_k_codes_before_the_horizon():
    codes = torch.arange(16.0).reshape(16, 1, 1, 1)
    made = windows(codes, 8, 6)
    assert made.shape == (3, 8, 1, 1, 1)
    assert made[2].flatten().tolist() == [2, 3, 4, 5, 6, 7, 8, 9]  # its target is code 15
    with pytest.raises(ValueError, match="13 codes"):
        windows(codes[:13], 8, 6)


def test_pooling_after_the_last_block_halves_the_code():
    fine = Architecture(base_width=4)
    coarse = Architecture(base_width=4, pool_last=True)
    assert fine.code_shape == (32, 16, 24)
    assert coarse.code_shape == (32, 8, 12)
    for architecture in (fine, coarse):
        model = Decoupled(architecture).eval()
        codes, skips = model.encode(torch.zeros(1, 3, 128, 192))
        assert codes.shape[1:] == architecture.code_shape
        assert model.decode(codes, skips).shape == (1, 3, 128, 192)


def test_size_must_fit_the_blocks():
    with pytest.raises(ValueError, match="multiple of 8"):
        Architecture(height=100)
