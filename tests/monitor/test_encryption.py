import base64
import io
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.encryption import CHUNK, DecryptingFile, EncryptingFile, read_keys

KEY, OLD_KEY = bytes(range(32)), bytes(range(32, 64))
SEALED_CHUNK = CHUNK + 16


def sealed(folder, clear, key=KEY, name="a.mp4"):
    path = folder / "sealed"
    file = EncryptingFile(path, key, name)
    for at in range(0, len(clear), 10_000):
        file.write(clear[at : at + 10_000])
    file.close()
    return path.read_bytes()


def opened(data, keys=(KEY,), name="a.mp4"):
    return DecryptingFile(io.BytesIO(data), keys, name).read()


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7]),
    st.integers(1000, 2 * CHUNK),
)
def test_what_goes_in_comes_out_in_any_steps(tmp_path_factory, length, step):
    clear = os.urandom(length)
    data = sealed(tmp_path_factory.mktemp("sealed"), clear)
    file = DecryptingFile(io.BytesIO(data), [KEY], "a.mp4")
    parts = list(iter(lambda: file.read(step), b""))
    assert b"".join(parts) == clear
    assert all(len(part) == step for part in parts[:-1])
    assert clear[:40] not in data or length < 8


def test_every_key_decrypts_and_another_does_not(tmp_path):
    data = sealed(tmp_path, b"picture", OLD_KEY)
    assert opened(data, [KEY, OLD_KEY]) == b"picture"
    with pytest.raises(LatentwatchError, match=r"a\.mp4: encrypted with a key that is not in privacy\.keys"):
        opened(data, [KEY])


def test_each_file_has_a_key_of_its_own(tmp_path):
    assert sealed(tmp_path, b"x" * 100)[50:] != sealed(tmp_path, b"x" * 100)[50:]


def test_damage_is_noticed(tmp_path):
    data = sealed(tmp_path, os.urandom(3 * CHUNK))
    header = data[: len(data) - 3 * SEALED_CHUNK]
    chunks = [data[len(header) + i * SEALED_CHUNK :][:SEALED_CHUNK] for i in range(3)]
    spoiled = {
        "cut in a chunk": data[:-1],
        "cut between chunks": header + chunks[0] + chunks[1],
        "swapped": header + chunks[1] + chunks[0] + chunks[2],
        "one left out": header + chunks[0] + chunks[2],
        "one more": data + chunks[2],
        "a bit": data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
        "nothing but the header": header,
    }
    for each in spoiled.values():
        with pytest.raises(LatentwatchError, match="damaged or cut short"):
            opened(each)
    for each in (b"", data[:30], b"clear text that is long enough to be a header of the format, surely"):
        with pytest.raises(LatentwatchError, match="not encrypted by Latentwatch, or cut short"):
            opened(each)
    with pytest.raises(LatentwatchError, match="not in privacy"):  # another file's contents
        opened(data, name="b.mp4")


def test_keys_come_from_the_environment_and_from_files(tmp_path, monkeypatch):
    monkeypatch.setenv("CLIP_KEY", base64.b64encode(bytes(range(220, 252))).decode())  # has + and /
    file = tmp_path / "old"
    file.write_text(base64.urlsafe_b64encode(OLD_KEY).decode() + "\n")
    assert read_keys(["${CLIP_KEY}", f"${{file:{file}}}"]) == [bytes(range(220, 252)), OLD_KEY]
    monkeypatch.setenv("CLIP_KEY", "hunter2")
    with pytest.raises(UsageError, match="expected what 'openssl rand -base64 32' prints") as caught:
        read_keys(["${CLIP_KEY}"])
    assert "hunter2" not in str(caught.value)
    with pytest.raises(UsageError, match=r"privacy\.keys: \$\{NO_KEY\}: no such environment variable"):
        read_keys(["${NO_KEY}"])
