"""Good and spoiled pictures of the street, and of Ped2 where it is there."""

from itertools import islice

import numpy as np
import pytest

from latentwatch.datasets.registry import open_dataset
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.errors import LatentwatchError
from latentwatch.experiments.health import ALTERATIONS
from latentwatch.monitor.health import BEGINS_AFTER, ENDS_AFTER, HealthMonitor, problems_of
from latentwatch.monitor.health_reference import learn_health, load_health, save_health
from latentwatch.monitor.picture_measures import measure, small_grey
from latentwatch.video.frame import Frame


def some(clip, count, step=1):
    with clip.open() as source:
        return list(islice(source, 0, count * step, step))


@pytest.fixture(scope="module")
def street():
    """A reference of the street, and frames of another clip, five a second."""
    dataset = street_dataset(train_clips=1, test_clips=1, frames=80)
    return learn_health(some(dataset.train[0], 40, 2)), [frame.rgb for frame in some(dataset.test[0], 40, 2)]


def watch(monitor, pictures, start=0.0):
    """Shows five pictures a second; gives what begins and ends: (problem, begins, seconds from start)."""
    events = []
    for index, rgb in enumerate(pictures):
        events += monitor.update(Frame(index, start + index / 5, rgb))
    return [(event.problem, event.begins, pytest.approx(event.time - start, abs=0.01)) for event in events]


def test_good_pictures_raise_nothing(street):
    reference, pictures = street
    monitor = HealthMonitor(reference)
    assert watch(monitor, pictures) == []
    assert monitor.usable
    assert not monitor.suspect


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda each: each.name)
def test_spoiled_pictures_are_reported_as_what_they_are(street, alteration):
    reference, pictures = street
    monitor = HealthMonitor(reference)
    watch(monitor, pictures[:5])
    shown = 2 * pictures[5:35] if alteration.problem == "frozen" else pictures[5:20]
    spoiled = [alteration.make(rgb, pictures[5], index) for index, rgb in enumerate(shown)]
    events = watch(monitor, spoiled, start=1.0)
    assert [(problem, begins) for problem, begins, _ in events] == [(alteration.problem, True)]
    assert monitor.problems == {alteration.problem}
    assert not monitor.usable


def test_a_problem_must_last_and_must_be_gone_for_long(street):
    reference, pictures = street
    monitor = HealthMonitor(reference)
    black = [np.zeros_like(pictures[0])]
    assert watch(monitor, pictures[:5] + 5 * black) == []  # a second of black
    assert monitor.suspect
    assert watch(monitor, pictures[:5], start=2.0) == []
    assert not monitor.suspect
    assert watch(monitor, 15 * black, start=3.0) == [("black", True, BEGINS_AFTER)]
    flicker = [*pictures[:20], *black, *pictures[:20]]
    assert watch(monitor, flicker, start=6.0) == []
    assert watch(monitor, pictures[20:], start=14.2) == [("black", False, ENDS_AFTER - 4.0)]
    assert monitor.usable


def test_reference_is_kept_in_a_file(street, tmp_path):
    reference, pictures = street
    path = tmp_path / "door.health"
    save_health(reference, path)
    loaded = load_health(path)
    assert loaded.limits == reference.limits
    assert problems_of(measure(small_grey(pictures[0]), None, loaded.usual), loaded) == set()
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(LatentwatchError, match="not a health reference, or damaged"):
        load_health(path)
    with pytest.raises(LatentwatchError, match=r"3 pictures, 16 are needed"):
        learn_health(Frame(i, i / 5, rgb) for i, rgb in enumerate(pictures[:3]))


def test_a_short_quiet_reference_takes_nobody_passing_for_a_moved_camera(shared_data):
    """Of 18 s of Ped2 the edges seem so constant that more people looked like another view."""
    dataset = open_dataset("ped2", shared_data / "ped2")
    reference = learn_health(some(dataset.train[4], 90, 2))
    moved = next(each for each in ALTERATIONS if each.name == "moved by 5% of the width")
    for clip in (dataset.train[0], dataset.train[12], dataset.test[3]):
        monitor = HealthMonitor(reference)
        pictures = [frame.rgb for frame in some(clip, 60, 2)]
        assert watch(monitor, pictures) == []
        spoiled = [moved.make(rgb, rgb, 0) for rgb in pictures[:20]]
        assert [problem for problem, _, _ in watch(monitor, spoiled, start=len(pictures) / 5)] == ["moved"]


def test_ped2_raises_nothing(shared_data):
    dataset = open_dataset("ped2", shared_data / "ped2")
    reference = learn_health(frame for clip in dataset.train[::4] for frame in some(clip, 30, 4))
    for clip in (dataset.test[0], dataset.test[6]):
        monitor = HealthMonitor(reference, interval=0)
        assert watch(monitor, [frame.rgb for frame in some(clip, 30, 4)]) == []
        assert not monitor.suspect
