"""Small footage that tests make for themselves."""

import json

import numpy as np
import torch
from PIL import Image

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.models.presets import Architecture

SMALL = Architecture(height=32, width_px=48, base_width=4, blocks=2, k=6)


def moving_square(folder, frames=40, speed=1, size=(32, 48)):
    """A folder of images: a bright square that crosses a noisy ground."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 90, (*size, 3), dtype=np.uint8)
    for index in range(frames):
        picture = ground.copy()
        x = index * speed % (size[1] - 8)
        picture[12:20, x : x + 8] = 220
        Image.fromarray(picture).save(folder / f"{index:03}.png")
    return folder


def random_model(architecture):
    """A model that was never trained, whose codes differ from frame to frame."""
    torch.manual_seed(0)
    model = Decoupled(architecture)
    for _ in range(2):  # gives BatchNorm statistics, so that codes are not all alike
        codes, skips = model.encode(torch.randn(20, 3, *architecture.size))
        model.decode(codes, skips)
        model.predict(torch.stack([codes[i : i + architecture.k] for i in range(8)]))
    return model.eval()


@torch.no_grad()
def learn_statistics(model, rgb):
    """Takes background and BatchNorm statistics from consecutive frames, uint8 `(T, H, W, 3)`."""
    model.background.copy_(rgb.permute(0, 3, 1, 2).float().mean(dim=0) / 255)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d):
            part.reset_running_stats()
            part.momentum = None  # a plain mean
    model.train()
    codes, _ = model.encode(model.foreground(rgb))
    model.predict(windows(codes, model.architecture.k, model.architecture.horizon))
    model.eval()


def ped2_layout(folder):
    """A set in Ped2's layout: two normal clips, and one that is labelled anomalous from its 20th frame on."""
    for clip in ("01", "02"):
        moving_square(folder / "training" / "frames" / clip, frames=30)
    moving_square(folder / "testing" / "frames" / "01", frames=30, speed=3)
    labels = {"01": {"frames": 30, "anomalous": [[20, 30]]}}
    (folder / "testing" / "labels.json").write_text(json.dumps(labels))
