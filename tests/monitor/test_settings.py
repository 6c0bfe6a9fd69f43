from datetime import datetime

import pytest

from latentwatch.errors import UsageError
from latentwatch.monitor.schedule import parse_hours
from latentwatch.monitor.settings_file import load_settings

GOOD = """
cameras:
  front-door:
    url: rtsp://viewer:${DOOR_PASSWORD}@10.0.0.20/stream1
    model: front-door.lw
    ignore:
      - [[0, 0], [0.3, 0], [0.3, 0.2]]
    schedule: [mon-fri 22:00-06:00, sat-sun]
    false_alarms_per_day: 0.5
    notify: [home]
  yard:
    url: yard.mp4
    model: /models/yard.lw
notify:
  home:
    mqtt: mqtt://broker.local
  office:
    webhook: https://example.org/hook
    secret: ${file:SECRET}
keep: {days: 7}
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setenv("DOOR_PASSWORD", "p@ss/word")
    (tmp_path / "secret").write_text("s3cret\n")

    def write(text):
        path = tmp_path / "cameras.yaml"
        path.write_text(text.replace("SECRET", str(tmp_path / "secret")))
        return path

    return write


def test_a_good_file(write, tmp_path):
    settings = load_settings(write(GOOD))
    door = settings.cameras["front-door"]
    assert door.url.get_secret_value() == "rtsp://viewer:p%40ss%2Fword@10.0.0.20/stream1"
    assert door.model == tmp_path / "front-door.lw"
    assert door.ignore == [[(0, 0), (0.3, 0), (0.3, 0.2)]]
    assert settings.channels_of("front-door") == ["home"]
    assert settings.channels_of("yard") == ["home", "office"]
    assert settings.cameras["yard"].false_alarms_per_day == 1
    assert settings.notify["office"].secret.get_secret_value() == "s3cret"
    assert settings.store_url == f"sqlite:///{tmp_path}/latentwatch-data/events.db"
    assert settings.keep.days == 7
    for secret in ("p@ss", "p%40ss", "s3cret"):
        assert secret not in repr(settings)


def test_rtsp_over_udp(write):
    cameras = load_settings(write(GOOD.replace("yard.lw", "yard.lw\n    transport: udp"))).cameras
    assert [camera.transport for camera in cameras.values()] == ["tcp", "udp"]


def test_keys_are_looked_up_where_they_are_needed(write):
    settings = load_settings(write(GOOD + "privacy: {blur: [yard], keys: ['${NO_KEY}', '${file:/no}']}\n"))
    assert settings.privacy.keys == ["${NO_KEY}", "${file:/no}"]
    assert (settings.blurs("yard"), settings.blurs("front-door")) == (True, False)
    assert load_settings(write(GOOD + "privacy: {keys: ['${NO_KEY}']}\n")).blurs("front-door")
    assert not load_settings(write(GOOD)).blurs("yard")


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    model: front-door.lw\n", "", 3, "cameras.front-door.model: is missing"),
        ("false_alarms_per_day: 0.5", "false_alarms_per_day: 0", 9, "greater than 0"),
        (
            "false_alarms_per_day: 0.5",
            "budget: 5",
            9,
            "no such key; known are url, transport, loop, model, ignore",
        ),
        ("[0.3, 0.2]", "[0.3, 20]", 7, "less than or equal to 1"),
        ("sat-sun", "sat-son", 8, "'son' is not a day; days are mon, tue"),
        ("sat-sun", "25:00-26:00", 8, "they go from 00:00 to 24:00"),
        ("[home]", "[hone]", 2, "no channel hone; known are home, office"),
        ("yard:", "front-door:", 11, "is there twice"),
        ("yard:", "The Yard:", 11, "small letters"),
        ("url: yard.mp4", "url: ftp://me:hidden@host/x", 12, "cannot be watched"),
        ("mqtt: mqtt://broker.local", "smoke: signal", 15, "expected one of mqtt, webhook, apprise"),
        ("mqtt: mqtt://broker.local", "mqtt: mqtt://b\n    tipic: x", 17, "known are mqtt, topic, discovery"),
        ("${DOOR_PASSWORD}", "${NO_SUCH_ONE}", 4, "no such environment variable"),
        ("${file:SECRET}", "${file:/no/such}", 19, "secret file cannot be read"),
        ("${file:SECRET}", "${file:/bin/true}", 19, "${file:/bin/true}: the secret file is not UTF-8 text"),
        ("keep: {days: 7}", "keep: {days: x}", 20, "valid number"),
        ("keep: {days: 7}", "keep: {days: 7", 21, "not valid YAML"),
        ("keep:", "privacy: {keys: [k3y]}\nkeep:", 20, "privacy.keys.0: a key must not stand here; expected"),
        ("keep:", "privacy: {keys: []}\nkeep:", 20, "at least 1"),
        ("keep:", "privacy: {blur: [yard]}\nkeep:", 20, "privacy.keys: is missing"),
        (
            "keep:",
            "privacy: {blur: [yarn], keys: ['${K}']}\nkeep:",
            2,
            "no camera yarn; known are front-door",
        ),
        ("keep:", "privacy: {blurr: [yard], keys: ['${K}']}\nkeep:", 20, "known are blur, keys"),
        ("    model: front-door.lw", "    model: a\n    transport: tap", 6, "'tcp' or 'udp'"),
        (GOOD, "", 1, "cameras: is missing"),
        (GOOD, "- a list", 1, "expected keys with values below it"),
        ("keep: {days: 7}", "keep: 7", 20, "keep: expected keys with values below it"),
        ("[home]", "home", 10, "cameras.front-door.notify: expected a list"),
        ("[[0, 0], [0.3, 0], [0.3, 0.2]]", "[0, 0]", 7, "expected a point [x, y]"),
        ("url: yard.mp4", "url: 5", 12, "expected text; put it in quotes"),
        ("url: yard.mp4", "url: 'rtsp://me:hidden@host:99999/x'", 12, "no host or a wrong port"),
        ("url: yard.mp4", "url: 'rtsp://me:hidden'", 12, "no host or a wrong port"),
        ("url: yard.mp4", "url: ''", 12, "an empty address"),
        ("url: yard.mp4", "url: 2026-99-99", 12, "cannot be understood; put it in quotes"),
        ("url: yard.mp4", "url: !!python/object:os.x y", 12, "cannot be understood"),
        ("yard:", "yard: &yard\n    <<: *yard", 11, "refers to itself"),
        ("  home:", "  Home:", 15, "notify.Home: a name has small letters"),
        ("broker.local", "broker.local\n    topic: my house", 17, "without spaces, # and +"),
    ],
)
def test_mistakes_name_the_line_the_key_and_what_is_allowed(write, old, new, line, words):
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        load_settings(write(GOOD.replace(old, new)))
    said = str(caught.value)
    assert f"cameras.yaml, line {line}: " in said
    assert words in said
    assert "hidden" not in said
    assert len(said.splitlines()) == 1


def test_a_zero_byte_is_told_in_one_line(write):
    with pytest.raises(UsageError, match="not valid YAML") as caught:
        load_settings(write(GOOD.replace("yard.mp4", "ya\0rd.mp4")))
    assert len(str(caught.value).splitlines()) == 1


def test_what_cameras_have_in_common_is_written_once(write):
    cameras = "cameras:\n  door: &door {url: a.mp4, model: a.lw, seconds_before: 2}\n"
    cameras += "  yard: {<<: *door, url: b.mp4}\n"
    yard = load_settings(write(cameras)).cameras["yard"]
    assert (yard.url.get_secret_value(), yard.model.name, yard.seconds_before) == ("b.mp4", "a.lw", 2)
    with pytest.raises(UsageError, match=r"line 3: cameras\.yard: <<: expected keys with values"):
        load_settings(write(cameras.replace("*door", "door")))


@pytest.mark.parametrize(
    ("text", "moment", "held"),
    [
        ("mon-fri 22:00-06:00", "2026-11-23 22:00", True),  # Monday
        ("mon-fri 22:00-06:00", "2026-11-23 05:00", False),  # the night began on Sunday
        ("mon-fri 22:00-06:00", "2026-11-28 05:59", True),  # the night began on Friday
        ("mon-fri 22:00-06:00", "2026-11-28 06:00", False),
        ("sat-sun", "2026-11-29 12:00", True),
        ("sat-sun", "2026-11-30 00:00", False),
        ("fri-mon 08:00-24:00", "2026-11-30 23:59", True),
        ("fri-mon 08:00-24:00", "2026-12-01 00:00", False),
        ("08:00-18:00", "2026-11-25 07:59", False),
        ("08:00-18:00", "2026-11-25 08:00", True),
    ],
)
def test_hours(text, moment, held):
    assert parse_hours(text).hold(datetime.fromisoformat(moment)) is held
