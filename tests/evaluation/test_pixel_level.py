import numpy as np
import pytest

from latentwatch.errors import LatentwatchError
from latentwatch.evaluation.pixel_level import ClipRegions, overlap, pixel_level, regions_and_tracks
from latentwatch.scoring.localise import Box


def box(left, score=1.0, size=10, top=0):
    return Box(left, top, left + size, top + size, score)


def test_overlap_by_hand():
    assert overlap(box(0), box(0)) == 1
    assert overlap(box(0), box(5)) == pytest.approx(50 / 150)
    assert overlap(box(0), box(10)) == 0


def test_tracks_follow_overlapping_regions():
    masks = np.zeros((3, 20, 40), dtype=bool)
    for frame in range(3):
        masks[frame, 2:8, 2 + frame : 8 + frame] = True  # one thing drifts right through all frames
    masks[1:, 12:18, 30:36] = True  # another comes in the second frame
    tracked = regions_and_tracks(masks)
    assert [[track for track, _ in frame] for frame in tracked] == [[0], [0, 1], [0, 1]]
    assert tracked[2][0][1] == Box(4, 2, 10, 8, 1.0)


def test_perfect_and_useless():
    region = [[(0, box(0))]] * 4
    assert pixel_level([ClipRegions([[box(0)]] * 4, region)]).rbdc == 100
    nothing = pixel_level([ClipRegions([[]] * 4, region)])
    assert (nothing.rbdc, nothing.tbdc) == (0, 0)


def test_curve_by_hand():
    # Two frames, a region in each, one track. False positives score 9 and 3; true ones 8 and 2.
    # Up to the first false positive nothing is found, from there to the second one region of two:
    # RBDC = (0 + 1/2) / 2. The track needs one region (a tenth of two, rounded up): TBDC = (0 + 1) / 2.
    clip = ClipRegions([[box(0, 8), box(50, 9)], [box(0, 2), box(50, 3)]], [[(0, box(0))], [(0, box(0))]])
    result = pixel_level([clip])
    assert result.rbdc == pytest.approx(25)
    assert result.tbdc == pytest.approx(50)
    assert (result.regions, result.tracks, result.frames) == (2, 1, 2)


def test_few_false_positives_leave_the_rest_of_the_curve_flat():
    clip = ClipRegions([[box(0, 8), box(50, 9)], [box(0, 2)]], [[(0, box(0))], [(0, box(0))]])
    assert pixel_level([clip]).rbdc == pytest.approx(50)  # (0 + 1) / 2


def test_small_overlap_is_a_false_positive():
    clip = ClipRegions([[box(9, 5)]], [[(0, box(0))]])  # IoU 10/190
    assert pixel_level([clip]).rbdc == 0


def test_nothing_labelled():
    with pytest.raises(LatentwatchError, match="no region is labelled"):
        pixel_level([ClipRegions([[]], [[]])])
