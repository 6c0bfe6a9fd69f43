import numpy as np
import pytest

from latentwatch.monitor.alarm import Alarm, AlarmRules

RULES = AlarmRules(window=0.625, release=0.5, quiet=1, cool_down=2, longest=5)
FPS = 8  # so that times are exact


def changes(scores, rules=RULES):
    alarm = Alarm(rules, typical=1.0, threshold=2.0, fps=FPS)
    found = []
    for index, score in enumerate(scores):
        change = alarm.step(index / FPS, score)
        if change in ("start", "end"):
            found.append((change, index))
    return found, alarm


def test_one_alarm_with_its_start_peak_and_end():
    scores = np.r_[np.ones(10), np.full(10, 2.5), np.full(5, 4.0), np.full(5, 2.5), np.ones(30)]
    found, alarm = changes(scores)
    assert found == [("start", 12), ("end", 39)]  # 3 of 5 frames are above; quiet for 1 s after frame 31
    assert alarm.span.start == 1.5
    assert alarm.span.peak == 2.75
    assert alarm.span.end == 3.875
    assert alarm.span.level == 3.0  # (4 - 1) / (2 - 1)
    assert not alarm.is_on


def test_outliers_shorter_than_half_the_window_are_no_alarm():
    scores = np.ones(60)
    scores[20:22] = 50
    scores[40] = 50
    assert changes(scores)[0] == []
    scores[22] = 50
    assert [change for change, _ in changes(scores)[0]] == ["start", "end"]


def test_hysteresis_keeps_a_wavering_level_one_alarm():
    wavering = np.where(np.arange(30) // 5 % 2, 2.5, 1.6)  # above the release level 1.5 throughout
    assert len(changes(np.r_[np.ones(10), wavering, np.ones(30)])[0]) == 2


def test_cool_down_and_the_longest_alarm():
    found, _ = changes(np.r_[np.ones(10), np.full(200, 3.0)])
    assert found[:3] == [("start", 12), ("end", 52), ("start", 68)]


def test_a_broken_stream_ends_the_alarm_and_needs_a_full_window_again():
    alarm = Alarm(RULES, 1.0, 2.0, FPS)
    for index in range(10):
        alarm.step(index / FPS, 3.0)
    assert alarm.break_off()
    assert not alarm.break_off()
    assert [alarm.step(10 + index / FPS, 3.0) for index in range(5)] == [None] * 4 + ["start"]


def test_a_threshold_below_the_typical_score_is_refused():
    with pytest.raises(ValueError, match="not above"):
        Alarm(RULES, 1.0, 1.0, FPS)
