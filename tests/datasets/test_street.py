import numpy as np
import pytest

from latentwatch.datasets.street.camera import Camera
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.datasets.street.script import KINDS, clip_actors


@pytest.fixture(scope="module")
def street():
    return street_dataset(train_clips=1, test_clips=7, frames=200)


def test_frames_are_the_same_every_time(street):
    first = [frame.rgb for frame, _ in zip(street.train[0].open(), range(5), strict=False)]
    again = [
        frame.rgb
        for frame, _ in zip(
            street_dataset(train_clips=1, test_clips=0, frames=200).train[0].open(), range(5), strict=False
        )
    ]
    np.testing.assert_array_equal(first, again)
    assert first[0].shape == (240, 360, 3)
    assert np.abs(first[0].astype(int) - first[4]).mean() > 1  # noise and movement


def test_every_kind_is_labelled_where_its_mask_is_and_only_in_the_middle(street):
    assert [clip.name.partition("-")[2] for clip in street.test] == list(KINDS)
    for clip in street.test:
        np.testing.assert_array_equal(clip.load_masks().any(axis=(1, 2)), clip.labels)
        assert clip.labels.any(), clip.name
        assert not clip.labels[:20].any(), clip.name
        assert not clip.labels[-3:].any(), clip.name


def test_mask_lies_on_the_van(street):
    clip = street.test[3]  # the car
    index = int(np.flatnonzero(clip.labels)[20])
    mask = clip.load_masks()[index]
    rows, columns = np.nonzero(mask)
    assert mask.sum() > 1500
    frame = next(frame for frame in clip.open() if frame.index == index)
    assert frame.rgb[mask].mean() > frame.rgb[rows.max() + 3 :, columns].mean()  # a white van on grey ground


def test_near_things_are_larger():
    camera = Camera((240, 360))
    assert camera.scale(9) > 1.3 * camera.scale(15)
    assert camera.project(0, 0, 9)[1] > camera.project(0, 0, 15)[1]
    x, z = camera.ground()
    column, row = camera.project(float(x[200, 100]), 0, float(z[200, 100]))
    assert (column, row) == pytest.approx((100.5, 200.5))


def test_runner_and_wheels_are_faster_than_anybody_who_walks():
    camera = Camera((240, 360))

    def speeds(kind):
        actors = clip_actors(camera, 20, kind, np.random.default_rng(3))
        return [abs(actor.place(10.1)[0] - actor.place(10)[0]) / 0.1 for actor in actors]

    walking = max(speeds(None))
    assert 0.9 < walking < 1.7
    for kind in ("runner", "cyclist", "skater", "car"):
        assert speeds(kind)[-1] > 1.3 * walking
    assert speeds("loiterer")[-1] == 0


def test_smaller_pictures_show_the_same_street():
    small = street_dataset(train_clips=1, test_clips=0, frames=2, size=(120, 180)).train[0]
    assert next(small.open()).rgb.shape == (120, 180, 3)
    assert next(small.open(size=(64, 96))).rgb.shape == (64, 96, 3)


def test_a_building_site_is_normal_and_the_anomalies_are_labelled_as_before():
    size = (96, 144)
    site = street_dataset(train_clips=1, test_clips=1, frames=60, size=size, site=True)
    before = street_dataset(train_clips=1, test_clips=0, frames=1, size=size)
    frames = np.stack([frame.rgb for frame in site.train[0].open()])
    empty = np.median(frames, axis=0)
    there = np.abs(empty - next(before.train[0].open()).rgb).max(axis=-1) > 60
    assert there[35:50].any()  # the boards, at the edge of the road
    moving = frames.std(axis=0).max(axis=-1) > 25
    assert moving[15:38].mean() > 0.02  # the arms, before the house
    assert site.test[0].labels.any()
    assert not site.test[0].load_masks()[:15].any()  # the runner comes later, and the diggers are not marked
