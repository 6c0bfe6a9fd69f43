"""Messages to a real broker and a real HTTP server, through all that goes wrong on the way."""

import json
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from servers import wait_for

from latentwatch.errors import UsageError
from latentwatch.monitor.channel import Channel
from latentwatch.monitor.model import Event
from latentwatch.monitor.mqtt import MqttChannel
from latentwatch.monitor.notify import AppriseChannel, open_channels
from latentwatch.monitor.outbox import Outbox
from latentwatch.monitor.removal import Place, Removal, removals, told_by
from latentwatch.monitor.settings import Mqtt, Service, Settings, Webhook
from latentwatch.monitor.status_server import health
from latentwatch.monitor.store import EventStore
from latentwatch.monitor.telling import Telling
from latentwatch.monitor.webhook import SIGNATURE, WebhookChannel, sign, verify


@pytest.fixture
def store(tmp_path):
    with closing(EventStore(f"sqlite:///{tmp_path}/events.db")) as opened:
        yield opened


@pytest.fixture
def receiver():
    """An HTTP server that notes what it is sent and answers what the test wants."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.got.append((dict(self.headers), body))
            refused = server.refuses is not None and server.refuses in body
            self.send_response(500 if refused else server.answers.pop(0) if server.answers else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.got, server.answers, server.refuses = [], [], None
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


class Listener:
    """What a subscriber of the broker sees; a dictionary of topics to lists of payloads."""

    def __init__(self, port):
        self.seen = {}
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_message = lambda _client, _data, message: self.seen.setdefault(
            message.topic, []
        ).append(message.payload)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def last(self, topic):
        return self.seen.get(topic, [None])[-1]

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


def begin(store, channels, camera="door"):
    event = Event(camera=camera, start=1.0, peak=2.0, level=1.5, boxes=[], snapshot="door/x.jpg")
    store.begin(event, channels)
    return event.id


def outbox(store, **channels):
    return Outbox(store, channels, lambda _: b"jpeg", first_wait=0.1)


def test_a_broker_that_goes_away_loses_nothing(store, broker):
    channel = MqttChannel(Mqtt(mqtt=f"mqtt://127.0.0.1:{broker.port}"), ["door"])
    channel.start()
    first = begin(store, ["home"])
    channel.camera_state("door", True)
    sending = outbox(store, home=channel)
    wait_for(lambda: store.next_message("home") is None)
    with closing(Listener(broker.port)) as seen:  # all is retained
        wait_for(lambda: seen.last("latentwatch/door/anomaly"))
        assert seen.last("latentwatch/door/anomaly") == b"ON"
        assert seen.last("latentwatch/status") == b"online"
        wait_for(lambda: seen.last("latentwatch/door/status") == b"online")
        assert seen.last("latentwatch/door/snapshot") == b"jpeg"
        assert json.loads(seen.last("latentwatch/door/event"))["id"] == first
        found = json.loads(seen.last("homeassistant/binary_sensor/latentwatch_door/anomaly/config"))
        assert found["state_topic"] in seen.seen
        assert {each["topic"] for each in found["availability"]} <= set(seen.seen)
        image = json.loads(seen.last("homeassistant/image/latentwatch_door/snapshot/config"))
        assert image["image_topic"] in seen.seen
    broker.stop()
    store.end(first, ["home"], state="done", end=3.0)
    second = begin(store, ["home"])
    sending.wake()
    wait_for(lambda: store.next_message("home").attempts > 0)
    broker.start()
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: store.next_message("home") is None)
        wait_for(lambda: len(seen.seen.get("latentwatch/door/event", [])) >= 2)
        keys = [json.loads(each)["key"] for each in seen.seen["latentwatch/door/event"]]
        assert list(dict.fromkeys(keys))[-2:] == [f"{first}-end", f"{second}-new"]  # in order, none lost
        sending.close()
        channel.close()
        wait_for(lambda: seen.last("latentwatch/status") == b"offline")


def test_a_clock_that_is_set_back_holds_up_no_message(store, broker):
    first = begin(store, ["home"])
    store.mark(store.next_message("home").id, attempts=3, next_try=time.time() + 3600)
    channel = MqttChannel(Mqtt(mqtt=f"mqtt://127.0.0.1:{broker.port}"), ["door"])
    channel.start()
    sending = outbox(store, home=channel)
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: store.next_message("home") is None, 20)
        wait_for(lambda: seen.last("latentwatch/door/event"))
        assert json.loads(seen.last("latentwatch/door/event"))["id"] == first
        sending.close()
        channel.close()


def test_a_camera_that_sees_badly_is_told_but_is_no_anomaly(store, broker, receiver):
    store.begin_problem("yard", "frozen", 1.0, [])  # before the program began anew
    home = MqttChannel(Mqtt(mqtt=f"mqtt://127.0.0.1:{broker.port}"), ["door", "yard"])
    home.start()
    for camera in ("door", "yard"):
        home.camera_problems(camera, store.open_problems(camera))
    phone = AppriseChannel(Service(apprise=receiver.url.replace("http", "json")))
    office = WebhookChannel(Webhook(webhook=receiver.url, secret="x"))
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: seen.last("latentwatch/yard/problem") == b"ON")
        wait_for(lambda: seen.last("latentwatch/door/problem") == b"OFF")
        found = json.loads(seen.last("homeassistant/binary_sensor/latentwatch_door/problem/config"))
        assert (found["device_class"], found["state_topic"]) == ("problem", "latentwatch/door/problem")
        sending = outbox(store, home=home, phone=phone, office=office)
        store.begin_problem("door", "covered", 1.0, ["home", "phone", "office"])
        sending.wake()
        wait_for(lambda: seen.last("latentwatch/door/problem") == b"ON")
        told = json.loads(seen.last("latentwatch/door/health"))
        assert (told["type"], told["problem"], told["end"]) == ("problem", "covered", None)
        store.end_problem("door", "covered", 9.0, ["home", "phone", "office"])
        sending.wake()
        wait_for(lambda: seen.last("latentwatch/door/problem") == b"OFF")
        wait_for(lambda: not store.next_message("phone") and not store.next_message("office"))
        sending.close()
        assert json.loads(seen.last("latentwatch/door/health"))["end"] == 9.0
        assert set(seen.seen["latentwatch/door/anomaly"]) == {b"OFF"}
    home.close()
    bodies = [json.loads(body) for _, body in receiver.got]
    assert [each["type"] for each in bodies if "key" in each] == ["problem", "well"]
    texts = [each["message"] for each in bodies if "message" in each]
    assert ["covered. Nothing is watched" in texts[0], "no longer covered" in texts[1]] == [True, True]
    assert not store.newest(9)


def retained(broker):
    """What the broker keeps: topics and payloads."""
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: seen.last("latentwatch/status"))
        time.sleep(0.5)
        return {topic: payloads[-1] for topic, payloads in seen.seen.items()}


def test_the_broker_forgets_a_camera_that_was_removed(store, broker):
    """Its own last messages are told before, and one that comes late is not kept by the broker."""
    place = Mqtt(mqtt=f"mqtt://127.0.0.1:{broker.port}")
    home = MqttChannel(place, ["door", "yard"])
    home.start()
    store.begin_problem("door", "covered", 1.0, ["home"])
    event = begin(store, ["home"])
    sending = outbox(store, home=home)
    wait_for(lambda: store.next_message("home") is None)
    for camera in ("door", "yard"):
        home.camera_state(camera, True)
    sending.close()
    home.close()
    before = retained(broker)
    ours = {topic for topic in before if "door" in topic}
    assert len(ours) == 9
    left = MqttChannel(place, ["yard"])
    store.end(event, ["home"], state="done", end=3.0)
    store.remove(Removal("door", True, ["home"], ["home"], {"home": None}), 9.0)
    assert store.open_problems("door") == []
    begin(store, ["home"])
    left.start()
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: ours <= set(seen.seen))
        sending = outbox(store, home=left)
        wait_for(lambda: store.next_message("home") is None)
        wait_for(lambda: seen.last("latentwatch/door/anomaly") == b"ON")
        kinds = [json.loads(each)["type"] for each in seen.seen["latentwatch/door/event"] if each]
        assert kinds == ["new", "end", "new"]
        sending.close()
        assert set(retained(broker)) == set(before) - ours
    # A camera that has come back before its removal was told stays.
    back = MqttChannel(place, ["door", "yard"])
    store.remove(Removal("door", True, ["home"], [], {"home": None}), 10.0)
    left.close()
    back.start()
    sending = outbox(store, home=back)
    wait_for(lambda: store.next_message("home") is None)
    assert "homeassistant/image/latentwatch_door/snapshot/config" in retained(broker)
    sending.close()
    back.close()


def test_what_a_change_of_the_settings_removes():
    channels = {
        "home": {"mqtt": "mqtt://host"},
        "phone": {"apprise": "json://host"},
        "office": {"webhook": "https://host", "secret": "x"},
    }
    camera = {"url": "rtsp://host/x", "model": "a.lw"}

    def settings(notify=channels, **cameras):
        return Settings.model_validate({"cameras": cameras, "notify": notify})

    here = Place("latentwatch", "homeassistant")
    old = told_by(settings(door=camera, yard=camera))
    assert old["door"] == {"home": here, "phone": None, "office": None}
    assert removals(old, settings(door=camera, yard=camera)) == []
    assert removals(old, settings(yard=camera)) == [
        Removal("door", True, ["home", "phone", "office"], ["home", "office"], {"home": here})
    ]
    assert removals(old, settings(door=camera, yard={**camera, "notify": ["phone"]})) == [
        Removal("yard", False, ["home", "office"], ["home", "office"], {"home": here})
    ]
    # A channel that is gone itself hears nothing: its messages would wait for ever.
    phone = {"phone": channels["phone"]}
    assert removals(old, settings(phone, yard=camera)) == [Removal("door", True, ["phone"], [], {})]
    moved = {**channels, "home": {"mqtt": "mqtt://host", "topic": "house"}}
    assert removals(old, settings(moved, door=camera, yard=camera)) == [
        Removal(name, False, [], [], {"home": here}) for name in ("door", "yard")
    ]
    unknown = {"door": {"home": None}}  # told by an older version
    assert removals(unknown, settings(moved, door=camera)) == []


def test_the_last_will_says_that_nobody_watches(broker):
    channel = MqttChannel(Mqtt(mqtt=f"mqtt://127.0.0.1:{broker.port}"), [])
    channel.start()
    with closing(Listener(broker.port)) as seen:
        wait_for(lambda: seen.last("latentwatch/status") == b"online")
        channel._client.socket().close()  # as a crash does: without a word
        wait_for(lambda: b"offline" in seen.seen["latentwatch/status"])
    channel.close()


def test_a_webhook_is_signed_and_tried_again(store, receiver):
    receiver.answers = [500, 429, 200]
    event = begin(store, ["office"])
    sending = outbox(store, office=WebhookChannel(Webhook(webhook=receiver.url, secret="s3cret")))
    wait_for(lambda: store.next_message("office") is None)
    sending.close()
    assert len(receiver.got) == 3
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.got}) == 1
    headers, body = receiver.got[-1]
    assert json.loads(body)["id"] == event
    assert verify(body, headers[SIGNATURE], "s3cret")
    assert not verify(body + b" ", headers[SIGNATURE], "s3cret")
    assert not verify(body, headers[SIGNATURE], "other")
    assert not verify(body, sign(body, "s3cret", time.time() - 301), "s3cret")
    assert not verify(body, "nonsense", "s3cret")


def test_a_refused_message_does_not_hold_up_the_next(store, receiver):
    receiver.answers = [410]
    begin(store, ["office"])
    second = begin(store, ["office"])
    sending = outbox(store, office=WebhookChannel(Webhook(webhook=receiver.url, secret="x")))
    wait_for(lambda: store.next_message("office") is None)
    sending.close()
    assert json.loads(receiver.got[-1][1])["id"] == second


def test_apprise_tells_of_the_beginning_with_the_snapshot(store, receiver):
    event = begin(store, ["phone"])
    store.end(event, ["phone"], state="done", end=3.0)
    url = receiver.url.replace("http", "json") + "/hook"
    sending = outbox(store, phone=AppriseChannel(Service(apprise=url)))
    wait_for(lambda: store.next_message("phone") is None)
    sending.close()
    (told,) = [json.loads(body) for _, body in receiver.got]
    assert told["title"] == "door"
    assert "Something unusual" in told["message"]
    assert told["attachments"][0]["filename"] == "door.jpg"


def test_apprise_sends_words_alone_where_the_picture_cannot_be_written(
    store, receiver, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))  # as with a full disk
    begin(store, ["phone"])
    sending = outbox(store, phone=AppriseChannel(Service(apprise=receiver.url.replace("http", "json"))))
    wait_for(lambda: store.next_message("phone") is None)
    sending.close()
    (told,) = [json.loads(body) for _, body in receiver.got]
    assert "Something unusual" in told["message"]
    assert not told["attachments"]


def test_what_a_service_never_takes_holds_up_nothing(store, receiver):
    receiver.refuses = b'"title": "door"'
    refused = begin(store, ["phone"])
    begin(store, ["phone"], camera="yard")
    service = AppriseChannel(Service(apprise=receiver.url.replace("http", "json")))
    sending = Outbox(store, {"phone": service}, lambda _: None, first_wait=0.1)
    try:
        wait_for(lambda: store.waiting() == {"phone": 1} and store.next_message("phone").attempts > 2)
        assert store.next_message("phone").event_id == refused
        receiver.refuses = None
        wait_for(lambda: store.waiting() == {})
    finally:
        sending.close()
    titles = [json.loads(body)["title"] for _, body in receiver.got]
    assert titles.count("yard") == 1
    assert titles[-1] == "door"


def test_telling_gives_up_what_waits_for_channels_that_are_gone(store, receiver, caplog):
    begin(store, ["gone"])
    settings = Settings.model_validate(
        {
            "cameras": {"door": {"url": "a.mp4", "model": "a.lw"}},
            "notify": {"office": {"webhook": receiver.url, "secret": "s"}},
        }
    )
    telling = Telling(store, lambda _: None)
    telling.begin(settings, open_channels(settings))
    telling.close()
    assert store.waiting() == {}
    assert "gone: no longer in the settings: 1 messages to it are given up" in caplog.text
    assert not receiver.got


def test_a_fault_of_a_channel_is_tried_again_and_seen_in_the_health(store):
    class Faulty(Channel):
        def __init__(self):
            self.answers = [ZeroDivisionError("oh"), None]

        def check(self):
            return ""

        def send(self, _message, _snapshot):
            answer = self.answers.pop(0)
            if answer:
                raise answer

    begin(store, ["office"])
    sending = outbox(store, office=Faulty())
    wait_for(lambda: health({}, store, ["office"]).channels == {"office": "ZeroDivisionError: oh"})
    wait_for(lambda: store.next_message("office") is None)
    sending.close()


@pytest.mark.parametrize(
    "channel",
    [
        {"mqtt": "http://u:hidden@h"},
        {"mqtt": "mqtt://u:hidden/more@h"},
        {"mqtt": "mqtt://u:hidden"},
        {"mqtt": "mqtt://u:hidden@h:99999"},
        {"mqtt": "mqtt://u:hidden@[::1"},
        {"webhook": "ftp://u:hidden@h", "secret": "s"},
        {"apprise": "no:hidden"},
    ],
)
def test_wrong_addresses_are_told_by_the_name_of_the_channel(channel, caplog):
    settings = Settings.model_validate(
        {"cameras": {"door": {"url": "a.mp4", "model": "a.lw"}}, "notify": {"there": channel}}
    )
    with pytest.raises(UsageError, match="channel there: ") as caught:
        open_channels(settings)
    assert "hidden" not in str(caught.value) + caplog.text
