import pytest
import torch
from clips import SMALL, random_model

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle


@pytest.fixture(scope="session")
def small_model():
    model = random_model(SMALL)
    torch.manual_seed(1)
    model.background.uniform_()
    return model


@pytest.fixture
def bundle(small_model, tmp_path):
    calibration = Calibration(threshold=0.5, place_threshold=0.75, pixel_threshold=1, frames=9)
    save_bundle(
        tmp_path / "door.lw", small_model, BundleInfo(architecture=SMALL, fps=10, calibration=calibration)
    )
    return tmp_path / "door.lw"
