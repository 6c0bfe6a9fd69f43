import numpy as np
import pytest

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.frame_level import LabelledScores, equal_error_rate, frame_level
from latentwatch.evaluation.intervals import mean_ci95
from latentwatch.evaluation.run import Evaluation

NAN = np.nan


def clip(scores, labels, name="a"):
    return LabelledScores(name, np.array(scores, dtype=float), np.array(labels, dtype=bool))


def test_auc_by_hand():
    # pairs (anomalous, normal): (3,1) (3,2) (1.5,1) right, (1.5,2) wrong: 3 of 4
    result = frame_level([clip([NAN, 1, 3, 2, 1.5], [1, 0, 1, 0, 1])])
    assert result.auc_micro == pytest.approx(75)
    assert result.auc_raw == pytest.approx(75)
    assert result.auc_macro == pytest.approx(75)
    assert (result.frames, result.unscored) == (4, 1)
    assert "1 without a score left out" in result.protocol


def test_normalisation_per_clip_is_what_separates_micro_from_raw():
    bright = clip([10, 20], [0, 1], "bright")
    dark = clip([1, 2], [0, 1], "dark")
    result = frame_level([bright, dark])
    assert result.auc_micro == 100
    assert result.auc_raw == pytest.approx(75)  # 2 < 10 is the wrong pair


def test_macro_leaves_out_clips_of_one_kind():
    result = frame_level([clip([1, 2], [0, 1]), clip([1, 2], [1, 1], "all")])
    assert result.macro_clips == 1
    assert result.auc_macro == 100


def test_clips_of_one_kind_each_have_no_macro():
    result = frame_level([clip([1, 2], [0, 0]), clip([1, 3], [1, 1], "all")])
    assert result.protocol.endswith("left out; no macro AUC, as no clip has frames of both kinds")
    figures = Evaluation({}, {"z_mse": result}, {}).by_metric()
    assert {metric for _, metric in figures} == {"auc_micro", "auc_raw", "eer"}


def test_unscored_as_first():
    result = frame_level([clip([NAN, 1, 3], [0, 0, 1])], unscored_as_first=True)
    assert (result.frames, result.unscored, result.auc_micro) == (3, 0, 100)


def test_eer_by_hand():
    assert equal_error_rate(np.array([0, 0.2, 1]), np.array([0, 0.8, 1])) == pytest.approx(0.2)
    assert equal_error_rate(np.array([0, 1.0]), np.array([0, 1.0])) == pytest.approx(0.5)


def test_what_cannot_be_judged_is_said():
    with pytest.raises(LatentwatchError, match="both normal and anomalous"):
        frame_level([clip([1, 2], [0, 0])])
    with pytest.raises(LatentwatchError, match="3 scores, but 2 labels"):
        frame_level([clip([1, 2, 3], [0, 1])])


def test_confidence_interval_by_hand():
    mean, half = mean_ci95([94, 95, 96, 95])
    assert mean == 95
    assert half == pytest.approx(3.182446 * np.sqrt(2 / 3) / 2, rel=1e-5)  # t(0.975, 3) s / sqrt(4)
    assert mean_ci95([95]) == (95, None)
