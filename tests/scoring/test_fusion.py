import numpy as np
import pytest

from latentwatch.scoring.fusion import UsualScore, fused


def test_a_score_counts_by_its_deviation_on_normal_footage():
    usual = UsualScore.of(np.exp([1.0, 3.0]))
    assert (usual.mean, usual.deviation) == pytest.approx((2, 1))
    np.testing.assert_allclose(usual.deviations(np.exp([2.0, 5.0])), [0, 3], atol=1e-12)
    other = UsualScore(0, 2)
    np.testing.assert_allclose(fused([np.exp([2.0, 5.0]), np.exp([4.0, -4.0])], [usual, other]), [2, 1])


def test_the_unit_of_a_score_does_not_matter():
    rng = np.random.default_rng(0)
    normal, seen = rng.lognormal(size=(2, 50)), rng.lognormal(size=(2, 9))

    def of(unit):
        return fused([seen[0], unit * seen[1]], [UsualScore.of(normal[0]), UsualScore.of(unit * normal[1])])

    np.testing.assert_allclose(of(1), of(1000))


def test_nothing_and_what_never_varies_give_numbers():
    assert np.isfinite(UsualScore.of(np.zeros(3)).deviations(np.array([0.0, 1.0]))).all()
