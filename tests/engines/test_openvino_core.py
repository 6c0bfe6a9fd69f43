"""Ctrl-C after OpenVINO's models were freed: in a process of its own, which must not die of it."""

import subprocess
import sys

import pytest

SCRIPT = """
import gc, signal
from clips import random_model
from latentwatch.engines.openvino_engine import OpenvinoEngine
from latentwatch.models.presets import Architecture

model = random_model(Architecture(height=32, width_px=48, base_width=4))
engines = []
for _ in range(4):
    engines.append(OpenvinoEngine(model, bf16=False))
while engines:
    del engines[0]
    gc.collect()
kept = [bytearray(b"x") * 11568 for _ in range(3000)]  # what was freed is used again
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("stopped")
"""


def test_ctrl_c_after_models_are_freed(request):
    pytest.importorskip("openvino")
    tests = str(request.config.rootpath / "tests")
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {tests!r})\n{SCRIPT}"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == "stopped\n"
