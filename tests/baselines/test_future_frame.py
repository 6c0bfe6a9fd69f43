import pytest
import torch

from latentwatch.baselines.future_frame import gradient_loss, ls_loss, motion_loss
from latentwatch.baselines.registry import build
from latentwatch.baselines.scorer import BaselineSettings, negative_psnr


def test_gradient_loss_by_hand():
    made = torch.tensor([[[[0.0, 1.0], [0.0, 1.0]]]])
    real = torch.tensor([[[[0.0, 0.0], [3.0, 3.0]]]])
    # Horizontal steps: |1|, |1| against 0, 0: mean 1. Vertical: 0, 0 against |3|, |3|: mean 3.
    assert gradient_loss(made, real).item() == 4
    assert gradient_loss(-made, made).item() == 0  # sizes of steps, not their signs


def test_ls_loss_by_hand():
    assert ls_loss(torch.tensor([0.0, 3.0]), 1).item() == pytest.approx(0.5 * (1 + 4) / 2)


def test_motion_loss_sees_the_amount_of_change_in_a_cell():
    last = torch.zeros(1, 1, 8, 16)
    real, made = last.clone(), last.clone()
    real[..., 0, 0] = 0.64
    made[..., 5, 5] = 0.64  # as much change, elsewhere in the cell
    assert motion_loss(made, real, last).item() == 0
    made = last.clone()
    made[..., 5, 12] = 0.64  # in the other cell: 0.01 a pixel missing here, 0.01 too much there
    assert motion_loss(made, real, last).item() == pytest.approx(0.01)
    assert motion_loss(real, real, last).item() == 0


def test_psnr_by_hand():
    real = torch.zeros(1, 1, 2, 2)
    assert negative_psnr(real + 0.2, real).item() == pytest.approx(-20, abs=1e-4)  # 0.1 of the range [0, 1]


def test_critic_and_generator_are_trained_apart():
    torch.manual_seed(0)
    model = build(BaselineSettings(system="future-frame", height=32, width_px=32, share=0.125))
    batch = torch.rand(2, 5, 3, 32, 32) * 2 - 1
    model.critic_loss(batch).backward()
    assert all(weight.grad is not None for weight in model.critic.parameters())
    assert all(weight.grad is None for weight in model.decoder.parameters())
    assert model.critic(batch[:, -1]).shape[2:] == (4, 4)  # a verdict a patch
    with pytest.raises(NotImplementedError, match="conv-ae has no critic"):
        build(BaselineSettings(system="conv-ae")).critic_loss(batch)


def test_the_prediction_does_not_see_its_frame():
    model = build(BaselineSettings(system="future-frame", height=32, width_px=32, share=0.125))
    batch = torch.rand(1, 5, 3, 32, 32, requires_grad=True)
    model(batch).sum().backward()
    assert batch.grad[:, -1].abs().sum() == 0
    assert (batch.grad[:, :-1].abs().sum(dim=(0, 2, 3, 4)) > 0).all()
