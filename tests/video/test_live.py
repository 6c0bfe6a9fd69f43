import threading
import time

import numpy as np
import pytest
from clips import moving_square

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.video.frame import Frame
from latentwatch.video.generated import GeneratedSource
from latentwatch.video.live import KEEP, LiveReader, Playback
from latentwatch.video.rate import at_rate
from latentwatch.video.source import open_video

PIXEL = np.zeros((1, 1, 3), dtype=np.uint8)


def frames_at(times):
    return [Frame(index, time, PIXEL) for index, time in enumerate(times)]


def kept(times, fps):
    return [frame.index for frame in at_rate(frames_at(times), fps)]


def test_25_frames_a_second_become_10():
    assert kept(np.arange(11) / 25, 10) == [0, 2, 5, 7, 10]  # every 2.5th


def test_a_slower_source_gives_all_it_has():
    assert kept(np.arange(20) / 5, 10) == list(range(20))
    assert kept(np.arange(20) / 8, 10) == list(range(20))


@pytest.mark.parametrize("camera", [10, 15, 20, 25, 29.97, 30, 50])
def test_jitter_loses_no_tick(camera):
    for seed in range(50):
        jitter = np.random.default_rng(seed).uniform(-0.16, 0.16, 60)
        times = (np.arange(60) + jitter) / camera
        assert_each_tick_has_its_frame(times, kept(times, 10), 1 / camera)


def assert_each_tick_has_its_frame(times, taken, off):
    ticks = np.arange(0, times[-1] - times[0] - 0.1, 0.1) + times[0]
    assert len(taken) >= len(ticks)
    # Half a frame off without jitter, three times the jitter more with it.
    assert (np.abs(times[taken][: len(ticks)] - ticks) <= off).all()


def test_a_clock_that_is_set_back_starts_the_rate_anew():
    times = [*np.arange(10) / 20, *np.arange(10) / 20]
    assert kept(times, 10) == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]


def test_a_pause_is_not_made_up_for():
    assert kept([0, 0.1, 0.2, 5.0, 5.02, 5.04, 5.1], 10) == [0, 1, 2, 3, 6]


def source(times, fps=10.0, before=lambda _: None):
    def make():
        for frame in frames_at(times):
            before(frame)
            yield frame

    return GeneratedSource("made", make, fps=fps, frame_count=len(times))


def wait_until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize("keep", [KEEP, 5])
def test_stale_frames_are_dropped_and_counted(keep):
    reader = LiveReader(lambda: source(np.arange(20) / 10), keep=keep)
    reader.start()
    wait_until(lambda: reader.counts.decoded == 20 and reader.counts.dropped == 20 - keep)
    arrivals = [reader.take() for _ in range(keep)]
    assert [arrival.frame.index for arrival in arrivals] == list(range(20 - keep, 20))
    assert [arrival.lost for arrival in arrivals] == [20 - keep, *[0] * (keep - 1)]
    wait_until(lambda: reader.ended)
    assert reader.take() is None
    assert (reader.counts.delivered, reader.counts.missed) == (keep, 0)
    reader.close()


def test_a_frame_that_is_taken_in_time_is_not_dropped():
    turn = threading.Semaphore(1)
    reader = LiveReader(lambda: source(np.arange(30) / 20, before=lambda _: turn.acquire()), fps=10)
    reader.start()
    seen = []
    while len(seen) < 15:
        arrival = reader.take(timeout=0.02)
        if arrival:
            seen.append(arrival.frame.index)
        turn.release()
    assert seen == list(range(0, 30, 2))
    assert reader.counts.dropped == 0
    reader.close()


def test_a_played_file_keeps_time_and_loops(tmp_path):
    folder = moving_square(tmp_path / "clip", frames=4)
    pictures = [frame.rgb for frame in open_video(folder)]
    reader = LiveReader(lambda: open_video(folder), playback=Playback(fps=40, loop=True, delay=0.1))
    began = time.monotonic()
    reader.start()
    arrivals = [reader.take(timeout=5) for _ in range(10)]
    assert time.monotonic() - began >= 0.1 + 9 / 40
    reader.close()
    lost = 0  # on a machine that is busy with other things, some may be
    for number, arrival in enumerate(arrivals):
        lost += arrival.lost if number else 0
        assert arrival.at - arrivals[0].at == pytest.approx((number + lost) / 40)
        assert arrival.frame.time == pytest.approx(arrival.frame.index / 40)
        assert (arrival.frame.rgb == pictures[arrival.frame.index % 4]).all()


def test_a_file_that_cannot_be_decoded_as_fast_as_it_is_played_misses_frames():
    hangs = source(np.arange(50) / 1000, fps=1000, before=lambda frame: time.sleep(1.5 * (frame.index == 9)))
    reader = LiveReader(lambda: hangs, playback=Playback(fps=200))
    reader.start()
    lost = []
    while not reader.ended:
        if arrival := reader.take(timeout=0.1):
            lost.append(arrival.lost)
    counts = reader.counts
    assert counts.decoded == 50 == counts.delivered + counts.dropped
    assert counts.missed > 200  # more than a second of 200 frames
    assert sum(lost) == counts.missed + counts.dropped


def test_the_error_of_a_source_comes_after_its_frames():
    def fails(frame):
        if frame.index == 2:
            raise LatentwatchError("made: gone")

    reader = LiveReader(lambda: source(np.arange(3) / 10, before=fails))
    told = threading.Event()
    reader.start(told.set)
    wait_until(lambda: reader.counts.decoded == 2)
    assert told.is_set()
    assert [reader.take(1).frame.index, reader.take(1).frame.index] == [0, 1]
    with pytest.raises(LatentwatchError, match="gone"):
        reader.take(1)
    assert reader.ended
    assert reader.take() is None


def test_a_source_that_is_not_there(tmp_path):
    reader = LiveReader(lambda: open_video(tmp_path / "none.mp4"))
    reader.start()
    with pytest.raises(UsageError, match="no such file"):
        reader.take(5)


def test_closing_ends_the_thread_in_the_middle_of_a_wait():
    before = threading.active_count()
    reader = LiveReader(lambda: source([0, 100.0]), playback=Playback())
    reader.start()
    assert reader.take(5).frame.index == 0
    began = time.monotonic()
    reader.close()
    assert time.monotonic() - began < 1
    assert threading.active_count() == before
