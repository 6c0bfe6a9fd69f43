import numpy as np
import pytest
import torch
from clips import SMALL

from latentwatch.models.decoupled import Decoupled
from latentwatch.training.chunks import RunDataset
from latentwatch.training.frames import FrameStore
from latentwatch.training.module import DecoupledModule
from latentwatch.training.run_data import RunData
from latentwatch.training.settings import FORMS
from latentwatch.training.sped_up import WithSpedUp

SPAN = 14


def store(*lengths):
    starts = np.cumsum([0, *lengths])
    frames = np.arange(starts[-1], dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 3), np.uint8)
    return FrameStore(frames, tuple(int(start) for start in starts), 10.0)


def test_sped_up_runs_skip_frames_evenly_inside_one_clip():
    made = store(20, 30, 60)
    clips = [(0, 20), (20, 50), (50, 110)]
    both = WithSpedUp(RunDataset(made, clips, SPAN, jitter=True), made, clips, SPAN, seed=0)
    seen = set()
    for epoch in range(30):
        both.set_epoch(epoch)
        for index in range(len(both)):
            run, fast = both[index]
            assert (np.diff(run[:, 0, 0, 0].numpy().astype(int)) == 1).all()
            values = fast[:, 0, 0, 0].numpy().astype(int)
            assert len(values) == SPAN
            (speed,) = set(np.diff(values))
            # The first clip has too few frames for any speed, the second for more than twice.
            assert values[0] >= 20
            assert values[-1] < 50 or values[0] >= 50
            assert values[0] >= 50 or speed == 2
            seen.add((int(speed), values[0] >= 50))
    assert seen == {(2, False), (2, True), (3, True), (4, True)}


def test_too_short_clips_are_trained_on_without():
    short, clips = store(26, 26, 26), [(0, 26), (26, 52)]
    with pytest.raises(ValueError, match="no clip has the 27 frames"):
        WithSpedUp(RunDataset(short, clips, SPAN, jitter=True), short, clips, SPAN, seed=0)
    batch = next(iter(RunData(short, SPAN, FORMS["joint"]).train_dataloader()))
    assert isinstance(batch, torch.Tensor)
    run, fast = next(iter(RunData(store(27, 27, 27), SPAN, FORMS["joint"]).train_dataloader()))
    assert (len(run), fast.shape[1]) == (len(fast), SPAN)
    without = RunData(store(27, 27, 27), SPAN, FORMS["joint"], contrast=False).train_dataloader()
    assert isinstance(next(iter(without)), torch.Tensor)


def test_what_can_be_predicted_of_fast_footage_is_unlearned():
    height, width = SMALL.size
    fast = torch.zeros(1, SMALL.span, height, width, 3, dtype=torch.uint8)
    for time in range(SMALL.span):
        fast[0, time, 8:16, 3 * time : 3 * time + 8] = 255
    torch.manual_seed(0)
    module = DecoupledModule(Decoupled(SMALL), FORMS["joint"])
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def contrast_after(steps, learn):
        for _ in range(steps):
            optimizer.zero_grad()
            learn().backward()
            optimizer.step()
        return float(contrast().detach())

    def contrast():
        return module._predict(module._reconstruct(fast)[1], fast)[1]

    def prediction():
        return module._predict(module._reconstruct(fast)[1])[0]

    predictable = contrast_after(60, prediction)
    assert predictable > 10
    assert contrast_after(60, contrast) < 0.1 * predictable
