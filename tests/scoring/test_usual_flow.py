"""What is usual in normal footage, by hand-made flow, and what relative speed other flow has by that."""

import numpy as np
import pytest

from latentwatch.scoring.usual_flow import CELL, STILL, UsualFlow, fastest


def flow(across, down=0.0, places=(2, 2), frames=1):
    """The same flow in all places."""
    one = np.array([across, down, np.hypot(across, down)], dtype=np.float32)
    return np.broadcast_to(one, (frames, *places, 3))


def test_speed_is_told_by_what_is_usual_in_its_row_and_by_its_way():
    usual = UsualFlow([1, 4], [[0, 0], [0.5, 0], [1, 0]], direction_weight=2)
    assert usual.speeds(flow(1))[0] == pytest.approx(np.array([[1, 1], [0.25 + 2 * 0.25] * 2]))
    # Three times as fast as is usual in the first row: 2 from the nearest usual velocity.
    assert usual.speeds(flow(3))[0, 0] == pytest.approx([3 + 2 * 2] * 2)
    # As fast as is usual, but the other way, or down: the nearest is standing still.
    assert usual.speeds(flow(-1))[0, 0] == pytest.approx([1 + 2 * 1] * 2)
    assert usual.speeds(flow(0, 1))[0, 0] == pytest.approx([1 + 2 * 1] * 2)
    assert fastest(usual.speeds(np.concatenate([flow(1), flow(-1)]))) == pytest.approx([1, 3])
    assert UsualFlow([1, 4], [[0, 0]], direction_weight=0).speeds(flow(-1))[0, 0] == pytest.approx([1, 1])


def test_where_two_pass_each_other_their_speed_counts():
    usual = UsualFlow([1, 1], [[0, 0]], direction_weight=2)
    passing = np.zeros((1, 2, 2, 3), dtype=np.float32)
    passing[..., 2] = 1.5
    assert usual.speeds(passing) == pytest.approx(1.5)


def test_the_highest_usual_speed_follows_the_rows_and_is_nowhere_nought():
    maps = np.zeros((50, 30, 40, 3), dtype=np.float32)
    maps[:, 10:20, :, 2] = 1
    maps[:, 20:, :, 2] = 3
    usual = UsualFlow.of([maps[:20], maps[20:]]).highest_speeds
    assert usual[14] == pytest.approx(1, abs=0.05)
    assert usual[-1] == pytest.approx(3)
    assert usual[0] == pytest.approx(0.3)  # a tenth of the highest: nothing at all moves there
    assert UsualFlow.of([np.zeros_like(maps)]).highest_speeds == pytest.approx(STILL)


def test_where_things_seldom_move_they_are_as_fast_as_elsewhere():
    maps = np.zeros((2000, 30, 40, 3), dtype=np.float32)
    maps[..., :10, 0, 2] = 1  # in a row far away something always moves
    maps[0, 10:, 0, 2] = 1  # near the camera in one frame of 2000
    assert UsualFlow.of([maps]).highest_speeds == pytest.approx(1)
    maps[::2000, :10, 0, 2] = 9  # what was once that fast is not usual
    assert UsualFlow.of([maps]).highest_speeds == pytest.approx(1)


def test_usual_velocities_are_those_that_occur_but_for_the_rarest():
    often, now_and_then, once = flow(1, frames=900), flow(-0.5, frames=100), flow(0, -0.7)
    usual = UsualFlow.of([often, now_and_then, once])
    assert usual.highest_speeds == pytest.approx(1)
    np.testing.assert_allclose(usual.velocities[0], [1, 0])  # those that occur most come first
    assert len(usual.velocities) == 2
    normal = usual.speeds(np.concatenate([often, now_and_then]))
    assert (normal <= 1 + usual.direction_weight * CELL).all()
    rare = usual.speeds(once)
    assert rare == pytest.approx(0.7 + usual.direction_weight * 0.8, abs=0.25)


def test_footage_in_which_nothing_moves_has_one_usual_velocity():
    usual = UsualFlow.of([np.zeros((10, 3, 4, 3), dtype=np.float32)])
    assert usual.velocities.tolist() == [[0, 0]]
    assert usual.speeds(flow(STILL, places=(3, 4))) == pytest.approx(1 + usual.direction_weight)
