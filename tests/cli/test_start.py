"""What must not wait for PyTorch does not import it."""

import subprocess
import sys
from importlib.metadata import version

import pytest
from command import COMMAND, run

from latentwatch.baselines.registry import SYSTEMS
from latentwatch.monitor.store import EventStore

SETTINGS = "cameras:\n  door:\n    url: door.mp4\n    model: door.lw\n"


def make_store(folder):
    EventStore(f"sqlite:///{folder}/latentwatch-data/events.db").close()


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--help"], "watch"),
        (["--version"], f"latentwatch {version('latentwatch')}"),
        (["train", "--help"], "--width"),
        (["watch", "cameras.yaml", "--check"], "1 cameras, 0 channels; no mistakes"),
        (["events", "list", "cameras.yaml"], "level"),
    ],
)
def test_torch_is_not_imported(tmp_path, words, shown):
    (tmp_path / "cameras.yaml").write_text(SETTINGS)
    make_store(tmp_path)
    done = subprocess.run(
        [COMMAND[0], "-X", "importtime", *COMMAND[1:], *words],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "latentwatch.cli.main" in imported
    assert not imported & {"torch", "kornia", "openvino", "pytorch_lightning", "matplotlib", "scipy"}


def test_the_package_imports_torch_when_it_is_used():
    code = (
        "import latentwatch, sys; assert 'torch' not in sys.modules; latentwatch.load; sys.modules['torch']"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
    code = "import latentwatch; latentwatch.nothing"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "AttributeError: module 'latentwatch' has no attribute 'nothing'" in done.stderr


def test_python_can_run_the_package():
    done = subprocess.run([sys.executable, "-m", "latentwatch", "--help"], check=True, capture_output=True)
    assert b"watch" in done.stdout


def run_without(missing, folder, *words):
    """The command where so many packages are not installed."""
    code = (
        f"import sys; sys.modules |= dict.fromkeys({missing}); from latentwatch.cli.main import main; main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_a_missing_extra_is_one_line(tmp_path):
    (tmp_path / "cameras.yaml").write_text(SETTINGS)
    done = run_without(["sqlalchemy"], tmp_path, "watch", "cameras.yaml")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("latentwatch: sqlalchemy")
    assert line.endswith("is not installed; in the folder of Latentwatch's source: pip install '.[monitor]'")


def test_experiments_are_there_without_the_monitor_extra(tmp_path, shared_data):
    """All but live, which watches with the real program, and says so before it trains anything."""
    missing = ["alembic", "apprise", "cryptography", "paho", "prometheus_client", "sqlalchemy"]
    done = run_without(missing, tmp_path, "reproduce", "--list")
    assert done.returncode == 0, done.stderr
    assert "drift" in done.stdout
    assert "live" in done.stdout
    live = run_without(missing, tmp_path, "reproduce", "live", "--data", str(shared_data), "--quick")
    assert live.returncode == 1
    assert "training" not in live.stdout
    assert "is not installed; in the folder" in live.stderr


@pytest.mark.parametrize("listed", ["list", "problems"])
def test_events_of_a_camera_that_is_not_there(monkeypatch, tmp_path, listed):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cameras.yaml").write_text(SETTINGS)
    make_store(tmp_path)
    assert "camera" in run("events", listed, "cameras.yaml", "--camera", "door").stdout
    left = run("events", listed, "cameras.yaml", "--camera", "dor", code=2)
    assert "no camera dor; known are door" in left.stderr


def test_help_names_every_system():
    shown = " ".join(run("train", "--help").stdout.replace("│", " ").split())
    for system in SYSTEMS:
        assert system in shown
