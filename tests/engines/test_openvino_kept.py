"""A graph is converted once: what TorchScript takes for it is never given back."""

import numpy as np
import pytest
import torch
from clips import SMALL, random_model

from latentwatch.engines.graphs import graph_of

openvino_engine = pytest.importorskip("latentwatch.engines.openvino_engine")
pytest.importorskip("openvino")


def test_the_same_weights_are_converted_once_and_others_anew():
    kept = openvino_engine._Converted()
    first = kept.converted(graph_of(random_model(SMALL), "encoder"))
    model = random_model(SMALL)  # the same weights, read again
    assert kept.converted(graph_of(model, "encoder")) is first
    assert kept.converted(graph_of(model, "step")) is not first
    with torch.no_grad():
        model.background[0, 0, 0] += 0.001
    assert kept.converted(graph_of(model, "encoder")) is not first


def test_another_k_is_another_graph():
    kept = openvino_engine._Converted()
    first = kept.converted(graph_of(random_model(SMALL), "motion"))
    longer = kept.converted(graph_of(random_model(SMALL.model_copy(update={"k": 8})), "motion"))
    assert first.input().partial_shape[1] == 6
    assert longer.input().partial_shape[1] == 8


def test_those_used_longest_ago_go_first(monkeypatch):
    kept = openvino_engine._Converted()
    monkeypatch.setattr(kept, "MOST", 2)
    model = random_model(SMALL)
    encoder = kept.converted(graph_of(model, "encoder"))
    step = kept.converted(graph_of(model, "step"))
    assert kept.converted(graph_of(model, "encoder")) is encoder  # used again
    kept.converted(graph_of(model, "motion"))
    assert kept.converted(graph_of(model, "encoder")) is encoder
    assert kept.converted(graph_of(model, "step")) is not step


def test_engines_that_share_a_graph_give_their_own_results():
    frames = np.random.default_rng(0).integers(0, 256, (3, *SMALL.size, 3), dtype=np.uint8)
    one, other = (openvino_engine.OpenvinoEngine(random_model(SMALL), bf16=False) for _ in range(2))
    before = one.encode(frames[:1])
    many = other.encode(frames)  # another number of frames
    np.testing.assert_array_equal(one.encode(frames[:1]), before)
    np.testing.assert_allclose(many[:1], before, atol=1e-4)
