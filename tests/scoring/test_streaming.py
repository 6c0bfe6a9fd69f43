import gc
import types

import numpy as np
import pytest
import torch
from clips import SMALL, moving_square, random_model

from latentwatch.bundle.bundle import Calibration
from latentwatch.datasets.ucsd import ucsd
from latentwatch.models.presets import preset
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.localise import boxes_from_map
from latentwatch.video.source import open_video

LOOSE = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)


def streamed(model, frames):
    detector = Detector(model, LOOSE)
    return np.array([result.score if (result := detector.step(frame)) else np.nan for frame in frames])


@pytest.mark.parametrize("batch", [1, 5, 16, 64])
def test_streaming_equals_batch(tmp_path, batch):
    folder = moving_square(tmp_path / "clip", frames=45)
    model = random_model(SMALL)
    whole = score_clip(model, open_video(folder), batch=batch)
    live = streamed(model, open_video(folder))
    assert np.isnan(live[: SMALL.warm_up]).all()
    assert not np.isnan(live[SMALL.warm_up :]).any()
    np.testing.assert_allclose(live, whole.z_mse, rtol=1e-4)


def test_streaming_equals_batch_on_ped2(shared_data):
    model = random_model(preset("ped2", "tiny"))
    clip = ucsd("ped2", shared_data).test[2]
    frames = [frame for frame, _ in zip(clip.open(model.architecture.size), range(24), strict=False)]
    np.testing.assert_allclose(streamed(model, frames), score_clip(model, frames).z_mse, rtol=1e-4)


def test_pixel_scores_do_not_depend_on_the_batch(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=30)
    model = random_model(SMALL)
    one, many = (score_clip(model, open_video(folder), pixel_scores=True, batch=size) for size in (7, 64))
    np.testing.assert_allclose(one.r_mse, many.r_mse, rtol=1e-4)
    np.testing.assert_allclose(one.p_mse, many.p_mse, rtol=1e-4)
    assert np.isnan(one.r_mse).sum() == 1
    assert np.isnan(one.p_mse).sum() == SMALL.warm_up
    without = score_clip(model, open_video(folder), pixel_scores=True, reconstruct=False)
    assert without.r_mse is None
    np.testing.assert_allclose(without.p_mse, one.p_mse, rtol=1e-4)


def test_score_is_the_mean_of_its_map_and_eq2(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=SMALL.span)
    model = random_model(SMALL)
    rgb = torch.from_numpy(np.stack([frame.rgb for frame in open_video(folder)]))
    with torch.no_grad():
        codes = model.encode(model.foreground(rgb))[0]
        predicted = model.predict(codes[None, : SMALL.k])[0]
    by_hand = float((predicted - codes[-1]).square().sum() / codes[-1].numel())
    result = score_clip(model, open_video(folder))
    assert result.z_mse[-1] == pytest.approx(by_hand, rel=1e-4)


def test_memory_is_constant_and_the_decoder_is_not_run(tmp_path):
    model = random_model(SMALL)
    model.decoder.register_forward_hook(lambda *_: pytest.fail("the decoder was run"))
    detector = Detector(model, LOOSE)
    sizes = []
    for frame in open_video(moving_square(tmp_path / "clip", frames=60)):
        detector.step(frame)
        sizes.append(bytes_held(detector))
    assert sizes[SMALL.span] > 0
    assert set(sizes[SMALL.span :]) == {sizes[-1]}


def bytes_held(thing):
    """Bytes of all arrays and tensors that can be reached from `thing`."""
    total, seen, open_ends = 0, set(), [thing]
    while open_ends:
        each = open_ends.pop()
        if id(each) in seen or isinstance(each, type | types.ModuleType | types.FunctionType):
            continue
        seen.add(id(each))
        total += each.nbytes if isinstance(each, np.ndarray | torch.Tensor) else 0
        open_ends += gc.get_referents(each)
    return total


def test_reset_warms_up_again(tmp_path):
    model = random_model(SMALL)
    detector = Detector(model, LOOSE)
    frames = list(open_video(moving_square(tmp_path / "clip", frames=20)))
    first = [detector.step(frame) for frame in frames]
    detector.reset()
    again = [detector.step(frame) for frame in frames]
    assert [a.score if a else None for a in first] == [b.score if b else None for b in again]


def test_clip_that_is_too_short_has_no_score(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=SMALL.warm_up)
    assert np.isnan(score_clip(random_model(SMALL), open_video(folder)).z_mse).all()


def test_boxes_from_pixels_are_those_of_the_batch_and_leave_the_score_alone(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=SMALL.span + 3)
    model = random_model(SMALL)
    whole = score_clip(model, open_video(folder), pixel_scores=True)
    limit = float(np.nanquantile(whole.pixel_maps, 0.9))
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=limit, frames=1)
    by_pixel, by_code = Detector(model, calibration, pixel_boxes=True), Detector(model, calibration)
    for frame in open_video(folder):
        result, plain = by_pixel.step(frame), by_code.step(frame)
    assert result.score == plain.score
    expected = boxes_from_map(whole.pixel_maps[-1], limit, SMALL.size)
    assert len(result.boxes) == len(expected) > 0
    assert result.boxes[0].score == pytest.approx(expected[0].score, rel=1e-3)
    np.testing.assert_allclose(
        whole.pixel_maps[SMALL.warm_up :].mean(axis=(1, 2)), whole.p_mse[SMALL.warm_up :]
    )
