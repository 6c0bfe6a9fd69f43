"""`watch --check` on addresses that make no sense."""

import pytest
from command import run

CAMERA = "cameras:\n  door:\n    url: rtsp://camera/live\n    model: door.lw\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("notify:\n  home:\n    mqtt: mqtt://user:pass/word@broker\n", "channel home: expected mqtt://user"),
        (
            "notify:\n  home:\n    webhook: ftp://host/x\n    secret: s\n",
            "channel home: notify: ftp://host/x: ex",
        ),
        ("notify:\n  phone:\n    apprise: nonsense\n", "channel phone: notify: ***: not an Apprise URL"),
        ("store: events.db\n", "store: events.db: not a database URL; give sqlite:///PATH"),
        ("store: mysql://me:hidden@host/x\n", "store: mysql://me:***@host/x: give sqlite:///PATH"),
        ("clips: s3://\n", "clips: s3://: names no bucket; give s3://BUCKET/FOLDER"),
        ("clips: carrier-pigeon://x\n", "clips: carrier-pigeon://x: Protocol not known"),
    ],
)
def test_a_wrong_address_is_found_without_a_connection(tmp_path, text, message):
    path = tmp_path / "cameras.yaml"
    path.write_text(CAMERA + text)
    said = run("watch", path, "--check", code=2).stderr
    assert message in said
    assert "hidden" not in said
    assert "pass/word" not in said
    assert sorted(each.name for each in tmp_path.iterdir()) == ["cameras.yaml"]  # nothing was made


def test_addresses_that_cannot_be_reached_now_are_no_mistakes(tmp_path):
    path = tmp_path / "cameras.yaml"
    path.write_text(
        CAMERA + "store: postgresql://me@127.0.0.1:1/events\nclips: s3://bucket/clips\n"
        "notify:\n  home:\n    mqtt: mqtt://127.0.0.1:1\n"
        "  hook:\n    webhook: http://127.0.0.1:1\n    secret: s\n"
    )
    assert "1 cameras, 2 channels; no mistakes found" in run("watch", path, "--check").stdout
