import numpy as np
import pytest
from clips import moving_square
from scipy.io import savemat

from latentwatch.datasets.registry import open_dataset
from latentwatch.datasets.shanghaitech import shanghaitech
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.writer import VideoWriter


def film(path, frames=4):
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, 25) as writer:
        for _ in range(frames):
            writer.write(np.zeros((16, 24, 3), np.uint8))


@pytest.fixture
def avenue_folder(tmp_path):
    for name in ("training_videos/01.avi", "training_videos/02.avi", "testing_videos/01.avi"):
        film(tmp_path / name)
    labels = tmp_path / "ground_truth_demo" / "testing_label_mask"
    labels.mkdir(parents=True)
    cells = np.empty((1, 4), dtype=object)
    for index in range(4):
        cells[0, index] = np.full((16, 24), index == 2, dtype=np.uint8)
    savemat(labels / "1_label.mat", {"volLabel": cells})
    return tmp_path


def test_avenue(avenue_folder):
    avenue = open_dataset("avenue", avenue_folder)
    assert [clip.name for clip in avenue.train] == ["01", "02"]
    (clip,) = avenue.test
    assert clip.labels.tolist() == [False, False, True, False]
    assert clip.load_masks().shape == (4, 16, 24)
    assert len(list(clip.open())) == 4


def test_avenue_with_a_damaged_label_file(avenue_folder):
    (avenue_folder / "ground_truth_demo" / "testing_label_mask" / "1_label.mat").write_text("nothing")
    with pytest.raises(LatentwatchError, match=r"1_label\.mat: not an Avenue label file"):
        open_dataset("avenue", avenue_folder)


def test_shanghaitech_all_and_one_camera(tmp_path):
    film(tmp_path / "training" / "videos" / "01_001.avi")
    film(tmp_path / "training" / "videos" / "02_001.avi")
    masks = tmp_path / "testing" / "test_frame_mask"
    masks.mkdir(parents=True)
    for name in ("01_0014", "02_0128"):
        moving_square(tmp_path / "testing" / "frames" / name, frames=3)
        np.save(masks / f"{name}.npy", np.array([0, 1, 1], dtype=np.int8))
    whole = open_dataset("shanghaitech", tmp_path)
    assert [clip.name for clip in whole.test] == ["01_0014", "02_0128"]
    assert whole.test[0].labels.tolist() == [False, True, True]
    one = open_dataset("shanghaitech:02", tmp_path)
    assert [clip.name for clip in one.train] == ["02_001"]
    assert [clip.name for clip in one.test] == ["02_0128"]
    with pytest.raises(UsageError, match="no test clips of camera 09"):
        shanghaitech(tmp_path, "09")
    (masks / "01_0014.npy").write_bytes(b"")
    with pytest.raises(LatentwatchError, match=r"01_0014\.npy: not a readable label file"):
        open_dataset("shanghaitech", tmp_path)


@pytest.mark.parametrize("name", ["avenue", "shanghaitech"])
def test_absent_sets_say_where_to_get_them(tmp_path, name):
    with pytest.raises(UsageError, match="Available from"):
        open_dataset(name, tmp_path)
