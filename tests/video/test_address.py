import io
import logging
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentwatch.errors import UsageError
from latentwatch.video.address import is_address, mask, mask_logs, parse_address

# Long enough, and of letters that no other part of the addresses below has, so that finding one is a leak.
secret = st.text(st.sampled_from("QXZ7@/:?#&%=+ äß!$*'"), min_size=4, max_size=20).filter(
    lambda text: len(text.strip()) > 3 and any(letter in "QXZ" for letter in text)
)


def parts(password):
    """What of a password is long enough to be known again."""
    return {password, quote(password, safe=""), unquote(password)}


@given(secret)
def test_no_form_of_an_address_shows_the_password(password):
    address = parse_address(f"rtsp://admin:{quote(password, safe='')}@10.0.0.7:554/live/main?channel=1")
    said = f"Failed: {address.url!r} and {password} and {unquote(address.url)}"
    for shown in (str(address), repr(address), address.shown, address.scrub(said), mask(address.url)):
        assert not any(part in shown for part in parts(password))
    assert address.shown == "rtsp://admin:***@10.0.0.7:554/live/main?channel=1"
    assert unquote(address.url) == f"rtsp://admin:{password}@10.0.0.7:554/live/main?channel=1"


@given(secret)
def test_no_form_of_an_address_shows_a_token(token):
    address = parse_address(f"https://10.0.0.7/video.m3u8?token={quote(token, safe='')}&stream=2")
    assert address.shown == "https://10.0.0.7/video.m3u8?token=***&stream=2"
    assert address.url.endswith(f"token={quote(token, safe='')}&stream=2")
    assert quote(token, safe="") not in address.scrub(f"GET {address.url}: 403") + repr(address)


@given(st.text())
def test_any_text_can_be_masked_and_stays_so(text):
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    ("written", "opened", "shown"),
    [
        ("rtsp://u:p@w@h/a", "rtsp://u:p%40w@h/a", "rtsp://u:***@h/a"),
        ("rtsp://u:p/w?x@h/a", "rtsp://u:p%2Fw%3Fx@h/a", "rtsp://u:***@h/a"),
        ("rtsp://u:p w@h/a", "rtsp://u:p%20w@h/a", "rtsp://u:***@h/a"),
        ("RTSP://h:8554/a?b=c@d", "rtsp://h:8554/a?b=c@d", "rtsp://h:***@d"),
        ("rtsp://h/user=a_password=geheim_channel=1", None, "rtsp://h/user=a_password=***"),
        ("http://h/mjpg?user=a&password=geheim", None, "http://h/mjpg?user=***&password=***"),
        ("rtsp://u:@h/a", "rtsp://u:@h/a", "rtsp://u:***@h/a"),
        ("rtsp://[fe80::1]:554/a", "rtsp://[fe80::1]:554/a", "rtsp://[fe80::1]:554/a"),
    ],
)
def test_addresses_as_people_write_them(written, opened, shown):
    address = parse_address(written)
    assert address.shown == shown
    assert address.url == (opened or written)


def test_kinds():
    kinds = {
        text: parse_address(text).kind for text in ("usb:0", "/dev/video2", "a.mp4", "file:///a%20b.mp4")
    }
    assert kinds == {"usb:0": "usb", "/dev/video2": "usb", "a.mp4": "file", "file:///a%20b.mp4": "file"}
    assert parse_address("usb:1").url == "/dev/video1"
    assert parse_address("file:///a%20b.mp4").url == "/a b.mp4"
    assert is_address("rtsp://h/a")
    assert not is_address("films/a.mp4")
    with pytest.raises(UsageError, match=r"ftp://u:\*\*\*@h: cannot be watched; known are rtsp://"):
        parse_address("ftp://u:geheim@h")


def test_logs_are_masked_with_their_tracebacks():
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    mask_logs([handler])
    log = logging.Logger("libav.rtsp")
    log.addHandler(handler)
    log.warning("lost %s", "rtsp://u:geheim@h/a")
    log.warning("Authorization: Digest username=u, response=geheim")
    try:
        raise OSError("rtsp://u:geheim@h/a")
    except OSError:
        log.exception("failed")
    assert "geheim" not in out.getvalue()
    assert "rtsp://u:***@h/a" in out.getvalue()
    assert "Traceback" in out.getvalue()
