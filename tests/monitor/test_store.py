import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from command import run
from servers import free_port
from sqlalchemy import create_engine, inspect, text

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor import migrations
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.model import Base, Event
from latentwatch.monitor.reservoir import events_folder
from latentwatch.monitor.settings import Keep
from latentwatch.monitor.store import EventStore

DAY = 86400.0


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/data/events.db"
    else:
        url = request.getfixturevalue("postgresql").url
        with create_engine(url.replace("://", "+psycopg://")).begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    with closing(EventStore(url)) as opened:
        opened.url = url
        yield opened


@pytest.fixture
def clips(tmp_path, store):
    return ClipStore(str(tmp_path / "clips"), store.owner)


def event(start=1000.0, **changes):
    made = {"camera": "door", "start": start, "peak": start + 1, "level": 1.5, "boxes": [[0, 0, 0.5, 0.5]]}
    return Event(**made | changes)


def file(tmp_path, contents=b"film"):
    path = tmp_path / "made"
    path.write_bytes(contents)
    return path


def test_an_event_from_its_start_to_its_label(store):
    made = event()
    store.begin(made, ["home", "phone"])
    waiting = store.next_message("home")
    assert (waiting.kind, waiting.body["camera"], waiting.body["end"]) == ("new", "door", None)
    assert waiting.key == f"{made.id}-new"
    store.end(made.id, ["home"], state="done", end=1005.0, level=2.0, clip="door/x.mp4")
    assert store.next_message("home").kind == "new"  # in their order
    store.mark(waiting.id, delivered=1.0)
    assert store.next_message("home").body["clip"] == "door/x.mp4"
    assert store.label(made.id[:8], "normal").label == "normal"
    later = event(2000.0, camera="yard")
    store.begin(later, [])
    assert [each.camera for each in store.newest(5)] == ["yard", "door"]
    assert [each.seconds for each in store.newest(5, "door")] == [5.0]
    with pytest.raises(UsageError, match="no event"):
        store.get("zz")


def test_the_migrations_make_what_the_program_declares(store):
    found = inspect(store.engine)
    for table in Base.metadata.sorted_tables:
        columns = {each["name"]: each["nullable"] for each in found.get_columns(table.name)}
        assert columns == {each.name: bool(each.nullable) for each in table.columns}
        indexes = {each["name"] for each in found.get_indexes(table.name)}
        assert indexes == {each.name for each in table.indexes}
    with closing(EventStore(store.url)) as again:
        assert again.owner == store.owner


def test_a_store_of_the_first_form_is_brought_up_to_date(tmp_path):
    url = f"sqlite:///{tmp_path}/events.db"
    with closing(EventStore(url)) as newest:
        kept = event()
        newest.begin(kept, ["home"])
        with newest.engine.begin() as connection:
            _alembic(connection, "downgrade", "0001")
    with closing(EventStore(url)) as again:
        assert again.get(kept.id).camera == "door"
        assert again.next_message("home").event_id == kept.id
        assert again.announced() == {"door": {"home": None}}  # where it was told is not known
        again.begin_problem("door", "covered", 1.0, ["home"])


def _alembic(connection, direction, form):
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    getattr(command, direction)(config, form)


def test_many_open_a_new_store_at_once(store, tmp_path):
    with store.engine.begin() as connection:
        if store.url.startswith("postgresql"):
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    url = store.url if store.url.startswith("postgresql") else f"sqlite:///{tmp_path}/new.db"
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: EventStore(url), range(6)))
    assert len({each.owner for each in opened}) == 1
    for each in opened:
        each.close()


def test_a_store_of_a_newer_program_is_refused(store):
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(LatentwatchError, match="newer Latentwatch"):
        EventStore(store.url)


def test_a_folder_that_cannot_be_made_gets_a_clear_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        LatentwatchError, match=r"events\.db: its folder cannot be made: .*; give another folder"
    ):
        EventStore(f"sqlite:///{tmp_path}/file/events.db")


def test_events_of_a_folder_without_any_makes_no_store(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: {door: {url: rtsp://host/x, model: door.lw}}\nfolder: tipo\n")
    said = run("events", "list", path, code=1).stderr
    assert "tipo: no events are there; 'latentwatch watch" in said
    assert not (tmp_path / "tipo").exists()


def test_a_database_that_fails_in_use_gets_a_clear_line(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: {door: {url: rtsp://host/x, model: door.lw}}\nfolder: tipo\n")
    waiting = events_folder(tmp_path / "door.lw") / "x.mkv"
    waiting.parent.mkdir(parents=True)
    waiting.touch()
    with (
        closing(EventStore(f"sqlite:///{tmp_path}/tipo/events.db")) as store,
        store.engine.begin() as connection,
    ):
        connection.execute(text("ALTER TABLE event RENAME TO lost"))
    for words in (["events", "list"], ["learn"]):
        said = run(*words, path, code=1).stderr
        assert "event store: no such table: event; is its disk full" in said
        assert len(said.strip().splitlines()) == 1


def test_wrong_urls_get_a_clear_line(tmp_path):
    for url, words in [
        ("nonsense", "not a database URL"),
        ("mysql://u:hidden@h/d", r"give sqlite:///PATH or postgresql"),
        (f"postgresql://u:hidden@127.0.0.1:{free_port()}/d", "cannot be opened"),
    ]:
        with pytest.raises(LatentwatchError, match=words) as caught:
            EventStore(url)
        assert "hidden" not in str(caught.value)
        assert len(str(caught.value).splitlines()) == 1
    (tmp_path / "text.db").write_text("this is no database, but it is long enough to be looked at" * 20)
    with pytest.raises(LatentwatchError, match="not a database"):
        EventStore(f"sqlite:///{tmp_path}/text.db")


def test_recovery_ends_open_events_and_removes_what_nobody_names(store, clips, tmp_path):
    going_on, ended = event(), event(2000.0, snapshot=None)
    going_on.id = "a" * 32
    going_on.snapshot = f"door/{'a' * 32}.jpg"
    clips.put(file(tmp_path), going_on.snapshot)
    store.begin(going_on, ["home"])
    clips.put(file(tmp_path), f"door/{'a' * 32}.mp4")  # written, and then the program died
    store.begin(ended, [])
    clips.put(file(tmp_path), f"door/{ended.id}.mp4")
    store.end(ended.id, [], state="done", end=2001.0, clip=f"door/{ended.id}.mp4")
    clips.put(file(tmp_path), f"door/{'b' * 32}.jpg")  # its event was never recorded
    (tmp_path / "clips" / "door" / f"{'a' * 32}.mp4.part").write_bytes(b"half")
    (tmp_path / "clips" / "my notes.txt").write_text("mine")
    found = store.recover(clips, {"door": ["home"]})
    assert (found.events, found.files) == (1, 1)
    assert set(clips.files()) == {going_on.snapshot, f"door/{'a' * 32}.mp4", f"door/{ended.id}.mp4"}
    assert (tmp_path / "clips" / "my notes.txt").is_file()
    saved = store.get(going_on.id)
    assert (saved.state, saved.clip, saved.bytes) == ("cut", f"door/{'a' * 32}.mp4", 8)
    assert store.recover(clips, {}).events == 0


def test_old_and_too_large_events_go_with_their_files(store, clips, tmp_path):
    made = []
    for day in range(4):
        each = event(day * DAY)
        store.begin(each, [])
        size = clips.put(file(tmp_path, b"x" * 1000), f"door/{each.id}.mp4")
        store.end(each.id, [], state="done", end=day * DAY + 5, clip=f"door/{each.id}.mp4", bytes=size)
        made.append(each.id)
    assert store.purge(clips, Keep(days=3.5), now=4 * DAY) == 1
    store.begin_problem("door", "gone", 4 * DAY, ["home"])  # a message that waits and belongs to no event
    assert store.purge(clips, Keep(days=30, gigabytes=2.5e-6), now=4 * DAY) == 1
    assert [each.id for each in store.newest(9)] == made[:1:-1]
    assert set(clips.files().values()) == set(made[2:])


def test_messages_to_channels_that_are_gone_keep_no_event(store, clips):
    for channels in (["gone"], ["home", "gone"], ["home"]):
        each = event()
        store.begin(each, channels)
        store.end(each.id, [], state="done", end=1005.0, bytes=1000)
    nothing = Keep(days=1e6, gigabytes=1e-9)
    assert store.purge(clips, nothing) == 0
    assert store.forget_channels(["home"]) == {"gone": 2}
    assert store.waiting() == {"home": 2}
    assert store.forget_channels(["home"]) == {}
    assert store.purge(clips, nothing) == 1


def test_problems_of_cameras_are_kept_apart_from_events(store, clips):
    store.begin_problem("door", "covered", 1 * DAY, ["home"])
    store.begin_problem("door", "too dark", 2 * DAY, ["home"])
    store.begin_problem("yard", "frozen", 2 * DAY, [])
    assert store.open_problems("door") == ["covered", "too dark"]
    store.end_problem("door", "covered", 1 * DAY + 60, ["home"])
    store.end_problem("door", "covered", 3 * DAY, ["home"])  # it is not going on
    assert store.open_problems("door") == ["too dark"]
    told = []
    while message := store.next_message("home"):
        told.append((message.kind, message.body["problem"], message.body["problems"]))
        assert message.key == f"{message.problem_id}-{message.kind}"
        store.mark(message.id, delivered=1.0)
    assert told == [
        ("problem", "covered", ["covered"]),
        ("problem", "too dark", ["covered", "too dark"]),
        ("well", "covered", ["too dark"]),
    ]
    assert not store.newest(9)
    assert [each.problem for each in store.newest_problems(9, "door")] == ["too dark", "covered"]
    store.purge(clips, Keep(days=2), now=4 * DAY)
    assert {each.problem for each in store.newest_problems(9)} == {"too dark", "frozen"}  # these go on


def test_originals_belong_to_their_events(store, clips, tmp_path):
    cut, ended = event(), event(2000.0)
    for each in (cut, ended):
        store.begin(each, [])
        for kind in ("mp4", "jpg"):
            clips.put(file(tmp_path), f"door/{each.id}.{kind}.enc")
    clips.put(file(tmp_path), f"door/{ended.id}.mp4")
    (tmp_path / "clips" / "door" / f"{cut.id}.mp4.enc.part").write_bytes(b"half")
    store.end(ended.id, [], state="done", end=2001.0, clip=f"door/{ended.id}.mp4")
    clips.put(file(tmp_path), f"door/{'b' * 32}.mp4.enc")
    assert store.recover(clips, {}).files == 1
    assert set(clips.files()) == {
        *(f"door/{each.id}.{kind}.enc" for each in (cut, ended) for kind in ("mp4", "jpg")),
        f"door/{ended.id}.mp4",
    }
    assert store.get(cut.id).bytes == 8
    store.purge(clips, Keep(days=1), now=3 * DAY)
    assert not clips.files()


def test_a_folder_of_another_store_is_left_alone(tmp_path):
    ClipStore(str(tmp_path / "clips"), "e" * 32)
    with pytest.raises(UsageError, match="belongs to another event store"):
        ClipStore(str(tmp_path / "clips"), "f" * 32)
    with pytest.raises(UsageError, match="clips: nonsense://x"):
        ClipStore("nonsense://x", "f" * 32)


def test_many_threads_write_at_once(store):
    def write(camera):
        for index in range(5):
            each = event(float(index), camera=camera)
            store.begin(each, ["home"])
            store.end(each.id, ["home"], state="done", end=9.0)

    threads = [threading.Thread(target=write, args=(f"camera-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.newest(99)) == 20


WRITER = """
import sys
from pathlib import Path
from latentwatch.monitor.clips import ClipStore
from latentwatch.monitor.model import Event
from latentwatch.monitor.store import EventStore

folder = Path(sys.argv[1])
store = EventStore(f"sqlite:///{folder}/events.db")
clips = ClipStore(str(folder / "clips"), store.owner)
store.recover(clips, {"door": ["home"]})
made = folder / f"made"
for index in range(10**6):
    number = int(sys.argv[2]) * 10**6 + index
    each = Event(id=f"{number:032x}", camera="door", start=1.0, peak=1.0, level=2.0, boxes=[])
    for suffix in ("jpg", "mp4"):
        made.write_bytes(b"x" * 20000)
        name = f"door/{each.id}.{suffix}"
        clips.put(made, name)
        if suffix == "jpg":
            each.snapshot = name
            store.begin(each, ["home"])
            print(each.id, flush=True)  # announced
    store.end(each.id, ["home"], state="done", end=2.0, clip=name, bytes=40000)
"""


def test_kill_at_any_moment_loses_no_announced_event_and_leaves_no_orphan(tmp_path):
    announced = set()
    for round_number in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(round_number)],
            stdout=subprocess.PIPE,
            text=True,
        )
        # Another moment each time: after so many events, and in the middle of the next one's writing.
        for _ in range(2 + round_number):
            announced.add(child.stdout.readline().strip())
        time.sleep(0.003 * round_number)
        os.kill(child.pid, signal.SIGKILL)
        rest, _ = child.communicate()
        announced.update(line for line in rest.splitlines() if len(line) == 32)
    with closing(EventStore(f"sqlite:///{tmp_path}/events.db")) as store:
        clips = ClipStore(str(tmp_path / "clips"), store.owner)
        store.recover(clips, {})
        events = {each.id: each for each in store.newest(10**6)}
        assert announced <= set(events)
        named = {name for each in events.values() for name in (each.clip, each.snapshot) if name}
        assert set(clips.files()) == named
        assert {each.state for each in events.values()} == {"done", "cut"}
        assert not list(Path(tmp_path, "clips").rglob("*.part"))
