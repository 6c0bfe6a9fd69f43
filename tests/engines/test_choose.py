import os
import subprocess
import sys

import pytest

import latentwatch
from latentwatch.engines import choose, openvino_engine
from latentwatch.engines.choose import fastest_first, open_engine
from latentwatch.engines.packages import require_openvino
from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError


def without(monkeypatch, *packages):
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)


@pytest.mark.parametrize(
    ("engine", "package", "extra"),
    [
        ("onnx", "onnxruntime", "onnx"),
        ("onnx", "onnxscript", "onnx"),
        ("onnx", "onnx", "onnx"),
        ("openvino", "openvino", "openvino"),
    ],
)
def test_missing_package_names_its_extra(monkeypatch, small_model, engine, package, extra):
    without(monkeypatch, package)
    with pytest.raises(MissingPackageError, match=rf"^{package} cannot .*pip install '\.\[{extra}\]'$"):
        open_engine(small_model, engine)


def test_auto_takes_the_fastest_that_is_installed(monkeypatch, small_model):
    monkeypatch.setattr(choose, "cpu_has_bf16", lambda: False)
    assert open_engine(small_model).name == "openvino"
    without(monkeypatch, "openvino")
    assert open_engine(small_model).name == "onnx"
    without(monkeypatch, "onnxruntime")
    assert str(open_engine(small_model)) == "torch fp32"
    monkeypatch.setattr(choose, "cpu_has_bf16", lambda: True)
    assert str(open_engine(small_model)) == "torch bf16"
    assert str(open_engine(small_model, bf16=False)) == "torch fp32"


def test_order(monkeypatch):
    monkeypatch.setattr(choose, "cpu_has_bf16", lambda: True)
    assert [name for name, _ in fastest_first(None)] == ["openvino", "torch", "onnx", "torch"]
    assert fastest_first(True) == [("openvino", True), ("torch", True)]
    assert fastest_first(False) == [("openvino", False), ("onnx", False), ("torch", False)]


def test_wrong_use(small_model):
    with pytest.raises(UsageError, match="no such engine; known are auto, torch, onnx, openvino"):
        open_engine(small_model, "tensorrt")
    with pytest.raises(UsageError, match="ONNX Runtime computes in fp32"):
        open_engine(small_model, "onnx", bf16=True)


def test_load_takes_an_engine(bundle):
    assert str(latentwatch.load(bundle, "torch").engine) == "torch fp32"
    assert str(latentwatch.load(bundle, engine="openvino", bf16=False).engine) == "openvino fp32"
    assert latentwatch.load(bundle).engine.name == "openvino"


def test_openvino_telemetry_stays_out(tmp_path):
    # It would leave an identifier in the home folder and send events over the network.
    code = (
        "import sys; from latentwatch.engines.packages import require_openvino; require_openvino().Core();"
        "sys.exit(any(name.startswith('openvino_telemetry') for name in sys.modules))"
    )
    quiet = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "CI": "false"}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=quiet).returncode == 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("engine", "place"), [("onnx", "torch.onnx.export"), ("openvino", "openvino.convert_model")]
)
def test_a_model_that_cannot_be_converted_gets_one_line(monkeypatch, small_model, engine, place):
    def fails(*_, **__):
        raise RuntimeError("first line\nmany more")

    require_openvino()
    monkeypatch.setattr(openvino_engine, "_kept", openvino_engine._Converted())  # none was converted before
    monkeypatch.setattr(place, fails)
    with pytest.raises(LatentwatchError, match=r"cannot convert the encoder .*: first line$"):
        open_engine(small_model, engine)
