"""Every engine says what PyTorch in fp32 says.

fp32: codes within 1e-5 of the largest, scores within 1e-4 of their value. bf16, which keeps 8 bits of a
number: codes within 5% of the largest, scores within 2% of their value. These models are not trained; a
trained one predicts better, and its small errors feel the rounding more: see docs/engines.md.
"""

import numpy as np
import pytest
import torch
from clips import SMALL, learn_statistics, moving_square, random_model

from latentwatch.bundle.bundle import Calibration
from latentwatch.datasets.ucsd import ucsd
from latentwatch.engines.choose import open_engine
from latentwatch.engines.stream import StepStream
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.errors import UsageError
from latentwatch.models.presets import preset
from latentwatch.scoring.batch import score_clip
from latentwatch.scoring.detector import Detector
from latentwatch.video.source import open_video

LOOSE = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
ENGINES = [("torch", False), ("torch", True), ("onnx", False), ("openvino", False), ("openvino", True)]
CODES = {"fp32": 1e-5, "bf16": 0.05}
SCORES = {"fp32": 1e-4, "bf16": 0.02}


def opened(model, wanted):
    name, bf16 = wanted
    try:
        return open_engine(model, name, bf16=bf16)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.fixture(
    scope="module", params=ENGINES, ids=lambda wanted: f"{wanted[0]}-{'bf16' if wanted[1] else 'fp32'}"
)
def engine(request, small_model):
    return opened(small_model, request.param)


@pytest.fixture
def ped2(shared_data):
    """Twenty frames of each of two clips, and a random model with their statistics, so that codes differ."""
    model = random_model(preset("ped2", "tiny"))
    clips = []
    for clip in ucsd("ped2", shared_data).test[2:4]:
        with clip.open(model.architecture.size) as source:
            clips.append([frame for frame, _ in zip(source, range(20), strict=False)])
    rgb = torch.from_numpy(np.stack([frame.rgb for frames in clips for frame in frames]))
    learn_statistics(model, rgb)
    return model, clips


def random_frames(count):
    return np.random.default_rng(0).integers(0, 256, (count, *SMALL.size, 3), dtype=np.uint8)


def assert_same_codes(engine, reference, frames, k):
    codes = reference.encode(frames)
    windows = np.stack([codes[start : start + k] for start in range(len(codes) - k + 1)])
    for made, expected in (
        (engine.encode(frames), codes),
        (engine.predict(windows), reference.predict(windows)),
    ):
        assert made.dtype == np.float32
        assert made.shape == expected.shape
        assert np.abs(made - expected).max() < CODES[engine.precision] * np.abs(expected).max()


def assert_same_scores(engine, model, frames):
    detector = Detector(model, LOOSE, engine=engine)
    live = np.array([result.score if (result := detector.step(frame)) else np.nan for frame in frames])
    whole = score_clip(model, frames).z_mse
    np.testing.assert_allclose(live, whole, rtol=SCORES[engine.precision])
    assert np.nanstd(whole) > SCORES[engine.precision] * np.nanmean(whole)  # not satisfied by any constant


def test_codes_of_random_frames(engine, small_model):
    assert_same_codes(engine, TorchEngine(small_model), random_frames(9), SMALL.k)


def test_streaming_equals_batch(engine, small_model, tmp_path):
    frames = list(open_video(moving_square(tmp_path / "clip", frames=40)))
    assert_same_scores(engine, small_model, frames)


@pytest.mark.parametrize("wanted", ENGINES, ids=str)
def test_codes_and_scores_of_ped2(wanted, ped2):
    model, clips = ped2
    engine = opened(model, wanted)
    for frames in clips:
        rgb = np.stack([frame.rgb for frame in frames[:10]])
        assert_same_codes(engine, TorchEngine(model), rgb, model.architecture.k)
        assert_same_scores(engine, model, frames)


def test_steps_are_windows(engine, small_model):
    """Whatever form `stream` takes: both are there in each engine, for two streams at once."""
    k = SMALL.k
    reference = TorchEngine(small_model)
    codes = reference.encode(random_frames(2 * (k + 3))).reshape(k + 3, 2, *SMALL.code_shape)
    streams = [StepStream(engine.step, k) for _ in range(2)]
    for now in range(len(codes)):
        predicted = engine.push_many(streams, codes[now])
        if now >= k - 1:
            expected = reference.predict(np.ascontiguousarray(codes[now - k + 1 : now + 1].swapaxes(0, 1)))
            assert np.abs(predicted - expected).max() < CODES[engine.precision] * np.abs(expected).max()


def test_streams_in_one_batch(engine):
    codes = engine.encode(random_frames(2 * (SMALL.k + 2))).reshape(-1, 2, *SMALL.code_shape)
    together, alone = ([engine.stream(SMALL.k) for _ in range(2)] for _ in range(2))
    for number, pair in enumerate(codes, start=1):
        made = engine.push_many(together, pair)
        for one, stream, code in zip(made, alone, pair, strict=True):
            expected = stream.push(code)
            assert (expected is not None) == (one is not None) == (number >= SMALL.k)
            if expected is not None:
                limit = CODES[engine.precision] * np.abs(expected).max()
                np.testing.assert_allclose(one, expected, atol=limit)


def test_one_at_a_time_or_many_at_once(engine):
    frames = random_frames(5)
    together = engine.encode(frames)
    limit = CODES[engine.precision] * np.abs(together).max()
    for index in range(5):
        np.testing.assert_allclose(engine.encode(frames[index : index + 1])[0], together[index], atol=limit)


def test_what_came_out_is_not_overwritten_and_what_went_in_is_left_alone(engine):
    frames = random_frames(2)
    before = frames.copy()
    frames.setflags(write=False)  # as decoders give them
    first = engine.encode(frames[:1])
    kept = first.copy()
    engine.encode(frames[1:])
    assert (first == kept).all()
    assert (frames == before).all()


def test_boxes_from_pixels_need_no_engine_that_decodes(engine, small_model, tmp_path):
    frames = list(open_video(moving_square(tmp_path / "clip", frames=SMALL.span + 2)))
    limit = float(np.nanquantile(score_clip(small_model, frames, pixel_scores=True).pixel_maps, 0.9))
    tight = Calibration(threshold=1, place_threshold=1, pixel_threshold=limit, frames=1)
    reference = Detector(small_model, tight, pixel_boxes=True)
    detector = Detector(small_model, tight, engine=engine, pixel_boxes=True)
    for frame in frames:
        expected, result = reference.step(frame), detector.step(frame)
    assert result.score == pytest.approx(expected.score, rel=SCORES[engine.precision])
    assert result.boxes
    assert result.boxes[0].score == pytest.approx(expected.boxes[0].score, rel=SCORES[engine.precision])
