import numpy as np
import pytest
import torch
from clips import SMALL, learn_statistics, moving_square, random_model

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.video.source import open_video


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    """A random model that has the statistics of `moving_square`, so that its codes and scores vary."""
    model = random_model(SMALL)
    frames = open_video(moving_square(tmp_path_factory.mktemp("engines") / "clip", frames=40))
    learn_statistics(model, torch.from_numpy(np.stack([frame.rgb for frame in frames])))
    return model


@pytest.fixture
def bundle(small_model, tmp_path):
    calibration = Calibration(threshold=0.5, place_threshold=0.75, pixel_threshold=1, frames=9)
    save_bundle(
        tmp_path / "door.lw", small_model, BundleInfo(architecture=SMALL, fps=10, calibration=calibration)
    )
    return tmp_path / "door.lw"
