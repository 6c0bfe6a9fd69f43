import numpy as np

from latentwatch.scoring.localise import boxes_from_map


def test_no_box_reaches_out_of_what_is_kept():
    error = np.zeros((4, 4), dtype=np.float32)
    error[1:3, 1] = 9
    assert boxes_from_map(error, 1, (40, 40))[0].bottom > 30
    kept = np.ones((4, 4), dtype=bool)
    kept[2:] = False
    (box,) = boxes_from_map(error, 1, (40, 40), kept)
    assert box.bottom == 20
    assert boxes_from_map(error, 1, (40, 40), np.zeros((2, 3), dtype=bool)) == []


def test_boxes_surround_the_regions_strongest_first():
    error = np.zeros((10, 20), dtype=np.float32)
    error[2:4, 3:6] = 1
    error[7:9, 12:18] = 5
    first, second = boxes_from_map(error, 0.5, (10, 20))
    assert (first.left, first.top, first.right, first.bottom, first.score) == (12, 7, 18, 9, 5)
    assert (second.left, second.top, second.right, second.bottom, second.score) == (3, 2, 6, 4, 1)


def test_boxes_are_in_pixels_of_the_frame():
    error = np.zeros((8, 12), dtype=np.float32)
    error[4, 6] = 1
    (box,) = boxes_from_map(error, 0.25, (128, 192))
    assert box.left <= 6.5 * 16 <= box.right
    assert box.top <= 4.5 * 16 <= box.bottom


def test_quiet_map_has_no_boxes():
    assert boxes_from_map(np.zeros((4, 4), dtype=np.float32), 0, (16, 16)) == []
