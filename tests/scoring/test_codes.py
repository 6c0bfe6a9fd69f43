import numpy as np
import torch
from clips import SMALL

from latentwatch.models.decoupled import Decoupled
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.codes import beside_predicted, clip_codes, encoded
from latentwatch.video.frame import Frame


def test_differences_are_what_the_error_maps_are_made_of():
    torch.manual_seed(0)
    model = Decoupled(SMALL).eval()
    rng = np.random.default_rng(0)
    frames = [
        Frame(i, i / 10, rng.integers(0, 256, (*SMALL.size, 3), dtype=np.uint8))
        for i in range(SMALL.span + 7)
    ]
    codes = beside_predicted(model, encoded(model, frames, batch=5), batch=5)
    expected = score_clip(model, frames).error_maps[SMALL.warm_up :]
    np.testing.assert_allclose(np.square(codes.differences).mean(axis=1), expected, rtol=1e-4, atol=1e-7)
    assert clip_codes(model, frames[: SMALL.span - 1]).observed.shape == (0, *SMALL.code_shape)
