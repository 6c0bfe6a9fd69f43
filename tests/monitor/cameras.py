"""A camera to watch: its model, budget and film."""

import numpy as np
from clips import SMALL, learn_statistics

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.models.decoupled import Decoupled
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import Budget, Tail, budget_file
from latentwatch.monitor.calibrate import file_sha256
from latentwatch.scoring.batch import score_clip
from latentwatch.video.source import open_video
from latentwatch.video.writer import VideoWriter


def make_camera(folder):
    """A model, its budget, and a film of 11 seconds in which half the picture flickers for 4."""
    import torch

    rng = np.random.default_rng(0)
    ground = rng.integers(60, 90, (64, 96, 3), dtype=np.uint8)
    film = folder / "door.mp4"
    with VideoWriter(film, 10) as writer:
        for index in range(110):
            picture = ground.copy()
            x = index * 8 // 11
            picture[20:36, x : x + 16] = 220
            if 35 <= index < 75:
                picture[:, :48] = 255 * (index % 2)
            writer.write(picture)
    torch.manual_seed(0)
    model = Decoupled(SMALL)
    small = [frame.rgb for frame in open_video(film, size=SMALL.size)]
    learn_statistics(model, torch.from_numpy(np.stack(small[:30])))
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    bundle = folder / "door.lw"
    save_bundle(bundle, model, BundleInfo(architecture=SMALL, fps=10, calibration=calibration))
    scores = score_clip(model, open_video(film, size=SMALL.size)).z_mse
    quiet, loud = float(np.nanmax(scores[:34])), float(np.median(scores[40:73]))
    assert loud > 1.2 * quiet
    # Exactly one alarm a day is allowed at the level between the two.
    tail = Tail(
        typical=float(np.nanmedian(scores[:34])),
        start=(quiet + loud) / 2,
        peaks=1,
        hours=24,
        shape=0,
        scale=1,
        highest=loud,
    )
    budget_file(bundle).write_text(
        Budget(
            model_sha256=file_sha256(bundle),
            engine="torch fp32",
            fps=10,
            rules=AlarmRules(window=0.5, quiet=1),
            ignore=[],
            tail=tail,
            per_day=1,
            threshold=tail.start,
            footage=["made by a test"],
        ).model_dump_json()
    )
    return folder
