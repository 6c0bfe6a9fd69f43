"""A camera's model in int8: made, checked, refused, verified on load, scored with."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from clips import SMALL, learn_statistics, moving_square, random_model

import latentwatch
from latentwatch.bundle.bundle import BundleInfo, Calibration, save_bundle
from latentwatch.bundle.int8 import int8_file, load_int8, save_int8
from latentwatch.cli.main import main
from latentwatch.datasets.folder import clips_in
from latentwatch.errors import LatentwatchError, MissingPackageError, UsageError
from latentwatch.training import quantise
from latentwatch.training.quantise import BOUND, quantise_camera
from latentwatch.video.source import open_video


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """A model file, its footage, and what quantising it said."""
    folder = tmp_path_factory.mktemp("int8")
    footage = moving_square(folder / "footage", frames=70)
    model = random_model(SMALL)
    learn_statistics(model, torch.from_numpy(np.stack([frame.rgb for frame in open_video(footage)])))
    calibration = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=9)
    save_bundle(folder / "door.lw", model, BundleInfo(architecture=SMALL, fps=10, calibration=calibration))
    return folder, quantise_camera(folder / "door.lw", clips_in(footage), say=lambda _: None)


@pytest.fixture
def copied(camera, tmp_path):
    """A copy that a test may spoil."""
    for name in ("door.lw", "door.int8"):
        shutil.copy(camera[0] / name, tmp_path / name)
    return tmp_path / "door.lw"


def run(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["latentwatch", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code


def test_int8_predicts_nearly_as_well_and_is_int8(camera):
    folder, made = camera
    before, after = made.trial.relative_error
    assert made.file == folder / "door.int8"
    assert after != before
    assert abs(after / before - 1) <= BOUND
    graphs, info = load_int8(folder / "door.lw")
    assert set(graphs) == {"encoder", "step"}
    assert all(b"FakeQuantize" in xml for xml, _ in graphs.values())
    assert info.relative_error == made.trial.relative_error
    assert info.calibration.frames == made.trial.frames


def test_scores_by_its_own_threshold(camera):
    folder = camera[0]
    detector, reference = (
        latentwatch.load(folder / "door.lw", int8=True),
        latentwatch.load(folder / "door.lw"),
    )
    assert str(detector.engine) == "openvino int8"
    assert detector.calibration == load_int8(folder / "door.lw")[1].calibration != reference.calibration
    pairs = [(detector.step(f), reference.step(f)) for f in open_video(folder / "footage")]
    scores = np.array([[one.score, other.score] for one, other in pairs if one])
    np.testing.assert_allclose(scores[:, 0], scores[:, 1], rtol=0.2)
    assert (scores[:, 0] != scores[:, 1]).all()


def test_windows_and_steps_agree_in_int8(camera):
    engine = latentwatch.load(camera[0] / "door.lw", int8=True).engine
    codes = engine.encode(np.stack([f.rgb for f in open_video(camera[0] / "footage")])[: SMALL.k + 3])
    stream = engine.stream(SMALL.k)
    made = [code for code in map(stream.push, codes) if code is not None]
    windows = np.stack([codes[i : i + SMALL.k] for i in range(4)])
    np.testing.assert_allclose(engine.predict(windows), made, rtol=1e-3, atol=1e-3)


def test_damaged_missing_or_of_another_model(copied, monkeypatch, capsys):
    file = int8_file(copied)
    whole = file.read_bytes()
    spoilt = bytearray(whole)
    spoilt[-5] ^= 1
    for contents, message in (
        (whole[: len(whole) // 2], "damaged or not a Latentwatch model"),
        (bytes(spoilt), "checksum does not match"),
        (copied.read_bytes(), "not an int8 file"),
    ):
        file.write_bytes(contents)
        with pytest.raises(LatentwatchError, match=message):
            latentwatch.load(copied, int8=True)
    file.write_bytes(whole)
    graphs, info = load_int8(copied)
    save_int8(file, graphs, info.model_copy(update={"schema_version": 1}))
    with pytest.raises(LatentwatchError, match="made by an older Latentwatch"):
        latentwatch.load(copied, int8=True)
    file.write_bytes(whole)
    other = random_model(SMALL)
    calibration = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=9)
    save_bundle(copied, other, BundleInfo(architecture=SMALL, fps=10, calibration=calibration))
    assert run(monkeypatch, "score", copied, copied.parent, "--int8") == 2  # no footage there
    moving_square(copied.parent / "clip", frames=3)
    capsys.readouterr()
    assert run(monkeypatch, "score", copied, copied.parent / "clip", "--int8") == 1
    stderr = capsys.readouterr().err
    assert "was made from another model" in stderr
    assert len(stderr.strip().splitlines()) == 1
    file.unlink()
    with pytest.raises(UsageError, match=r"no int8 form of .*latentwatch quantise .*\.lw FOOTAGE"):
        latentwatch.load(copied, int8=True)


def test_the_int8_file_is_not_the_model(copied, monkeypatch, capsys):
    assert run(monkeypatch, "info", int8_file(copied)) == 2
    assert "the int8 form of a model; give the model file itself" in capsys.readouterr().err


def test_a_place_that_cannot_be_is_refused_before_the_work(copied, monkeypatch, capsys, camera):
    monkeypatch.setattr(quantise, "try_int8", None)  # would fail if it were called
    for place, message in ((copied.parent, "is a folder"), (copied / "x.int8", "is a file and no folder")):
        assert run(monkeypatch, "quantise", copied, camera[0] / "footage", "-o", place) == 2
        stderr = capsys.readouterr().err
        assert message in stderr
        assert len(stderr.strip().splitlines()) == 1


def test_wrong_use(copied):
    with pytest.raises(UsageError, match="OpenVINO alone"):
        latentwatch.load(copied, "onnx", int8=True)
    with pytest.raises(UsageError, match="not together with"):
        latentwatch.load(copied, int8=True, bf16=False)


def test_score_on_the_command_line(copied, monkeypatch, capsys, camera):
    out = copied.parent / "out"
    assert run(monkeypatch, "score", copied, camera[0] / "footage", "--int8", "-o", out) == 0
    assert "(engine: openvino int8)" in capsys.readouterr().out
    threshold = load_int8(copied)[1].calibration.threshold
    assert json.loads((out / "footage.json").read_text())["threshold"] == threshold


def test_refused_with_the_figure_and_nothing_written(copied, monkeypatch, capsys, camera):
    monkeypatch.setattr(quantise, "BOUND", 1e-9)
    file = int8_file(copied)
    file.unlink()
    assert run(monkeypatch, "quantise", copied, camera[0] / "footage") == 1
    assert "it moved by" in capsys.readouterr().err
    assert not file.exists()


def test_footage_that_teaches_nothing(copied, tmp_path):
    from PIL import Image

    still = tmp_path / "still"
    still.mkdir()
    for index in range(40):
        Image.new("RGB", (48, 32), (90, 90, 90)).save(still / f"{index:02}.png")
    with pytest.raises(LatentwatchError, match="nothing changes in the footage"):
        quantise_camera(copied, clips_in(still), say=lambda _: None)
    short = moving_square(tmp_path / "short", frames=SMALL.span - 1)
    with pytest.raises(LatentwatchError, match="footage is too short"):
        quantise_camera(copied, clips_in(short), say=lambda _: None)


def test_missing_package(copied, monkeypatch, camera):
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(MissingPackageError, match=r"\.\[quantise\]"):
        quantise_camera(copied, clips_in(camera[0] / "footage"), say=pytest.fail)  # nothing is decoded first


def test_nncf_telemetry_stays_out(tmp_path):
    code = (
        "import sys; from latentwatch.engines.packages import require_nncf; require_nncf();"
        "from nncf.telemetry import wrapper;"
        "found = any(name.startswith('openvino_telemetry') for name in sys.modules);"
        "sys.exit(found or type(wrapper.telemetry).__name__ == 'NNCFTelemetry')"
    )
    quiet = {**os.environ, "HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "CI": "false"}
    assert subprocess.run([sys.executable, "-c", code], check=False, env=quiet).returncode == 0
    assert not [path for path in tmp_path.rglob("*") if "intel" in path.name.lower()]
