import os
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # so that tests share clips.py


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def shared_data():
    """The real footage that lies beside the repository, or in $LATENTWATCH_DATA."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("LATENTWATCH_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no real footage: set LATENTWATCH_DATA or put it at ../shared/data ({folder.name})")
    return folder
