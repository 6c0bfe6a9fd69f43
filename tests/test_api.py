"""The README's Python example, on footage made here."""

import subprocess
import sys

import numpy as np
from clips import SMALL, moving_square

import latentwatch
from latentwatch.training.settings import TrainingSettings


def test_train_load_step(tmp_path):
    folder = moving_square(tmp_path / "normal", frames=60)
    settings = TrainingSettings(epochs=2)
    detector = latentwatch.train(folder, tmp_path / "door.lw", architecture=SMALL, settings=settings)
    again = latentwatch.load(tmp_path / "door.lw")
    for frame in latentwatch.open_video(folder):
        result, same = detector.step(frame), again.step(frame)
        assert (result is None) == (frame.index < SMALL.warm_up)
        if result:
            assert result.score == same.score
            assert np.isfinite(result.score)


def test_scoring_does_not_import_the_trainer():
    code = "import latentwatch, sys; latentwatch.load; sys.exit('pytorch_lightning' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
