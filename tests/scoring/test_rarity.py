import numpy as np
import pytest

from latentwatch.scoring.rarity import CodeBank


def test_rarity_is_the_mean_square_to_the_nearest_code_of_the_bank():
    bank = CodeBank(np.array([[0, 0], [4, 0]], dtype=np.float32))
    codes = np.array([[3, 1], [1, -1]], dtype=np.float32).T.reshape(1, 2, 1, 2)
    # (3, 1) is nearest to (4, 0), (1, -1) to (0, 0); each is 1 off in both channels.
    np.testing.assert_allclose(bank.maps(codes), [[[1, 1]]], rtol=1e-6)
    assert bank.maps(codes[:0]).shape == (0, 1, 2)


def test_a_bank_holds_the_rare_beside_the_usual():
    rng = np.random.default_rng(0)
    clip = rng.normal(0, 0.1, (50, 3, 4, 5)).astype(np.float32)
    clip[7, :, 2, 2] = 9  # seen once in a thousand places
    bank = CodeBank.of([clip[:20], clip[20:]], kept=16)
    assert bank.codes.shape == (16, 3)
    assert bank.maps(clip)[7, 2, 2] == pytest.approx(0, abs=1e-6)
    assert CodeBank.of([clip[:1]], kept=64).codes.shape == (20, 3)


def test_all_that_was_learned_is_not_rare():
    clip = np.random.default_rng(1).normal(size=(3, 2, 4, 4)).astype(np.float32)
    bank = CodeBank.of([clip])
    np.testing.assert_allclose(bank.maps(clip), 0, atol=1e-6)
    assert bank.maps(clip + 5).min() > 1
