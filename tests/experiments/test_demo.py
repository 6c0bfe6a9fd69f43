"""The demonstration, end to end, on a short and small street."""

import base64
import re

import pytest

from latentwatch.api import open_video
from latentwatch.datasets.street.dataset import street_dataset
from latentwatch.experiments.demo import run_demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    street = street_dataset(train_clips=2, test_clips=2, frames=40, size=(96, 144))
    return run_demo(street, folder, epochs=2, say=lambda _: None)


def test_video_has_every_test_frame(demo):
    frames = list(open_video(demo.video))
    assert len(frames) == 80
    assert frames[0].rgb.shape[0] >= 480


def test_report_is_one_file_with_the_figures_and_the_pictures(demo):
    page = demo.report.read_text()
    assert f"<strong>{demo.auc:.1f}%</strong>" in page
    pictures = re.findall(r'<img src="data:image/(\w+);base64,([^"]+)"', page)
    starts = {"jpeg": b"\xff\xd8", "png": b"\x89PNG"}
    assert [kind for kind, _ in pictures] == ["jpeg", "png", "png"]
    for kind, data in pictures:
        assert base64.b64decode(data).startswith(starts[kind])
    assert 'src="http' not in page
    assert f'<video src="{demo.video.name}"' in page
