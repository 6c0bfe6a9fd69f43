"""Streams that go through in one batch are the streams that go through one by one."""

import numpy as np
import pytest
from clips import SMALL, random_model
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwatch.engines.engine import Engine
from latentwatch.engines.stream import StepStream, WindowStream
from latentwatch.engines.torch_engine import TorchEngine

K = SMALL.k


def of_kind(engine, kind, k=K):
    return StepStream(engine.step, k) if kind is StepStream else WindowStream(engine.predict, k)


def engine_with(k):
    return TorchEngine(random_model(SMALL.model_copy(update={"k": k})))


@pytest.mark.parametrize("k", [6, 8])
@pytest.mark.parametrize("kind", [StepStream, WindowStream])
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_any_mix_of_streams_of_any_age(kind, k, data):
    engine = engine_with(k)
    alone, together = ([of_kind(engine, kind, k) for _ in range(4)] for _ in range(2))
    rng = np.random.default_rng(0)
    for _ in range(20):
        chosen = data.draw(st.lists(st.integers(0, 3), unique=True, max_size=4))
        for index in data.draw(st.lists(st.sampled_from(range(4)), max_size=1)) if rng.random() < 0.1 else []:
            alone[index].reset()
            together[index].reset()
        codes = rng.standard_normal((len(chosen), *SMALL.code_shape)).astype(np.float32)
        made = engine.push_many([together[index] for index in chosen], codes)
        assert len(made) == len(chosen)
        for index, code, one in zip(chosen, codes, made, strict=True):
            expected = alone[index].push(code)
            assert (one is None) == (expected is None)
            if expected is not None:
                np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("k", [6, 8])
def test_steps_and_windows_agree(k):
    engine = engine_with(k)
    step, window = of_kind(engine, StepStream, k), of_kind(engine, WindowStream, k)
    codes = np.random.default_rng(0).standard_normal((3 * k, *SMALL.code_shape)).astype(np.float32)
    for number, code in enumerate(codes, start=1):
        one, other = step.push(code), window.push(code)
        assert (one is not None) == (other is not None) == (number >= k)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("k", [6, 8])
def test_reset_forgets_all_that_was_seen(k):
    engine = engine_with(k)
    rng = np.random.default_rng(0)
    codes = rng.standard_normal((15, *SMALL.code_shape)).astype(np.float32)
    for kind in (StepStream, WindowStream):
        fresh, used = of_kind(engine, kind, k), of_kind(engine, kind, k)
        for code in rng.standard_normal((13, *SMALL.code_shape)).astype(np.float32):
            used.push(code)
        used.reset()
        for number, code in enumerate(codes, start=1):
            one, other = fresh.push(code), used.push(code)
            assert (one is not None) == (other is not None) == (number >= k)
            if one is not None:
                np.testing.assert_array_equal(one, other)


def test_as_many_codes_as_streams(small_model):
    engine: Engine = TorchEngine(small_model)
    for streams in ([], [engine.stream(K), engine.stream(K)]):
        with pytest.raises(ValueError, match=f"1 codes for {len(streams)} streams"):
            engine.push_many(streams, np.zeros((1, *SMALL.code_shape), np.float32))
