"""Signals that come while the program is still being imported."""

import signal
import sys

import pytest

from latentwatch.cli import entry


@pytest.fixture
def hangup():
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # `nohup` has it ignored
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hangup")
@pytest.mark.parametrize(("command", "ignored"), [("watch", True), ("train", False)])
def test_a_reload_that_comes_too_soon_does_not_end_watch(command, ignored, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["latentwatch", command, "--help"])
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert not end.value.code
    assert (signal.getsignal(signal.SIGHUP) is signal.SIG_IGN) == ignored


def test_ctrl_c_while_it_is_imported_gives_no_traceback(monkeypatch):
    class Interrupted:
        def find_spec(self, name, *_):
            if name == "latentwatch.cli.main":
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "latentwatch.cli.main", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Interrupted(), *sys.meta_path])
    monkeypatch.setattr(sys, "argv", ["latentwatch", "info"])
    with pytest.raises(SystemExit) as end:
        entry.main()
    assert end.value.code == 130
