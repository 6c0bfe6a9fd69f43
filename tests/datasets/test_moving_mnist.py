import numpy as np
import pytest

from latentwatch.datasets.moving_mnist import Mover, moving_mnist, reflect
from latentwatch.datasets.registry import open_dataset
from latentwatch.errors import LatentwatchError, UsageError


def test_turns_back_at_both_ends():
    assert [reflect(position, 4) for position in range(-2, 11)] == [2, 1, 0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2]


def test_moves_along_one_axis_at_its_speed():
    picture = np.full((28, 28), 255, dtype=np.uint8)
    mover = Mover(picture, (5, 30), (0, 4))
    corners = [np.argwhere(mover.frame(index)[:, :, 0]).min(axis=0).tolist() for index in range(4)]
    assert corners == [[5, 30], [5, 34], [5, 34], [5, 30]]  # 36 is the last place: 38 turns back to 34


def test_real_digits(shared_data):
    dataset = moving_mnist(shared_data, train_clips=4, clips_each=1, frames=20)
    assert [clip.name[0] for clip in dataset.train] == ["4", "7", "4", "7"]
    assert len(dataset.test) == 24
    normal = {clip.name for clip in dataset.test if not clip.labels.any()}
    assert normal == {"4-speed2-1", "7-speed2-1"}
    assert all(clip.labels.all() for clip in dataset.test if clip.name not in normal)
    for clip in dataset.test:
        frames = [frame.rgb for frame in clip.open()]
        places = np.array([np.argwhere(rgb[:, :, 0] > 60).mean(axis=0) for rgb in frames])
        steps = np.abs(np.diff(places, axis=0)).sum(axis=1)
        assert np.median(steps) == pytest.approx(4 if "speed4" in clip.name else 2, abs=0.05)
    again = moving_mnist(shared_data, train_clips=4, clips_each=1, frames=20)
    np.testing.assert_array_equal(next(again.test[9].open()).rgb, next(dataset.test[9].open()).rgb)


def test_missing_and_damaged_digits(tmp_path):
    with pytest.raises(UsageError, match="no MNIST there"):
        open_dataset("moving-mnist", tmp_path)
    for name in ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"):
        (tmp_path / name).write_bytes(b"no archive")
    with pytest.raises(LatentwatchError, match="damaged"):
        open_dataset("moving-mnist", tmp_path)
