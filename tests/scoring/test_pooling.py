import numpy as np

from latentwatch.scoring.pooling import peak


def test_peak_is_the_highest_mean_over_three_by_three_places():
    maps = np.zeros((3, 6, 8), dtype=np.float32)
    maps[0, 2:5, 3:6] = 9  # a full square
    maps[1, 2, 3] = 9  # one place of nine
    maps[2] = np.nan
    np.testing.assert_allclose(peak(maps), [9, 1, np.nan])


def test_peak_does_not_grow_with_the_number_of_things():
    maps = np.zeros((2, 6, 8), dtype=np.float32)
    maps[0, 1, 1] = maps[1, 1, 1] = maps[1, 4, 6] = 9
    one, two = peak(maps)
    assert one == two


def test_peak_of_no_maps_is_empty():
    assert peak(np.empty((0, 6, 8), dtype=np.float32)).shape == (0,)
