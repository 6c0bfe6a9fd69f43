from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwatch.monitor.stream_clock import TOLERANCE, StreamClock

stamps = st.lists(st.tuples(st.none() | st.floats(-1e6, 1e6), st.floats(0, 30)), min_size=1, max_size=60)


@given(stamps)
def test_times_rise_and_stay_near_the_arrival_whatever_the_stamps_do(packets):
    clock, arrival, previous = StreamClock(), 100.0, 0.0
    for stamp, pause in packets:
        arrival += pause
        time = clock.packet(stamp, arrival)
        assert time > previous
        assert clock.picture(stamp, time) > previous
        assert time <= arrival + TOLERANCE + 0.01
        previous = time


def times(offsets, fps=10):
    """What the clock makes of frames that arrive in time, whose stamps are off by so much each."""
    clock = StreamClock()
    return clock, [clock.packet(i / fps + off, 50 + i / fps) for i, off in enumerate(offsets)]


def test_good_stamps_are_kept_and_late_packets_do_not_shift_them():
    clock = StreamClock()
    shown = [clock.packet(i / 10, 50 + i / 10 + (0.4 if i % 7 == 3 else 0)) for i in range(100)]
    gaps = [b - a for a, b in pairwise(shown)]
    assert gaps == pytest.approx([0.1] * 99, abs=0.002)
    assert clock.jumps == 0


@pytest.mark.parametrize("jump", [-3600.0, 3600.0, -0.5])
def test_a_clock_that_is_set_counts_as_one_jump(jump):
    clock, shown = times([0.0] * 20 + [jump] * 20)
    assert clock.jumps == 1
    assert shown[20:] == pytest.approx([50 + i / 10 for i in range(20, 40)], abs=0.01)


def test_a_slow_camera_clock_is_followed():
    clock, shown = times([-i * 0.0001 for i in range(20_000)])  # a thousandth slow: 2 s in all
    assert clock.jumps == 0
    assert shown[-1] == pytest.approx(50 + 1999.9, abs=0.2)


def test_a_new_connection_is_no_jump():
    clock, _ = times([0.0] * 5)
    clock.restart()
    assert clock.packet(9e5, 60.0) == 60.0
    assert clock.jumps == 0
