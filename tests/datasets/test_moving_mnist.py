import gzip

import numpy as np
import pytest

from latentwatch.datasets.moving_mnist import Mover, digits_used, moving_mnist, reflect
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


def idx(folder, part, count, grey):
    """MNIST's two files of a part: digits 0 to 9 in turn, each all of one grey."""
    digits = (np.arange(count) % 10).astype(np.uint8)
    pictures = np.full((count, 28, 28), grey, dtype=np.uint8)
    for kind, header, values in (("images-idx3", 16, pictures), ("labels-idx1", 8, digits)):
        file = folder / f"{part}-{kind}-ubyte.gz"
        file.write_bytes(gzip.compress(bytes(header) + values.tobytes(), compresslevel=1))


def test_training_digits_are_used_where_they_are(tmp_path):
    idx(tmp_path, "t10k", 10_000, 100)
    assert "0 to 4,999 to train" in digits_used(tmp_path)
    idx(tmp_path, "train", 60_000, 200)
    assert "60,000" in digits_used(tmp_path)
    dataset = moving_mnist(tmp_path, train_clips=2, clips_each=1, frames=3)
    assert [next(clip.open()).rgb.max() for clip in (dataset.train[1], dataset.test[4])] == [200, 100]
    idx(tmp_path, "train", 10_000, 200)
    with pytest.raises(LatentwatchError, match="train files do not hold 60,000 digits"):
        moving_mnist(tmp_path)
