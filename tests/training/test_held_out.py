"""What is kept of held-out footage to calibrate on, however long it is."""

import numpy as np
import pytest
from clips import SMALL, moving_square, random_model

from latentwatch.datasets.folder import clips_in
from latentwatch.scoring.calibration import calibrate
from latentwatch.training import camera
from latentwatch.training.frames import build_store

RUNS = [(0, 40), (50, 90)]


@pytest.mark.parametrize(("frames", "every"), [(80, 1), (79, 2), (25, 4)])
def test_pixel_maps_of_long_footage_are_thinned(tmp_path, monkeypatch, frames, every):
    clips = clips_in(moving_square(tmp_path / "clip", frames=90))
    store, model = build_store(clips, SMALL.size, tmp_path / "run"), random_model(SMALL)
    whole = camera.score_held_out(model, store, RUNS)
    monkeypatch.setattr(camera, "MOST_PIXELS", frames * SMALL.height * SMALL.width_px)
    thinned = camera.score_held_out(model, store, RUNS)
    for all_maps, kept in zip(whole, thinned, strict=True):
        np.testing.assert_array_equal(kept.pixel_maps, all_maps.pixel_maps[::every])
        assert kept.pixel_maps.base is None or every == 1  # the others are let go of
        np.testing.assert_array_equal(kept.z_mse, all_maps.z_mse)
    one, other = calibrate(whole), calibrate(thinned)
    assert (one == other) == (every == 1)
    assert one.pixel_threshold == pytest.approx(other.pixel_threshold, rel=0.2)
