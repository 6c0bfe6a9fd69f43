"""What `latentwatch export` writes is enough to score frames without PyTorch."""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import SMALL, moving_square

import latentwatch
from latentwatch.cli.main import main
from latentwatch.engines.openvino_core import openvino_core
from latentwatch.video.source import open_video


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["latentwatch", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def onnx_runner(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda given: dict(
        zip((port.name for port in session.get_outputs()), session.run(None, given), strict=True)
    )


def openvino_runner(path):
    compiled = openvino_core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda given: {port.any_name: values for port, values in compiled(given).items()}


@pytest.mark.parametrize(("to", "runner"), [("onnx", onnx_runner), ("openvino", openvino_runner)])
def test_the_json_is_all_that_is_needed(monkeypatch, capsys, bundle, tmp_path, to, runner):
    assert run(monkeypatch, "export", bundle, "--to", to) == 0
    folder = tmp_path / f"door-{to}"
    assert str(folder) in capsys.readouterr().out
    facts = json.loads((folder / f"{to}.json").read_text())
    assert {path.name for path in folder.iterdir()} == {*facts["sha256"], f"{to}.json"}
    for name, digest in facts["sha256"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    assert facts["source"] == {"file": "door.lw", "sha256": hashlib.sha256(bundle.read_bytes()).hexdigest()}
    assert facts["thresholds"] == {"threshold": 0.5, "place_threshold": 0.75}
    assert facts["fps"] == 10
    places = [str(Path(latentwatch.__file__).parent), sys.prefix, str(tmp_path), "site-packages"]
    for path in folder.iterdir():  # converters like to note where they ran
        assert not [place for place in places if place.encode() in path.read_bytes()], path.name

    height, width = facts["input_size"]["height"], facts["input_size"]["width"]
    frames = list(open_video(moving_square(tmp_path / "clip", frames=30), size=(height, width)))
    encoder, motion, step = (
        runner(str(folder / facts[part]["file"])) for part in ("encoder", "motion", "step")
    )
    k, horizon = facts["k"], facts["horizon"]
    codes = encoder({"frames": np.stack([frame.rgb for frame in frames])})["codes"]
    windows = np.stack([codes[start : start + k] for start in range(len(frames) - k - horizon + 1)])
    predicted = motion({"codes": windows})["code"]
    scores = np.square(predicted - codes[k + horizon - 1 :]).mean(axis=(1, 2, 3))
    waits = facts["step"]["waits"]
    past = [np.zeros([1, *facts["step"]["inputs"][0]["shape"][1:]], np.float32)] * max(waits)
    for now, code in enumerate(codes[:-horizon]):
        due = np.stack([past[-wait][:, term] for term, wait in enumerate(waits)], axis=1)
        made = step({"due": due, "codes": code[None]})
        past.append(made["terms"])
        if now >= k - 1:
            np.testing.assert_allclose(made["code"][0], predicted[now - k + 1], rtol=1e-3, atol=1e-4)
    for part in ("encoder", "motion", "step"):
        for port in (*facts[part]["inputs"], *facts[part]["outputs"]):
            assert port["shape"][0] == "N"
            assert port["type"] == ("uint8" if port["name"] == "frames" else "float32")
    assert facts["encoder"]["outputs"] == [
        {"name": "codes", "type": "float32", "shape": ["N", *SMALL.code_shape]}
    ]

    detector = latentwatch.load(bundle, "torch")
    expected = [result.score for frame in frames if (result := detector.step(frame))]
    np.testing.assert_allclose(scores, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["export", "none.lw", "--to", "onnx"], 2, "no such model file"),
        (["export", "door.lw", "--to", "onnx", "-o", "door.lw"], 1, "cannot write the export"),
        (["score", "door.lw", "clip", "--engine", "onnx", "--bf16"], 2, "ONNX Runtime computes in fp32"),
        (["score", "door.lw", "nowhere", "--engine", "onnx"], 2, "nowhere: no such file or folder"),
    ],
)
def test_mistakes_get_one_clear_line(monkeypatch, capsys, bundle, tmp_path, words, code, message):
    monkeypatch.chdir(tmp_path)
    moving_square(tmp_path / "clip", frames=2)
    assert bundle.is_file()
    assert run(monkeypatch, *words) == code
    stderr = capsys.readouterr().err
    assert message in stderr
    assert len(stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("words", [["--to", "tflite"], []])
def test_form_must_be_known(monkeypatch, bundle, words):
    assert run(monkeypatch, "export", bundle, *words) == 2


@pytest.mark.parametrize(
    ("to", "package", "extra"), [("onnx", "onnxscript", "onnx"), ("openvino", "openvino", "openvino")]
)
def test_missing_package(monkeypatch, capsys, bundle, tmp_path, to, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    assert run(monkeypatch, "export", bundle, "--to", to) == 1
    assert f"pip install '.[{extra}]'" in capsys.readouterr().err
    assert not (tmp_path / f"door-{to}").exists()


@pytest.mark.parametrize("engine", ["auto", "torch", "onnx", "openvino"])
def test_score_on_each_engine(monkeypatch, capsys, bundle, tmp_path, engine):
    moving_square(tmp_path / "clip", frames=20)
    out = tmp_path / "out"
    assert run(monkeypatch, "score", bundle, tmp_path / "clip", "-o", out, "--engine", engine, "--fp32") == 0
    expected = "openvino" if engine == "auto" else engine
    assert f"(engine: {expected} fp32)" in capsys.readouterr().out
    scores = [frame["z_mse"] for frame in json.loads((out / "clip.json").read_text())["frames"]]
    detector = latentwatch.load(bundle, "torch")
    for score, frame in zip(scores, open_video(tmp_path / "clip"), strict=True):
        result = detector.step(frame)
        assert score == (pytest.approx(result.score, rel=1e-4) if result else None)
