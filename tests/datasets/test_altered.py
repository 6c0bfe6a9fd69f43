import numpy as np
import pytest
from PIL import Image

from latentwatch.datasets.altered import FADE, altered, cut_out
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError


@pytest.fixture(scope="module")
def footage(tmp_path_factory):
    """A bright square, 12 pixels wide, that goes one pixel a frame to the right on a flat ground."""
    folder = tmp_path_factory.mktemp("footage") / "01"
    folder.mkdir()
    for index in range(90):
        picture = np.full((120, 160, 3), 80, dtype=np.uint8)
        picture[50:62, 10 + index : 22 + index] = 200
        Image.fromarray(picture).save(folder / f"{index:03}.png")
    return folder


@pytest.fixture(scope="module")
def made(footage):
    return altered(clips_in(footage), copies=6)


def frames_of(clip):
    with clip.open() as source:
        return np.stack([frame.rgb for frame in source])


def test_a_moving_object_is_cut_out_whole(footage):
    (cutout,) = cut_out(frames_of(clips_in(footage)[0]))
    assert len(cutout.corners) == 90
    assert cutout.travel == pytest.approx(1, abs=0.05)
    solid = cutout.opacities[40] > 0.99
    assert 144 <= solid.sum() < 300  # the square and a rim of its surroundings
    assert (cutout.pictures[40][solid] == 200).sum() == 3 * 144


def test_nothing_that_moves_is_said(tmp_path):
    (tmp_path / "still").mkdir()
    for index in range(50):
        Image.new("RGB", (64, 48), (90, 90, 90)).save(tmp_path / "still" / f"{index:02}.png")
    with pytest.raises(LatentwatchError, match="nothing moves apart from the rest for 40 frames in still"):
        altered(clips_in(tmp_path / "still"))


def test_each_copy_is_labelled_where_its_mask_is_and_its_anomalies_follow_one_another(made):
    assert [clip.name.split("-")[1] for clip in made.test] == ["fast", "large", "across"] * 2
    spans = [(30, 60), (0, 60), (30, 90), (0, 90), (30, 60), (0, 60)]
    for clip, (first, last) in zip(made.test, spans, strict=True):
        np.testing.assert_array_equal(clip.labels, clip.load_masks().any(axis=(1, 2)))
        where = np.flatnonzero(clip.labels)
        assert first <= where[0] <= first + FADE / 2
        assert last - 2.5 * FADE <= where[-1] < last  # not even a short one would end in time
        np.testing.assert_array_equal(np.diff(where), 1)


def middle(mask):
    rows, columns = np.nonzero(mask)
    return np.array([rows.mean(), columns.mean()])


@pytest.mark.parametrize(("kind", "expected"), [("fast", (0, 3)), ("large", (0, 1)), ("across", (1.5, 0))])
def test_the_altered_object_moves_as_its_kind_says(made, kind, expected):
    clip = next(clip for clip in made.test if f"-{kind}-" in clip.name)
    masks = clip.load_masks()
    speed = np.abs(middle(masks[48]) - middle(masks[40])) / 8
    np.testing.assert_allclose(speed, expected, atol=0.2)


def test_a_large_object_has_four_times_the_area(made):
    areas = {}
    for clip in made.test:
        areas.setdefault(clip.name.split("-")[1], clip.load_masks()[45].sum())
    assert areas["large"] == pytest.approx(4 * areas["fast"], rel=0.15)


def test_the_object_is_really_in_the_picture_and_the_clip_is_the_same_each_time(made, footage):
    original = frames_of(clips_in(footage)[0])
    clip = made.test[1]
    frames, mask = frames_of(clip), clip.load_masks()[45]
    changed = np.abs(frames[45].astype(int) - original[45]).max(axis=-1) > 40
    assert (changed & mask).sum() > 0.5 * mask.sum()
    np.testing.assert_array_equal(frames, frames_of(clip))
