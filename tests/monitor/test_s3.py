"""Clips on an S3-compatible server that comes and goes."""

import time
from contextlib import closing

import pytest
from servers import wait_for
from test_store import DAY, event, file

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.settings import Keep
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.uploads import Uploads

NAME = f"door/{'a' * 32}.mp4"


@pytest.fixture
def store(tmp_path):
    with closing(EventStore(f"sqlite:///{tmp_path}/events.db")) as opened:
        yield opened


def test_put_get_list_and_delete(s3, tmp_path):
    clips = ClipStore(s3.url, "e" * 32)
    assert clips.put(file(tmp_path), NAME) == 4
    assert clips.files() == {NAME: "a" * 32}
    assert clips.read(NAME) == b"film"
    assert clips.size(NAME) == 4
    assert clips.where(NAME) == f"{s3.url}/{NAME}"
    clips.delete(NAME)
    clips.delete(NAME)
    assert not clips.exists(NAME)
    with pytest.raises(FileNotFoundError):
        clips.read(NAME)
    with pytest.raises(UsageError, match="another event store"):
        ClipStore(s3.url, "f" * 32)
    with pytest.raises(LatentwatchError, match="cannot be written"):
        ClipStore("s3://no-such-bucket/clips", "f" * 32)


def test_orphans_and_old_events_go_from_there_too(s3, store, tmp_path):
    clips = ClipStore(s3.url, store.owner)
    made = []
    for day in range(2):
        each = event(day * DAY)
        store.begin(each, [])
        size = clips.put(file(tmp_path), f"door/{each.id}.mp4")
        store.end(each.id, [], state="done", end=day * DAY + 5, clip=f"door/{each.id}.mp4", bytes=size)
        made.append(each.id)
    clips.put(file(tmp_path), f"door/{'b' * 32}.jpg")  # its event was never recorded
    assert store.recover(clips, {}).files == 1
    assert set(clips.files().values()) == set(made)
    assert store.purge(clips, Keep(days=1.5), now=2 * DAY) == 1
    assert set(clips.files().values()) == {made[1]}


def test_clips_wait_while_the_server_is_away(s3, tmp_path):
    unsent = tmp_path / "unsent"
    clips = ClipStore(s3.url, "e" * 32, unsent)
    with closing(Uploads(clips, first_wait=0.1)):
        clips.put(file(tmp_path, b"first"), NAME)
        wait_for(lambda: not list(unsent.rglob("*.mp4")))
        s3.stop()
        began = time.monotonic()
        second, third = NAME.replace("a", "b"), NAME.replace("a", "c")
        clips.put(file(tmp_path, b"second"), second)
        clips.put(file(tmp_path, b"not yet the peak"), third)
        clips.put(file(tmp_path, b"third"), third)
        assert time.monotonic() - began < 1
        assert clips.read(second) == b"second"  # it can be had all the time
        assert clips.size(third) == 5
        with pytest.raises(OSError, match="onnect"):
            clips.read(NAME)
        with pytest.raises(OSError, match="onnect"):
            clips.files()
    # The program ends, and begins anew, before the server is back.
    with pytest.raises(LatentwatchError, match="cannot be written"):
        ClipStore(s3.url, "e" * 32, unsent)
    s3.start()
    clips = ClipStore(s3.url, "e" * 32, unsent)
    assert set(clips.files()) == {NAME, second, third}
    with closing(Uploads(clips, first_wait=0.1)):
        wait_for(lambda: not list(unsent.rglob("*.mp4")))
    there = ClipStore(s3.url, "e" * 32)
    assert [there.read(name) for name in (NAME, second, third)] == [b"first", b"second", b"third"]


def test_what_is_deleted_while_it_waits_is_not_sent(s3, tmp_path):
    clips = ClipStore(s3.url, "e" * 32, tmp_path / "unsent")
    clips.put(file(tmp_path), NAME)
    clips.delete(NAME)
    clips.send_waiting()
    assert not clips.files()
