"""What must not wait for PyTorch does not import it."""

import subprocess
import sys

import pytest
from command import COMMAND, run

from latentwatch.baselines.registry import SYSTEMS

SETTINGS = "cameras:\n  door:\n    url: door.mp4\n    model: door.lw\n"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--help"], "watch"),
        (["train", "--help"], "--width"),
        (["watch", "cameras.yaml", "--check"], "1 cameras, 0 channels; no mistakes"),
        (["events", "list", "cameras.yaml"], "level"),
    ],
)
def test_torch_is_not_imported(tmp_path, words, shown):
    (tmp_path / "cameras.yaml").write_text(SETTINGS)
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


def test_help_names_every_system():
    shown = " ".join(run("train", "--help").stdout.replace("│", " ").split())
    for system in SYSTEMS:
        assert system in shown
