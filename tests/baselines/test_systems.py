"""What holds for every baseline: shapes, size, streaming, learning."""

import numpy as np
import pytest
import torch

from latentwatch.baselines.registry import SYSTEMS, build
from latentwatch.baselines.scorer import BaselineSettings
from latentwatch.errors import UsageError

NAMES = list(SYSTEMS)


def small(name, share=0.125, size=(32, 64)):
    torch.manual_seed(0)
    return build(BaselineSettings(system=name, height=size[0], width_px=size[1], share=share))


def footage(frames, size=(32, 64)):
    """A bright square that moves one pixel a frame over a smooth ground, uint8 `(T, H, W, 3)`."""
    rgb = np.full((frames, *size, 3), 70, dtype=np.uint8)
    rgb[:, :, :, 1] += np.arange(size[1], dtype=np.uint8)
    for index in range(frames):
        rgb[index, 8:20, index % 48 : index % 48 + 8] = 220
    return rgb


def clips(model, rgb):
    """All clips of consecutive frames, `(N, T, C, H, W)`."""
    return model.pictures(torch.from_numpy(rgb)).unfold(0, model.clip_length, 1).movedim(-1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_ranges(name):
    model = small(name)
    batch = clips(model, footage(model.clip_length + 1))
    assert batch.shape == (2, model.clip_length, 1 if model.grey else 3, 32, 64)
    assert -1 <= batch.min() < batch.max() <= 1
    assert model.loss(batch).shape == ()
    model.eval()
    terms = model.terms(batch)
    assert terms.shape == (2, len(model.term_weights))
    assert torch.isfinite(terms).all()
    made = model.decode(model.encode(batch)) if name == "latent-auto" else model(batch)
    made = made[0] if isinstance(made, tuple) else made
    predicts = name in ("future-frame", "mnad")
    assert made.shape == (batch[:, -1] if predicts else batch).shape


@pytest.mark.parametrize(
    ("name", "millions"),
    [("conv-ae", 8.4), ("future-frame", 7.7), ("latent-auto", 7.6), ("mem-ae", 6.5), ("mnad", 14.8)],
)
def test_parameters_at_the_papers_width(name, millions):
    model = build(BaselineSettings(system=name))
    critic = sum(weight.numel() for weight in model.critic.parameters()) if model.critic else 0
    count = sum(weight.numel() for weight in model.parameters()) - critic
    assert count / 1e6 == pytest.approx(millions, rel=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_streaming_equals_scoring_the_clip_at_once(name):
    model = small(name)
    rgb = footage(model.clip_length + 5)
    model.loss(clips(model, rgb))  # gives BatchNorm statistics
    model.eval()
    with torch.no_grad():
        usual = model.terms(clips(model, rgb)).mean(dim=0)
        model.fit_terms(torch.stack([0.5 * usual, 1.5 * usual]))
        at_once = model.score(clips(model, rgb)).tolist()
    model.train()  # `step` must not depend on it
    for _ in range(2):
        scores = [model.step(frame) for frame in rgb]
        first = model.frames_needed - 1
        assert scores[:first] == [None] * first
        assert scores[first:] == pytest.approx(at_once, rel=1e-3, abs=1e-4)
        model.reset()
    assert model.step(rgb[0]) is None


@pytest.mark.parametrize("name", NAMES)
def test_memory_is_bounded(name):
    model = small(name)
    for frame in footage(model.clip_length + 4):
        model.step(frame)
    assert len(model._recent) == model.clip_length


@pytest.mark.parametrize("name", NAMES)
def test_a_few_steps_reduce_the_loss(name):
    model = small(name)
    batch = clips(model, footage(model.clip_length + 3))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    losses = []
    for _ in range(15):
        loss = model.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("name", NAMES)
def test_the_newest_frame_decides(name):
    """A stranger thing in the newest frame alone raises the score."""
    model = small(name)
    rgb = footage(model.clip_length)
    strange = rgb.copy()
    strange[-1, 4:28, 4:60] = np.random.default_rng(0).integers(0, 255, (24, 56, 3))
    model.loss(clips(model, rgb))
    model.eval()
    with torch.no_grad():
        assert model.score(clips(model, strange)) > model.score(clips(model, rgb))


def test_step_refuses_another_size_and_type():
    model = small("conv-ae")
    for wrong in (np.zeros((32, 32, 3), np.uint8), np.zeros((32, 64, 3), np.float32)):
        with pytest.raises(ValueError, match="expected uint8"):
            model.step(wrong)


def test_grey_is_the_luma():
    model = small("conv-ae")
    rgb = torch.tensor([255, 0, 0], dtype=torch.uint8).expand(1, 32, 64, 3)
    assert model.pictures(rgb).unique().item() == pytest.approx(2 * 0.299 - 1, abs=1e-6)


def test_terms_are_standardised():
    model = small("mnad")
    model.fit_terms(torch.tensor([[1.0, 10.0], [3.0, 10.0]]))
    assert model.term_mean.tolist() == [2, 10]
    assert model.term_deviation.tolist() == pytest.approx([1, 1e-6])


def test_unknown_names_and_sizes():
    with pytest.raises(UsageError, match="no such system; known are conv-ae, future-frame"):
        build(BaselineSettings(system="best"))
    with pytest.raises(UsageError, match="input size 48x64 must be a multiple of 32"):
        build(BaselineSettings(system="latent-auto", height=48, width_px=64))
