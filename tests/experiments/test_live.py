"""The experiment's own parts, and the whole of it once on a small camera with real servers."""

import io
import time

import numpy as np
import pytest
from clips import SMALL, learn_statistics
from missing import skip_or_fail
from PIL import Image
from plans import plan

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.errors import LatentwatchError, MissingPackageError
from latentwatch.experiments.live import accuracy, page
from latentwatch.experiments.live.checks import (
    kept_events,
    lost,
    missing,
    orphans,
    playable,
    waiting_messages,
)
from latentwatch.experiments.live.disturbances import restart_server
from latentwatch.experiments.live.footage import FPS, Film, encode, write_mp4
from latentwatch.experiments.live.listener import Told
from latentwatch.experiments.live.match import latencies_ms, pictures
from latentwatch.experiments.live.measured import Accuracy, Fault, Faults, Load, Shown, load, save
from latentwatch.experiments.live.rtsp_script import read_units, write_units
from latentwatch.experiments.live.servers import wait_for
from latentwatch.experiments.live.stand import Push, Sample, Stand, growth
from latentwatch.models.decoupled import Decoupled
from latentwatch.monitor.alarm import AlarmRules
from latentwatch.monitor.budget import Budget, Tail, budget_file
from latentwatch.monitor.calibrate import file_sha256
from latentwatch.scoring.batch import score_clip
from latentwatch.video.source import open_video


def film(units, labels=None):
    count = len(units)
    anomalous = np.zeros(count, dtype=bool) if labels is None else np.array(labels)
    return Film(units, ["test 01"] * count, np.arange(count), anomalous)


def scene(count=80, flicker=range(40, 70)):
    """A square that crosses a textured ground, and half of the picture that flickers for a while."""
    rng = np.random.default_rng(0)
    ground = rng.integers(60, 90, (64, 96, 3), dtype=np.uint8)
    for index in range(count):
        picture = ground.copy()
        x = index * 8 // 11
        picture[20:36, x : x + 16] = 220
        if index in flicker:
            picture[:, :48] = 255 * (index % 2)
        yield picture


def test_films_keep_their_pauses_and_labels(tmp_path):
    units = [b"", *encode(scene(4)), b""]
    assert read_units(write_units(tmp_path / "film", units)) == units
    assert units[1].startswith(b"\0\0\0\1")
    assert film(units, [False, True, True, False, False, True]).spans() == [(1, 3), (5, 6)]
    assert list(pictures(film(units))) == [1, 2, 3, 4]
    assert len(list(open_video(write_mp4(units[1:-1], tmp_path / "film.mp4", (64, 96))))) == 4


def test_the_snapshot_tells_which_picture_began_an_alarm():
    shown = {"door": pictures(film(encode(scene(30, range(0)))))}
    jpeg = io.BytesIO()
    Image.fromarray(shown["door"][17]).save(jpeg, format="JPEG", quality=85)
    pushes = [Push("door", tick, 100 + tick / FPS) for tick in range(30)]
    body = {"id": "1", "camera": "door", "type": "new"}
    told = [Told(102.0, body, jpeg.getvalue()), Told(102.5, body | {"type": "end"}, None)]
    assert latencies_ms(told, pushes, shown) == pytest.approx([300])
    assert latencies_ms([Told(99.0, body, jpeg.getvalue())], pushes, shown) == []


def test_alarms_are_judged_by_overlap():
    labelled = film([b"x"] * 100, [20 <= tick < 40 or tick >= 90 for tick in range(100)])
    found = accuracy._judge({"door": labelled}, {"door": [(15, 21), (30, 35), (50, 60)]})
    assert found == {"events": 2, "found": 1, "false": 1, "false_in_test": 1, "delays_s": [0.0]}
    assert accuracy._normal_hours(labelled) * 3600 * FPS == 50  # 22 of warm-up, of which 20 are normal


def test_growth_compares_the_first_and_the_last_quarter():
    samples = [Sample(at, 100 + at, 10, 0.0) for at in range(40)]
    first, last = growth(samples)
    assert (first.memory_mib, last.memory_mib) == (104.5, 134.5)


def _fault(name, **changes):
    values = {"times": 20, "survived": 19, "announced": 30, "lost": 1, "recovered_s": [2.0, 8.0]}
    return Fault(name=name, **values | changes)


def test_the_page_is_of_all_parts_that_are_there(tmp_path):
    shown = {"camera-0": Shown(seconds=9, clips=[(0, "test 01")], spans=[(2, 5)], alarms=[(3, 4), (7, 8)])}
    parts = [
        Accuracy(
            quick=False, cameras=1, per_day=48, events=2, found=1, false=1, false_in_test=0, normal_hours=0.5,
            normal_hours_in_test=0.1, latencies_ms=[100, 300], delays_s=[1.0], ended=2, playable=2, lost=0,
            taken=90, dropped=0, shown=shown,
        ),
        Faults(quick=False, faults=[_fault("kill -9"), _fault("server killed and restarted")]),
        Load(
            quick=True, cameras=8, minutes=1, sent=4800, taken=4700, dropped=100, announced=5, lost=0,
            latencies_ms=[200], cores=1.5, other_cores=0.2, memory_mib=(500, 501), threads=(40, 40),
        ),
    ]  # fmt: skip
    for part in parts:
        save(part, tmp_path)
    again = [load(kind, tmp_path) for kind in (Accuracy, Faults, Load)]
    assert again == parts
    wanted = plan(tmp_path, name="live")
    written = page.write_live(wanted, *again, "openvino fp32", "fused")
    text = written.read_text()
    for row in (
        "faults | fused | announced_events_lost | 2.0", "kills_survived | 19.0", "restarts_survived | 19.0",
        "events_found_share | 0.5", "false_alarms_per_hour | 2.0", "latency_ms_p50 | 200.0", "quick |",
        "| kill -9 | 19 of 20 | 30 | 1 | 5.0, 8.0 | 0, 0, 0 |  |",
    ):  # fmt: skip
        assert row in text
    assert (wanted.results / "live-events.png").is_file()
    assert (
        "load"
        not in page.write_live(wanted, parts[0], None, None, "torch", "z_mse")
        .read_text()
        .split("Settings")[1]
    )
    (tmp_path / "load.json").write_text("{")
    with pytest.raises(LatentwatchError, match=r"load\.json: damaged"):
        load(Load, tmp_path)


@pytest.fixture
def model(tmp_path):
    """A calibrated model of the scene, whose alarms begin between what is quiet and what flickers."""
    import torch

    path = tmp_path / "door.lw"
    units = encode(scene())
    recording = write_mp4(units, tmp_path / "door.mp4", (64, 96))
    seen = [frame.rgb for frame in open_video(recording, size=SMALL.size)]
    torch.manual_seed(0)
    network = Decoupled(SMALL)
    learn_statistics(network, torch.from_numpy(np.stack(seen[:30])))
    calibration = Calibration(threshold=1, place_threshold=1, pixel_threshold=1, frames=1)
    save_bundle(path, network, BundleInfo(architecture=SMALL, fps=FPS, calibration=calibration))
    scores = score_clip(network, open_video(recording, size=SMALL.size)).z_mse
    quiet, loud = float(np.nanmax(scores[:38])), float(np.median(scores[45:68]))
    assert loud > 1.2 * quiet
    start = (quiet + loud) / 2
    tail = Tail(
        typical=float(np.nanmedian(scores[:38])), start=start, peaks=1, hours=24, shape=0, scale=1,
        highest=loud,
    )  # fmt: skip
    budget = Budget(
        model_sha256=file_sha256(path), engine="torch fp32", fps=FPS, ignore=[], tail=tail, per_day=1,
        rules=AlarmRules(window=0.5, quiet=0.5, cool_down=0.5), threshold=start, footage=["made by a test"],
    )  # fmt: skip
    budget_file(path).write_text(budget.model_dump_json())
    return path


def test_a_kill_and_a_server_that_goes_lose_nothing(model, tmp_path):
    try:
        stand = Stand(tmp_path / "stand", {"door": film([b""] * 15 + encode(scene()))}, model, 1.0)
    except MissingPackageError as error:
        skip_or_fail(str(error))
    with stand:
        stand.start()
        wait_for(lambda: stand.listener.announced(), 120, "an event")
        assert stand.kill()
        announced = stand.listener.announced()
        assert not lost(announced, stand.data)
        assert lost({*announced, "another"}, stand.data) == {"another"}
        stand.start()
        wait_for(lambda: len(stand.listener.announced()) > len(announced), 120, "an event after the kill")
        restart_server(stand)
        stand.wait_live(time.monotonic() - 0.5, 60)
        stand.stop()
        taken, dropped = stand.frames()
        assert 0 < taken + dropped <= len(stand.pushes())
        kept = kept_events(stand.data)
        assert {each.state for each in kept.values()} == {"cut", "done"}
        assert any(playable(each.clip) for each in kept.values())
        assert waiting_messages(stand.data) == 0
        assert orphans(stand.data) == missing(stand.data) == []
        (stand.data / "clips" / "door" / "left.jpg").write_bytes(b"x")
        next(each.snapshot for each in kept.values()).unlink()
        assert len(orphans(stand.data)) == len(missing(stand.data)) == 1
