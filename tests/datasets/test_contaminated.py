import numpy as np
import pytest
from clips import moving_square

from latentwatch.datasets.contaminated import RUN, contaminated
from latentwatch.datasets.dataset import Clip, Dataset
from latentwatch.errors import LatentwatchError


@pytest.fixture
def dataset(tmp_path):
    labels = np.zeros(80, dtype=bool)
    labels[5:60] = True  # two runs of 24, with 7 frames to spare
    test = [
        Clip(name, moving_square(tmp_path / name, frames=80, speed=speed), 10, labels)
        for name, speed in (("01", 1), ("02", 2), ("03", 3), ("04", 4))
    ]
    train = [Clip("a", moving_square(tmp_path / "a", frames=96), 10)]
    return Dataset("made", train, test, "ped2")


def pictures(clip):
    with clip.open() as source:
        return [frame.rgb for frame in source]


def test_runs_are_anomalous_frames_of_the_donors_and_come_first(dataset):
    made = contaminated(dataset, 1 / 3, seed=0)
    assert made.frames == 2 * RUN  # a third of 96 + 48
    assert [clip.name for clip in made.dataset.train][2:] == ["a"]
    assert len(made.donors) == 2
    by_name = {clip.name: clip for clip in dataset.test}
    for clip in made.dataset.train[:2]:
        name, _, first, _, last = clip.name.split("-")
        assert name in made.donors
        assert by_name[name].labels[int(first) - 1 : int(last)].all()
        expected = pictures(by_name[name])[int(first) - 1 : int(last)]
        found = pictures(clip)
        assert len(found) == RUN
        assert all((one == other).all() for one, other in zip(found, expected, strict=True))
    assert made.dataset.test == dataset.test
    assert made.dataset.name == "made-33-anomalous"


def test_larger_shares_hold_the_smaller_ones_and_seeds_differ(dataset):
    def names(share, seed):
        made = contaminated(dataset, share, seed)
        return [clip.name for clip in made.dataset.train[:-1]], made.donors

    few, many = names(0.2, 0), names(0.5, 0)
    assert few[0] == many[0][:1]
    assert few[1] == many[1] == contaminated(dataset, 0, 0).donors
    assert contaminated(dataset, 0, 0).dataset.train == dataset.train
    assert len({tuple(names(0.5, seed)[0]) for seed in range(6)}) > 1


def test_too_large_a_share_is_refused(dataset):
    with pytest.raises(
        LatentwatchError, match=r"90% of anomalous frames are 864 in runs of 24, but .* hold 96"
    ):
        contaminated(dataset, 0.9, 0)
