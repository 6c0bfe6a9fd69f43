import json
import weakref

import numpy as np
from clips import moving_square

from latentwatch.datasets.folder import clips_in
from latentwatch.evaluation.score_files import score_to_files
from latentwatch.scoring.detector import Result
from latentwatch.scoring.localise import Box


class Watched:
    """A detector that knows which of the maps that it gave are still in memory; scores from frame 3 on."""

    threshold, fusion, predicts = 20.0, None, True

    def __init__(self):
        self.maps = weakref.WeakValueDictionary()
        self.most = 0

    def reset(self):
        self.maps.clear()

    def step(self, frame):
        self.most = max(self.most, len(self.maps))
        if frame.index < 3:
            return None
        made = [np.full((4, 6), frame.index, np.float32) for _ in range(3)]
        self.maps.update({(frame.index, number): each for number, each in enumerate(made)})
        score = float(frame.index)
        boxes = [Box(1, 2, 3, 4, score)] if score > 27 else []
        return Result(frame.index, frame.time, score, score > self.threshold, boxes, *made)


def test_a_long_clip_fills_no_memory_with_maps(tmp_path):
    (clip,) = clips_in(moving_square(tmp_path / "a", frames=30))
    detector = Watched()
    summary = score_to_files(detector, clip, tmp_path / "out", video=True)
    assert detector.most <= 3  # those of the frame before
    assert (summary.frames, summary.scored, summary.unusual, summary.peak_time) == (30, 27, 9, 2.9)
    frames = json.loads((tmp_path / "out" / "a.json").read_text())["frames"]
    assert frames[2] == {"frame": 2, "seconds": 0.2, "z_mse": None, "unusual": None, "boxes": []}
    box = {"left": 1, "top": 2, "right": 3, "bottom": 4, "score": 28.0}
    assert frames[28] == {"frame": 28, "seconds": 2.8, "z_mse": 28.0, "unusual": True, "boxes": [box]}
    lines = (tmp_path / "out" / "a.csv").read_text().splitlines()
    assert [lines[3], lines[29]] == ["2,0.200,,", "28,2.800,28,1"]
