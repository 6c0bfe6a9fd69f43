import torch
from torch import nn

from latentwatch.models.losses import l2_term, prediction_loss, reconstruction_loss


def test_eq1_terms_by_hand():
    made, real = torch.zeros(2, 3, 1, 1), torch.tensor([1.0, 2.0, 2.0]).reshape(1, 3, 1, 1).repeat(2, 1, 1, 1)
    assert reconstruction_loss(made, real) == 9  # 1 + 4 + 4, mean over two frames
    assert prediction_loss(made, real) == 9


def test_l2_leaves_vectors_out():
    layer = nn.Linear(2, 1)
    layer.weight.data = torch.tensor([[3.0, 4.0]])
    layer.bias.data = torch.tensor([100.0])
    assert l2_term(layer.parameters()) == 25
