import json
from pathlib import Path

import numpy as np
import pytest
from clips import moving_square
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latentwatch.datasets.dataset import labels_from_spans, read_label_file
from latentwatch.datasets.folder import clips_in
from latentwatch.datasets.registry import open_dataset
from latentwatch.datasets.ucsd import official_spans
from latentwatch.errors import LatentwatchError, UsageError


def test_real_ped2(shared_data):
    ped2 = open_dataset("ped2", shared_data)
    assert (len(ped2.train), len(ped2.test)) == (16, 12)
    assert sum(len(clip.labels) for clip in ped2.test) == 2010
    assert sum(clip.open().frame_count for clip in ped2.train) == 2550
    for clip in ped2.test[:2]:
        masks = clip.load_masks()
        assert masks.shape[1:] == (240, 360)
        np.testing.assert_array_equal(masks.any(axis=(1, 2)), clip.labels)


def test_official_layout(tmp_path):
    root = tmp_path / "UCSDped2"
    for name in ("Train/Train001", "Train/Train002", "Test/Test001", "Test/Test002"):
        (root / name).mkdir(parents=True)
        for number in range(1, 7):
            Image.new("L", (36, 24), number).save(root / name / f"{number:03}.tif")
    gt = root / "Test" / "Test001_gt"
    gt.mkdir()
    for number in range(1, 7):
        Image.new("L", (36, 24), 255 if number in (2, 3, 6) else 0).save(gt / f"{number:03}.bmp")
    (root / "Test" / "UCSDped2.m").write_text(
        "TestVideoFile = {};\n"
        "TestVideoFile{end+1}.gt_frame = [2:3, 6:6];\nTestVideoFile{end+1}.gt_frame = [1:6];\n"
    )
    ped2 = open_dataset("ped2", tmp_path)
    assert [clip.name for clip in ped2.train] == ["Train001", "Train002"]
    assert ped2.test[0].labels.tolist() == [False, True, True, False, False, True]
    np.testing.assert_array_equal(ped2.test[0].load_masks().any(axis=(1, 2)), ped2.test[0].labels)
    assert ped2.test[1].load_masks is None
    assert next(ped2.test[0].open()).rgb[0, 0].tolist() == [1, 1, 1]


def test_missing_sets_are_asked_for(tmp_path):
    with pytest.raises(UsageError, match="Anomaly Detection Dataset"):
        open_dataset("ped1", tmp_path)
    with pytest.raises(UsageError, match="no such data set"):
        open_dataset("ped3", tmp_path)


def test_official_spans_take_unions():
    assert official_spans("a{end+1}.gt_frame = [5:90, 140:200];\n b.gt_frame=[61:180];") == [
        [(5, 90), (140, 200)],
        [(61, 180)],
    ]


@given(st.integers(1, 60), st.data())
def test_spans_label_exactly_their_frames(count, data):
    ends = st.integers(1, count)
    spans = data.draw(st.lists(st.tuples(ends, ends).map(sorted)))
    labels = labels_from_spans(count, spans, "here")
    for frame in range(1, count + 1):
        assert labels[frame - 1] == any(first <= frame <= last for first, last in spans)


@pytest.mark.parametrize("span", [[0, 3], [3, 2], [3, 9], [1]])
def test_spans_outside_the_clip_are_refused(span):
    with pytest.raises(LatentwatchError, match="does not lie within frames 1 to 8"):
        labels_from_spans(8, [span], "here")


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"a": {"frames": 3}}'])
def test_label_files_of_another_form(tmp_path, text):
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(LatentwatchError, match="not a label file"):
        read_label_file(tmp_path / "labels.json")


def test_labels_that_do_not_fit_the_frames(tmp_path):
    for part in ("training", "testing"):
        moving_square(tmp_path / part / "frames" / "01", frames=3)
    (tmp_path / "testing" / "labels.json").write_text(json.dumps({"01": {"frames": 4, "anomalous": []}}))
    with pytest.raises(LatentwatchError, match="frames there: 3"):
        open_dataset("ped2", tmp_path)


def test_footage_in_folders(tmp_path, monkeypatch):
    for name in ("day10", "day2", "deep/er"):
        moving_square(tmp_path / name, frames=2)
    (tmp_path / "night.mp4").touch()
    (tmp_path / "notes.txt").touch()
    assert [clip.name for clip in clips_in(tmp_path)] == ["day2", "day10", "deep/er", "night"]
    assert [clip.name for clip in clips_in(tmp_path / "day2")] == ["day2"]
    with pytest.raises(UsageError, match="no such file"):
        clips_in(tmp_path / "none")
    monkeypatch.chdir(tmp_path / "day2")
    assert [clip.name for clip in clips_in(Path())] == ["day2"]


def test_an_image_beside_clips_hides_none_of_them(tmp_path, caplog):
    moving_square(tmp_path / "week" / "2", frames=3)
    for name in ("monday.mp4", "thumb.png", "week/1.png", "week/3.png"):
        (tmp_path / name).touch()
    (tmp_path / "week" / "2" / "empty").mkdir()
    assert [clip.name for clip in clips_in(tmp_path)] == ["monday", "week/2"]
    why = "holds videos or folders of images; its own images are left out:"
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path / 'week'}: {why} 1.png and 1 more",
        f"{tmp_path}: {why} thumb.png",
    ]


def test_clips_of_a_folder_have_different_names(tmp_path):
    moving_square(tmp_path / "a", frames=2)
    for name in ("a.mp4", "b.mkv", "b.mp4", "b.mp4.avi", "c.mp4"):
        (tmp_path / name).touch()
    assert [clip.name for clip in clips_in(tmp_path)] == ["a", "a.mp4", "b.mkv", "b.mp4", "b.mp4.avi", "c"]


def test_own_footage_with_labels(tmp_path):
    moving_square(tmp_path / "train" / "a", frames=2)
    with pytest.raises(UsageError, match="has no folder 'test'"):
        open_dataset("folder", tmp_path)
    moving_square(tmp_path / "test" / "b", frames=3)
    assert open_dataset("folder", tmp_path).test[0].labels is None
    (tmp_path / "labels.json").write_text('{"b": {"frames": 3, "anomalous": [[2, 3]]}}')
    own = open_dataset("folder", tmp_path)
    assert own.test[0].labels.tolist() == [False, True, True]
    moving_square(tmp_path / "test" / "c", frames=3)
    with pytest.raises(LatentwatchError, match="has no labels for c"):
        open_dataset("folder", tmp_path)
