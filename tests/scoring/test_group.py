import gc
import threading
import time

import numpy as np
import pytest
from clips import SMALL, moving_square, random_model

from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.engines.choose import open_engine
from latentwatch.errors import LatentwatchError
from latentwatch.scoring.detector import Detector
from latentwatch.scoring.group import DetectorGroup, open_group
from latentwatch.scoring.scheduler import JUMP, Scheduler
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource
from latentwatch.video.live import LiveReader, Playback
from latentwatch.video.source import open_video

CALIBRATION = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=1)


@pytest.fixture(scope="module")
def detector():
    return Detector(random_model(SMALL), CALIBRATION)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return list(open_video(moving_square(tmp_path_factory.mktemp("group") / "clip", frames=60)))


@pytest.mark.parametrize("engine", ["torch", "openvino"])
def test_a_group_gives_the_results_of_single_detectors(clip, engine):
    model, other = random_model(SMALL), random_model(SMALL.model_copy(update={"base_width": 6}))
    first = Detector(model, CALIBRATION, engine=open_engine(model, engine, bf16=False))
    second = Detector(other, CALIBRATION)
    singles = {"a": first.twin(), "b": first.twin(), "c": second.twin(), "d": first.twin()}
    group = DetectorGroup({camera: single.twin() for camera, single in singles.items()})
    starts = {"a": 0, "b": 3, "c": 1, "d": 30}  # ages and pictures differ, and d sits out every third time
    scored = 0
    for index in range(26):
        frames = {
            camera: clip[index + start]
            for camera, start in starts.items()
            if index >= start % 10 and not (camera == "d" and index % 3 == 0)
        }
        together = group.step_many(frames)
        assert list(together) == sorted(frames, key=lambda camera: (camera == "c", camera))
        for camera, frame in frames.items():
            alone, result = singles[camera].step(frame), together[camera]
            assert (alone is None) == (result is None)
            if alone is not None:
                scored += 1
                assert result.score == pytest.approx(alone.score, rel=1e-4)
                np.testing.assert_allclose(result.error_map, alone.error_map, rtol=1e-3, atol=1e-6)
                assert (result.index, result.boxes) == (alone.index, alone.boxes)
    assert scored > 40


def test_reset_of_one_camera_leaves_the_others(detector, clip):
    group = DetectorGroup({"a": detector.twin(), "b": detector.twin()})
    for frame in clip[: SMALL.span]:
        group.step_many({"a": frame, "b": frame})
    group.reset("a")
    results = group.step_many({"a": clip[20], "b": clip[20]})
    assert results["a"] is None
    assert results["b"] is not None


def test_a_batch_keeps_nothing_of_the_others(detector, clip):
    group = DetectorGroup({camera: detector.twin() for camera in "abcd"})
    for frame in clip[:20]:
        group.step_many(dict.fromkeys("abcd", frame))
    for each in group._detectors.values():
        assert all(kept.base is None for kept in (*each._ahead, *each.motion._past))


def test_boxes_from_pixels_are_refused():
    with pytest.raises(ValueError, match="door: boxes from pixels"):
        DetectorGroup({"door": Detector(random_model(SMALL), CALIBRATION, pixel_boxes=True)})


def played(clip, fps, before=lambda _: None, count=10**6):
    """A camera that shows `clip` over and over."""

    def make():
        for index in range(count):
            before(index)
            yield Frame(index, index / fps, clip[index % len(clip)].rgb)

    return LiveReader(lambda: GeneratedSource("made", make, fps=fps, frame_count=count), playback=Playback())


def watched(detector, readers, **settings):
    group = DetectorGroup({camera: detector.twin() for camera in readers})
    return Scheduler(group, readers, **settings)


def test_all_frames_of_cameras_that_can_be_kept_up_with_are_scored(detector, clip):
    readers = {camera: played(clip, 20, count=25) for camera in "abc"}
    scheduler = watched(detector, readers)
    seen = {camera: [] for camera in readers}
    lost = 0
    for batch in scheduler.batches():
        assert len({scored.camera for scored in batch}) == len(batch)
        for scored in batch:
            seen[scored.camera].append(scored)
            lost += scored.lost
    alone = detector.twin()
    expected = [alone.step(frame) for frame in clip[:25]]
    for camera, results in seen.items():
        counts = scheduler.statistics()[camera].counts
        assert counts.decoded == 25 == len(results) + counts.dropped
        if not lost:  # on a machine busy with other things, some may be
            assert [each.frame.index for each in results] == list(range(25))
            for each, result in zip(results, expected, strict=True):
                assert (each.result is None) == (result is None)
                assert result is None or each.result.score == pytest.approx(result.score, rel=1e-4)
        assert 0 < scheduler.statistics()[camera].median <= scheduler.statistics()[camera].p99
        assert max(each.latency for each in results) >= scheduler.statistics()[camera].p99


class Slow(Detector):
    """A detector on a machine that is too slow."""

    def prepare(self, frame):
        time.sleep(0.02)
        return super().prepare(frame)


def test_overload_drops_frames_and_starves_no_camera(clip):
    slow = Slow(random_model(SMALL), CALIBRATION)
    readers = {"fast": played(clip, 200), "slow a": played(clip, 50), "slow b": played(clip, 50)}
    group = DetectorGroup({camera: Slow(slow._model, CALIBRATION, engine=slow.engine) for camera in readers})
    scheduler = Scheduler(group, readers, most=2, wait=0)
    served = dict.fromkeys(readers, 0)
    for batch in scheduler.batches():
        assert len(batch) <= 2
        for scored in batch:
            served[scored.camera] += 1
        if sum(served.values()) > 60:
            break
    assert min(served.values()) > 15
    statistics = scheduler.statistics()
    for camera, count in served.items():
        counts = statistics[camera].counts
        assert counts.dropped > 0
        assert counts.delivered == count
    # Stale frames are not worked off: a frame waits for a few batches, not for all that came before it.
    assert statistics["fast"].median < 0.5


def test_a_batch_waits_for_a_fuller_one_but_not_for_long(detector, clip):
    def batches(wait):
        # The second camera's frames come 50 ms after the first's.
        readers = {
            camera: LiveReader(
                lambda: GeneratedSource("made", lambda: iter(clip[:8]), fps=10, frame_count=8),
                playback=Playback(fps=5, delay=delay),
            )
            for camera, delay in (("a", 0.0), ("b", 0.05))
        }
        return list(watched(detector, readers, wait=wait).batches())

    together, apart = batches(0.15), batches(0.0)
    assert sum(len(batch) == 2 for batch in together) >= 5
    assert sum(len(batch) == 1 for batch in apart) >= 10
    latencies = [scored.latency for batch in together for scored in batch]
    assert np.median(latencies) < 0.15


def test_one_camera_fails_and_the_others_go_on(detector, clip, caplog):
    def fails(index):
        if index == 3:
            raise LatentwatchError("made: connection lost")

    readers = {"bad": played(clip, 50, fails), "good": played(clip, 50, count=12)}
    scheduler = watched(detector, readers)
    seen = [scored.camera for batch in scheduler.batches() for scored in batch]
    statistics = scheduler.statistics()
    assert statistics["bad"].error == "made: connection lost"
    assert statistics["good"].error is None
    assert statistics["good"].counts.delivered == seen.count("good") > 3
    assert caplog.messages == ["bad: made: connection lost"]


def test_a_jump_in_time_starts_the_camera_anew(detector, clip):
    times = [*np.arange(SMALL.span) / 10, SMALL.span / 10 + JUMP + 0.1]
    turn = threading.Semaphore(1)  # one frame at a time, so that none is dropped

    def make():
        for frame, at in zip(clip, times, strict=False):
            turn.acquire()
            yield Frame(frame.index, at, frame.rgb)

    reader = LiveReader(lambda: GeneratedSource("made", make, fps=10, frame_count=len(times)))
    results = []
    for batch in watched(detector, {"a": reader}).batches():
        results += [scored.result for scored in batch]
        turn.release()
    assert [result is not None for result in results] == [False] * SMALL.warm_up + [True, False]


def test_cameras_that_hang_do_not_hold_up_the_end(detector, clip, monkeypatch):
    monkeypatch.setattr("latentwatch.scoring.scheduler.PATIENCE", 0.3)
    let_go = threading.Event()

    def hangs(index):
        if index:
            let_go.wait(20)

    readers = {camera: played(clip, 50, hangs) for camera in "abcd"}
    batches = watched(detector, readers).batches()
    next(batches)
    began = time.monotonic()
    batches.close()
    assert time.monotonic() - began < 2
    let_go.set()
    for reader in readers.values():
        reader.close()


def test_closing_stops_all_readers_and_the_end_of_a_group_its_threads(detector, clip):
    before = set(threading.enumerate())

    def of_the_group(thread):
        return thread.name.startswith("camera")

    def new():
        gc.collect()
        return {thread for thread in threading.enumerate() if thread not in before}

    scheduler = watched(detector, {camera: played(clip, 50) for camera in "ab"})
    batches = scheduler.batches()
    next(batches)
    assert len([thread for thread in new() if not of_the_group(thread)]) == 2
    batches.close()
    left = new()
    assert left
    assert all(map(of_the_group, left))
    del scheduler, batches
    gc.collect()
    for thread in left:
        thread.join(5)
    assert not new()


def test_cameras_with_one_model_file_share_its_engine(detector, clip, tmp_path):
    for name, width in (("one", 4), ("two", 5)):
        model = random_model(SMALL.model_copy(update={"base_width": width}))
        info = BundleInfo(architecture=model.architecture, fps=10, calibration=CALIBRATION)
        save_bundle(tmp_path / f"{name}.lw", model, info)
    models = {"a": tmp_path / "one.lw", "b": tmp_path / "two.lw", "c": tmp_path / "." / "one.lw"}
    group = open_group(models, "torch")
    a, b, c = (group._detectors[camera] for camera in "abc")
    assert a.engine is c.engine is not b.engine
    assert a.motion is not c.motion
    for frame in clip[: SMALL.span]:
        results = group.step_many(dict.fromkeys("ac", frame))
    single = detector.twin()
    expected = [single.step(frame) for frame in clip[: SMALL.span]][-1]
    assert results["a"].score == pytest.approx(expected.score, rel=1e-4)
