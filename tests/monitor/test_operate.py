"""`watch` while it runs: cameras that come, go and change, models that are replaced, metrics and health."""

import gc
import json
import shutil
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import requests
from cameras import make_camera
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from servers import wait_for
from sqlalchemy.exc import OperationalError

from latentwatch.errors import LatentwatchError
from latentwatch.experiments.live.servers import free_port
from latentwatch.monitor import camera_watch, enrolment, running
from latentwatch.monitor.budget import budget_file
from latentwatch.monitor.metrics import Metrics
from latentwatch.monitor.model_files import ModelFiles
from latentwatch.monitor.reload import Reload
from latentwatch.monitor.settings_file import load_settings
from latentwatch.monitor.status_server import StatusServer
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.watch import watch


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    return make_camera(tmp_path_factory.mktemp("operate"))


@pytest.fixture
def place(camera, tmp_path):
    for each in camera.glob("door.lw*"):
        shutil.copy(each, tmp_path)
    return tmp_path


@contextmanager
def watching(path, engine="torch"):
    """Watches in a thread; gives the event that asks for a reload."""
    stop, asked = threading.Event(), threading.Event()
    reload = Reload(path, asked)
    thread = threading.Thread(
        target=watch, args=(load_settings(path), stop), kwargs={"engine": engine, "reload": reload}
    )
    thread.start()
    try:
        yield asked
    finally:
        stop.set()
        thread.join(60)
    assert not thread.is_alive()


def get(port, page):
    try:
        return requests.get(f"http://127.0.0.1:{port}/{page}", timeout=10)
    except requests.ConnectionError:
        return requests.Response()


def states(port):
    answer = get(port, "health")
    return answer.json()["cameras"] if answer.status_code else {}


def value(port, name):
    found = [line.split()[-1] for line in get(port, "metrics").text.splitlines() if line.startswith(name)]
    return float(found[0]) if found else None


def test_cameras_and_models_change_while_it_runs(place, rtsp, caplog):
    server, port = rtsp(), free_port()
    path = place / "cameras.yaml"
    door, yard = (f"  {name}: {{url: '{server.url()}', model: door.lw}}\n" for name in ("door", "yard"))
    rest = f"http: {{port: {port}}}\n"
    path.write_text(f"cameras:\n{door}{rest}")
    caplog.set_level("INFO", "latentwatch")
    with watching(path) as asked:
        wait_for(lambda: states(port) == {"door": "live"})
        assert get(port, "health").status_code == get(port, "ready").status_code == 200
        wait_for(lambda: value(port, 'latentwatch_inference_seconds_count{camera="door"}') > 5)
        assert value(port, 'latentwatch_seconds_since_frame{camera="door"}') < 5
        assert value(port, "process_resident_memory_bytes") > 1e7

        path.write_text(f"cameras:\n{door}{yard}{rest}")  # it is noticed without a signal
        wait_for(lambda: states(port) == {"door": "live", "yard": "live"})
        assert caplog.text.count("door: watching") == 1  # and is not touched by that

        path.write_text(f"cameras:\n{door}{yard}  typo: 1\n{rest}")
        asked.set()
        wait_for(lambda: "line 4" in caplog.text)
        assert set(states(port)) == {"door", "yard"}

        path.write_text(f"cameras:\n{yard.replace(server.url(), 'rtsp://127.0.0.1:9/none')}{rest}")
        asked.set()
        wait_for(lambda: list(states(port)) == ["yard"])
        wait_for(lambda: states(port)["yard"] == "lost")
        answer = get(port, "health")
        assert answer.status_code == 503
        assert not answer.json()["ok"]
        assert value(port, 'latentwatch_camera_live{camera="door"}') is None
        assert get(port, "none").status_code == 404

        budget = budget_file(place / "door.lw")
        good = budget.read_text()
        budget.write_text(good.replace(json.loads(good)["model_sha256"], "0" * 64))
        wait_for(lambda: "was made with another model" in caplog.text)
        assert caplog.text.count("yard: watching") == 2
        budget.write_text(json.dumps({**json.loads(good), "footage": ["newer"]}))
        wait_for(lambda: "yard: goes on with the model that was put in place" in caplog.text)
        wait_for(lambda: caplog.text.count("yard: watching") == 3)
        assert list(states(port)) == ["yard"]


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="counts the threads of Linux")
def test_a_model_that_is_replaced_takes_its_threads_with_it(camera, place, caplog):
    """Each graph that OpenVINO compiles has two threads, which its next one gets when it is gone."""
    pytest.importorskip("openvino")
    path = place / "cameras.yaml"
    path.write_text(f"cameras: {{door: {{url: {camera / 'door.mp4'}, model: door.lw, loop: true}}}}\n")
    caplog.set_level("INFO", "latentwatch")
    budget = budget_file(place / "door.lw")
    good = json.loads(budget.read_text())

    def threads():
        """Those that are not Python's, at rest."""
        counts = []
        for _ in range(20):
            counts.append(len(list(Path("/proc/self/task").iterdir())) - threading.active_count())
            time.sleep(0.01)
        return min(counts)

    gc.disable()  # when it comes is chance, and what leaves its threads to it has them for hours
    try:
        with watching(path, "openvino"):
            wait_for(lambda: "door: watching" in caplog.text)
            counts = []
            for times in range(1, 4):
                budget.write_text(json.dumps({**good, "footage": [f"another {times}"]}))
                wait_for(lambda times=times: caplog.text.count("door: goes on with the model") == times)
                wait_for(lambda times=times: caplog.text.count("door: watching") == times + 1)
                counts.append(threads())
    finally:
        gc.enable()
    assert counts == counts[:1] * 3


def test_a_camera_that_is_removed_leaves_nothing_behind(place, broker, monkeypatch, caplog):
    """Neither retained topics at the broker nor a problem that goes on; and it can come back."""
    monkeypatch.setattr(camera_watch, "GONE_AFTER", 0.5)
    seen = []
    subscriber = Client(CallbackAPIVersion.VERSION2)
    subscriber.on_message = lambda _client, _data, message: seen.append((message.topic, message.payload))

    def retained(part):
        """Topics with `part` in their name that the broker keeps."""
        seen.clear()
        subscriber.subscribe("#")
        wait_for(lambda: "latentwatch/status" in dict(seen))
        time.sleep(0.3)
        subscriber.unsubscribe("#")
        return sorted({topic for topic, _ in seen if part in topic})

    path = place / "cameras.yaml"
    door, yard = (f"  {name}: {{url: 'rtsp://127.0.0.1:9/x', model: door.lw}}\n" for name in ("door", "yard"))
    rest = f"notify: {{home: {{mqtt: 'mqtt://127.0.0.1:{broker.port}'}}}}\n"
    path.write_text(f"cameras:\n{door}{yard}{rest}")
    subscriber.connect("127.0.0.1", broker.port)
    subscriber.loop_start()
    with watching(path) as asked, closing(EventStore(load_settings(path).store_url)) as store:
        for camera in ("door", "yard"):
            wait_for(lambda camera=camera: store.open_problems(camera) == ["gone"])
        wait_for(lambda: store.next_message("home") is None)
        kept = retained("door")
        assert {"latentwatch/door/health", "latentwatch/door/problem", "latentwatch/door/status"} <= set(kept)
        of_yard = retained("yard")

        remove, fails = EventStore.remove, [2]

        def locked(*given):
            if fails[0]:
                fails[0] -= 1
                raise OperationalError("x", None, Exception("database is locked"))
            remove(*given)

        monkeypatch.setattr(EventStore, "remove", locked)
        monkeypatch.setattr(running, "AGAIN_AFTER", 0.1)
        path.write_text(f"cameras:\n{yard}{rest}")
        asked.set()
        wait_for(lambda: store.open_problems("door") == [])
        assert caplog.text.count("door: not removed yet") == 2
        wait_for(lambda: store.next_message("home") is None)
        assert retained("door") == []
        assert retained("yard") == of_yard
        assert store.open_problems("yard") == ["gone"]
        [gone] = store.newest_problems(5, "door")
        assert gone.end

        path.write_text(f"cameras:\n{door}{yard}{rest}")
        asked.set()
        wait_for(lambda: "homeassistant/image/latentwatch_door/snapshot/config" in retained("door"))
        assert list(store.announced()["door"]) == ["home"]

    # It is removed while nothing runs: the next start has the broker forget it.
    assert retained("door")
    path.write_text(f"cameras:\n{yard}{rest}")
    with watching(path), closing(EventStore(load_settings(path).store_url)) as store:
        wait_for(lambda: list(store.announced()) == ["yard"])
        wait_for(lambda: store.next_message("home") is None)
        assert retained("door") == []
        assert retained("yard") == of_yard
        assert store.open_problems("door") == []
    # So does that after a broker is no longer to be told of a camera that is watched on.
    path.write_text(f"cameras:\n{yard.replace('model:', 'notify: [], model:')}{rest}")
    with watching(path), closing(EventStore(load_settings(path).store_url)) as store:
        wait_for(lambda: store.announced() == {"yard": {}})
        wait_for(lambda: store.next_message("home") is None)
        assert retained("yard") == []
        assert store.open_problems("yard") == ["gone"]
    subscriber.disconnect()
    subscriber.loop_stop()


def test_other_topics_leave_nothing_in_the_old_ones(place, broker):
    """The prefix is changed while it runs, then that of discovery while nothing runs."""

    def retained():
        """Topics of which the broker keeps something."""
        seen = []
        subscriber = Client(CallbackAPIVersion.VERSION2)
        subscriber.on_connect = lambda client, *_: client.subscribe("#")
        subscriber.on_message = lambda _client, _data, message: seen.append(message.topic)
        subscriber.connect("127.0.0.1", broker.port)
        subscriber.loop_start()
        time.sleep(0.5)
        subscriber.disconnect()
        subscriber.loop_stop()
        return set(seen)

    def below(*prefixes):
        return {topic for topic in retained() if topic.startswith(prefixes)}

    path = place / "cameras.yaml"

    def write(more):
        path.write_text(
            "cameras: {door: {url: 'rtsp://127.0.0.1:9/x', model: door.lw}}\n"
            f"notify: {{home: {{mqtt: 'mqtt://127.0.0.1:{broker.port}'{more}}}}}\n"
        )

    write("")
    with watching(path) as asked, closing(EventStore(load_settings(path).store_url)) as store:
        wait_for(lambda: "latentwatch/door/status" in retained())
        found = below("homeassistant/")
        write(", topic: house/cams")
        asked.set()
        wait_for(lambda: "house/cams/door/status" in retained())
        wait_for(lambda: not below("latentwatch/"))
        assert below("homeassistant/") == found  # those are told there as before
        wait_for(lambda: store.next_message("home") is None)
    write(", topic: house/cams, discovery: ha")
    with watching(path):
        wait_for(lambda: len(below("ha/")) == len(found))
        wait_for(lambda: not below("homeassistant/"))
        assert {"house/cams/status", "house/cams/door/status"} <= retained()


def test_an_event_that_goes_on_is_recorded_when_its_camera_is_removed(camera, place):
    """The film's event goes on when its camera is taken out of the settings."""
    path = place / "cameras.yaml"
    port = free_port()
    rest = f"  still: {{url: 'rtsp://127.0.0.1:9/none', model: door.lw}}\nhttp: {{port: {port}}}\n"
    path.write_text(f"cameras:\n  door: {{url: {camera}/door.mp4, model: door.lw, seconds_after: 0}}\n{rest}")
    with watching(path) as asked:
        wait_for(lambda: value(port, 'latentwatch_events_total{camera="door"}'))
        path.write_text(f"cameras:\n{rest}")
        asked.set()
        wait_for(lambda: list(states(port)) == ["still"])
        store = EventStore(load_settings(path).store_url)
        [event] = store.newest(5)
        store.close()
        assert event.state == "done"
        assert event.clip


def test_how_far_enrolment_is(camera, place, monkeypatch):
    """From the recording to the learning, which finds that 3 seconds are too little; then it is not told."""
    monkeypatch.setattr(enrolment, "MEASURED_OVER", 1.0)
    path, port = place / "cameras.yaml", free_port()
    path.write_text(
        f"cameras:\n  new: {{url: {camera}/door.mp4, model: new.lw, enrol: 3s}}\n"
        f"  still: {{url: 'rtsp://127.0.0.1:9/none', model: door.lw}}\nhttp: {{port: {port}}}\n"
    )

    def told(what):
        return value(port, f'latentwatch_enrolment_{what}{{camera="new"}}')

    with watching(path):
        wait_for(lambda: told("seconds"))
        assert told("wanted_seconds") == 3
        assert told("learning") == 0
        wait_for(lambda: told("learning"))
        assert told("seconds") == pytest.approx(3)
        wait_for(lambda: states(port) == {"new": "not watched", "still": "lost"})
        wait_for(lambda: told("seconds") is None)
        assert value(port, 'latentwatch_enrolment_seconds{camera="still"}') is None


def test_only_other_contents_are_new(place):
    files = ModelFiles(place / "door.lw")
    budget = budget_file(place / "door.lw")
    assert not files.are_new()
    time.sleep(0.01)
    budget.write_bytes(budget.read_bytes())
    assert not any(files.are_new() for _ in range(3))
    budget.write_text("other")
    assert [files.are_new() for _ in range(4)] == [False, True, False, False]


def test_a_port_that_is_taken_is_told(place):
    settings = load_settings_with(place, free_port())
    first = StatusServer(settings.http, Metrics(), lambda: None)
    assert get(settings.http.port, "ready").status_code == 503
    with pytest.raises(LatentwatchError, match="cannot be listened to"):
        StatusServer(settings.http, Metrics(), lambda: None)
    first.close()


def load_settings_with(place, port):
    path = place / "cameras.yaml"
    path.write_text(f"cameras: {{a: {{url: a.mp4, model: door.lw}}}}\nhttp: {{port: {port}}}\n")
    return load_settings(path)
