"""What `latentwatch enrol` takes from the settings of a camera."""

from pathlib import Path

from command import run

from latentwatch.monitor import enrol

SETTINGS = """
cameras:
  door:
    url: rtsp://127.0.0.1/live
    transport: udp
    loop: true
    model: door.lw
    false_alarms_per_day: 3
    ignore: [[[0, 0], [0.3, 0], [0.3, 0.2]]]
"""


def test_a_camera_is_enrolled_as_its_settings_say(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    Path("cameras.yaml").write_text(SETTINGS)
    asked = []
    monkeypatch.setattr(enrol, "enrol_camera", lambda *words: asked.append(words))
    run("enrol", "door", "--settings", "cameras.yaml", "--for", "2h")
    run("enrol", "rtsp://127.0.0.1/live", "--for", "2h", "-o", "other.lw")
    (address, model, named), (_, other, plain) = asked
    assert (str(address), model.name, other.name) == ("rtsp://127.0.0.1/live", "door.lw", "other.lw")
    assert (named.transport, named.per_day, len(named.ignore), named.seconds) == ("udp", 3, 1, 7200)
    assert (named.loop, plain.loop) == (True, False)
    assert (plain.transport, plain.per_day, plain.ignore) == ("tcp", 1, [])


def test_the_name_of_a_camera_without_its_settings_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    said = run("enrol", "door", "--for", "2h", "-o", "door.lw", code=2).stderr
    assert "door: no such file; check the path; the name of a camera needs --settings" in said
    assert list(tmp_path.iterdir()) == []
