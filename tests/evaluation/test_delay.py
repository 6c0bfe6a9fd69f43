import numpy as np
import pytest

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.delay import AFTER, detection_delay, threshold_at
from latentwatch.evaluation.frame_level import LabelledScores


def clip(scores, *spans):
    labels = np.zeros(len(scores), dtype=bool)
    for start, stop in spans:
        labels[start:stop] = True
    return LabelledScores("made", np.array(scores, dtype=float), labels)


def test_delays_misses_and_aftermath_by_hand():
    nan = np.nan
    found = [nan, nan, 0, 0, 2, 2, 0, 2, 0, 0]  # span 3 to 6: found after 1 frame; then 1 of 4 above
    missed = [nan, 0, 0, 0, 2, 0]  # span 1 to 4, never above: 3; then 1 of 2
    early = [nan, nan, 2, 0, 0, 2]  # span 0 to 4 begins unscored: no delay; then 1 of 2
    delay = detection_delay([clip(found, (3, 6)), clip(missed, (1, 4)), clip(early, (0, 4))], 1.0)
    assert (delay.frames, delay.missed, delay.spans) == (2, 1, 2)
    assert delay.false_after == pytest.approx(100 * 3 / 8)
    assert delay.frames_after == 8


def test_aftermath_ends_with_its_time_or_the_next_span():
    scores = np.full(AFTER + 20, 2.0)
    assert detection_delay([clip(scores, (2, 5))], 1.0).frames_after == AFTER
    assert detection_delay([clip(scores, (2, 5), (9, len(scores)))], 1.0).frames_after == 4
    assert detection_delay([clip(scores, (2, len(scores)))], 1.0).false_after is None


def test_a_clip_without_an_anomaly_counts_for_nothing():
    judged = clip([0, 2, 0, 2], (1, 3))
    assert detection_delay([clip([2.0, 2, 0]), judged], 1.0) == detection_delay([judged], 1.0)


def test_no_span_with_a_score_at_its_start():
    with pytest.raises(LatentwatchError, match="no labelled span begins"):
        detection_delay([clip([np.nan, 1.0], (0, 2))], 1.0)


def test_a_threshold_by_its_false_alarms():
    normal = np.arange(20.0)
    labelled = clip([*normal, np.nan, 99], (21, 22))
    threshold = threshold_at([labelled, clip([np.nan])], 0.1)
    assert (normal > threshold).sum() == 2
