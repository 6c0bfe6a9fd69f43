import json

import pytest
import torch
from clips import SMALL
from safetensors.torch import load_file, safe_open, save_file

from latentwatch.bundle.bundle import BundleInfo, Calibration, load_bundle, save_bundle
from latentwatch.bundle.file import write_model_file
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled


@pytest.fixture
def bundle(tmp_path):
    torch.manual_seed(1)
    model = Decoupled(SMALL)
    model.background.uniform_()
    calibration = Calibration(threshold=0.5, place_threshold=1, pixel_threshold=1, frames=9)
    info = BundleInfo(architecture=SMALL, fps=10, calibration=calibration, provenance={"clips": 2})
    path = tmp_path / "door.lw"
    save_bundle(path, model, info)
    return path, model, info


def rewritten(path, change):
    with safe_open(path, "pt") as opened:
        header = opened.metadata()
    tensors = load_file(path)
    change(tensors, header)
    save_file(tensors, path, header)


def test_round_trip(bundle):
    path, model, info = bundle
    loaded, description = load_bundle(path)
    assert description == info
    for name, tensor in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert [each.name for each in path.parent.iterdir()] == ["door.lw"]


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_cut_short(bundle, share):
    path = bundle[0]
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(LatentwatchError, match=r"door\.lw: damaged or not a Latentwatch model"):
        load_bundle(path)


def test_altered_weight(bundle):
    path = bundle[0]
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)
    with pytest.raises(LatentwatchError, match="checksum does not match"):
        load_bundle(path)


def test_foreign_safetensors(tmp_path):
    path = tmp_path / "other.lw"
    save_file({"x": torch.zeros(1)}, path)
    with pytest.raises(LatentwatchError, match="not a Latentwatch model"):
        load_bundle(path)


def test_newer_schema(bundle):
    from latentwatch.bundle.file import checksum

    def newer(tensors, header):
        header["latentwatch"] = json.dumps(json.loads(header["latentwatch"]) | {"schema_version": 7})
        header["sha256"] = checksum(tensors, header["latentwatch"])

    rewritten(bundle[0], newer)
    with pytest.raises(LatentwatchError, match="schema 7, this program reads up to schema 6"):
        load_bundle(bundle[0])


def test_schema_1_is_read_as_of_fp32(bundle):
    from latentwatch.bundle.file import checksum

    path, model, info = bundle

    def older(tensors, header):
        text = json.loads(header["latentwatch"])
        text["calibration"] = text.pop("calibrations")["fp32"]
        del text["fusion"]
        header["latentwatch"] = json.dumps(text | {"schema_version": 1})
        header["sha256"] = checksum(tensors, header["latentwatch"])

    rewritten(path, older)
    loaded, description = load_bundle(path)
    assert description == info
    assert torch.equal(loaded.background, model.background)
    assert description.calibration_for("bf16") == description.calibration_for("fp32") == info.calibration


@pytest.mark.parametrize("schema", [3, 4, 5])
def test_speed_as_it_was_measured_before_is_refused(bundle, schema):
    from latentwatch.bundle.file import checksum

    def with_speed(tensors, header):
        text = json.loads(header["latentwatch"])
        text |= {"schema_version": schema, "fusion": {"highest_speeds": [1]}}
        header["latentwatch"] = json.dumps(text)
        header["sha256"] = checksum(tensors, header["latentwatch"])

    rewritten(bundle[0], with_speed)
    with pytest.raises(LatentwatchError, match=r"door\.lw: .* measured otherwise; train the model anew"):
        load_bundle(bundle[0])


def test_calibrations_by_number_format(bundle):
    path, model, info = bundle
    other = info.calibration.model_copy(update={"threshold": 0.625})
    info = info.model_copy(update={"calibrations": {"fp32": info.calibration, "bf16": other}})
    save_bundle(path, model, info)
    read = load_bundle(path)[1]
    assert read.calibration_for("bf16").threshold == 0.625
    assert read.calibration_for("fp32").threshold == read.calibration_for("int8").threshold == 0.5


def test_calibration_in_fp32_must_be_there(bundle):
    info = bundle[2]
    with pytest.raises(ValueError, match="no calibration in fp32"):
        BundleInfo(architecture=SMALL, fps=10, calibrations={"bf16": info.calibration})


def test_missing(tmp_path):
    with pytest.raises(UsageError, match="no such model file"):
        load_bundle(tmp_path / "none.lw")


def test_a_file_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "taken").write_text("a file")
    for path, reason in (
        (tmp_path, "Is a directory"),
        (tmp_path / "taken" / "x.lw", "Not a directory|File exists"),
    ):
        with pytest.raises(LatentwatchError, match=f"cannot write the model: ({reason})"):
            write_model_file(path, {"a": torch.zeros(1)}, "{}")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
