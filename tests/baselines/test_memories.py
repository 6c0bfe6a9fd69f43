"""The memories of mem-ae and mnad, on numbers worked by hand."""

import math

import pytest
import torch
from torch.nn import functional as F

from latentwatch.baselines.mem_ae import addressing, entropy
from latentwatch.baselines.mnad import memory_losses, read_weights, written
from latentwatch.baselines.registry import build
from latentwatch.baselines.scorer import BaselineSettings


def test_addressing_is_sparse_and_sums_to_one():
    torch.manual_seed(0)
    weights = addressing(torch.randn(2, 7, 16), torch.randn(2000, 16), 1 / 2000)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 7), atol=1e-4)
    assert (weights >= 0).all()
    assert 0.2 < (weights == 0).float().mean() < 0.8


def test_addressing_by_hand():
    memory = torch.tensor([[2.0, 0.0], [0.0, 5.0], [-1.0, 0.0]])
    # Cosines 1, 0, -1: softmax e, 1, 1/e over their sum 4.086 = 0.665, 0.245, 0.090.
    total = math.e + 1 + 1 / math.e
    weights = addressing(torch.tensor([3.0, 0.0]), memory, 0.1)
    assert weights.tolist() == pytest.approx([math.e / (math.e + 1), 1 / (math.e + 1), 0], abs=1e-5)
    everything = addressing(torch.tensor([3.0, 0.0]), memory, 0.0)
    assert everything.tolist() == pytest.approx([math.e / total, 1 / total, 1 / math.e / total], abs=1e-5)


def test_entropy_by_hand():
    weights = torch.tensor([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    assert entropy(weights).item() == pytest.approx(math.log(2) / 2, abs=1e-5)


def test_the_memory_of_mem_ae_learns_by_gradient():
    model = build(BaselineSettings(system="mem-ae", height=32, width_px=32, share=0.125))
    model.loss(torch.rand(1, 16, 1, 32, 32)).backward()
    assert model.memory.shape == (2000, 32)
    assert model.memory.grad.abs().sum() > 0


def test_reading_sums_to_one():
    torch.manual_seed(0)
    weights = read_weights(torch.randn(2, 6, 4), torch.randn(10, 4))
    assert weights.shape == (2, 6, 10)
    assert torch.allclose(weights.sum(dim=-1), torch.ones(2, 6))


def test_memory_losses_by_hand():
    memory = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    queries = torch.tensor([[0.8, 0.6]])
    # To (1, 0): 0.04 + 0.36 = 0.4, mean 0.2. To (0, 1): 0.64 + 0.16 = 0.8. 0.4 - 0.8 + 1 = 0.6.
    compactness, separateness = memory_losses(queries, memory)
    assert compactness.item() == pytest.approx(0.2)
    assert separateness.item() == pytest.approx(0.6)
    assert memory_losses(memory[:1], memory)[1].item() == 0  # 0 - 2 + 1 is below 0


def test_writing_by_hand():
    memory = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    queries = torch.tensor([[0.8, 0.6], [0.6, 0.8]])
    new = written(queries, memory)
    # One query each for the first two items, weight 1: (1.8, 0.6) and (0.6, 1.8), brought to length 1.
    assert new[0].tolist() == pytest.approx([3 / 10**0.5, 1 / 10**0.5])
    assert new[1].tolist() == pytest.approx([1 / 10**0.5, 3 / 10**0.5])
    assert new[2].tolist() == [-1, 0]  # nobody's nearest: as it was
    # Two queries for one item: weights e^1 and e^0.8 over the larger.
    both = written(torch.tensor([[1.0, 0.0], [0.8, 0.6]]), memory[[0, 2]])
    share = math.exp(-0.2)
    wanted = F.normalize(torch.tensor([2 + 0.8 * share, 0.6 * share]), dim=0)
    assert both[0].tolist() == pytest.approx(wanted.tolist())


def test_mnad_writes_in_training_alone():
    torch.manual_seed(0)
    model = build(BaselineSettings(system="mnad", height=32, width_px=32, share=0.125))
    batch = torch.rand(2, 5, 3, 32, 32)
    before = model.memory.clone()
    model.eval()
    model.loss(batch)
    model.terms(batch)
    assert torch.equal(model.memory, before)
    model.train()
    model.loss(batch).backward()
    assert not torch.equal(model.memory, before)
    assert torch.allclose(model.memory.norm(dim=1), torch.ones(10), atol=1e-5)
    assert "memory" in model.state_dict()
