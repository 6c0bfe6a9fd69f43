"""Where the warm-up computes. That it teaches the motion model is in `test_training`."""

from contextlib import nullcontext

import numpy as np
import torch
from clips import SMALL, random_model

from latentwatch.training.frames import FrameStore
from latentwatch.training.warm_up import fit_motion


class ElsewhereTensor(torch.Tensor):
    """Stands for a tensor on a GPU: NumPy cannot have it before it is taken to the CPU."""

    def cpu(self):
        return self.as_subclass(torch.Tensor)

    def numpy(self):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_the_warm_up_computes_on_the_device_that_the_model_is_on(tmp_path, monkeypatch):
    # There is no GPU here: only the background is on another device, and what is given to it is noted.
    model, where = random_model(SMALL), []
    encode, predict = model.encode, model.predict
    monkeypatch.setattr(model, "background", model.background.to("meta"))

    def noted(given):
        where.append(given.device.type)
        return torch.zeros(given.shape)

    monkeypatch.setattr(model, "foreground", lambda rgb: noted(rgb).permute(0, 3, 1, 2))
    monkeypatch.setattr(model, "encode", lambda frames: (encode(frames)[0].as_subclass(ElsewhereTensor), []))
    monkeypatch.setattr(model, "predict", lambda past: predict(noted(past)))
    monkeypatch.setattr(model.motion, "errors", lambda made, real: (made - noted(real)).square())
    monkeypatch.setattr(torch, "autocast", lambda kind, *_, **__: where.append(kind) or nullcontext())
    footage = FrameStore(np.zeros((20, *SMALL.size, 3), np.uint8), (0, 20), 10.0)
    told = []
    fit_motion(
        model,
        footage,
        [(0, 20)],
        tmp_path / "codes.bin",
        passes=1,
        gamma=0,
        seed=0,
        autocast=True,
        say=told.append,
    )
    assert len(told) == 1
    assert where == ["meta"] * 5  # two batches of frames, the number format, the past, the target
