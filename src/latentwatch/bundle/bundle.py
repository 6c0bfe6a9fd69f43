"""The model file of one camera: one safetensors file, verified on load, safe to receive from a stranger.

Weights and background are its tensors; everything else is JSON in its header. Nothing in it is executed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture

SCHEMA = 1
"""Version of the file's form. A reader refuses newer files."""


class Calibration(BaseModel):
    """What held-out normal footage scored.

    threshold: the anomaly score (Z-MSE) above which a frame is called unusual. place_threshold: the same for
    one place of the latent error map; pixel_threshold: for one pixel of the prediction error. frames: how
    many scored frames they rest on.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    threshold: float = Field(ge=0)
    place_threshold: float = Field(ge=0)
    pixel_threshold: float = Field(ge=0)
    frames: int = Field(ge=1)


class BundleInfo(BaseModel):
    """All of a bundle but its weights. provenance: free-form facts of the training run."""

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA
    architecture: Architecture
    fps: float = Field(gt=0)
    calibration: Calibration
    provenance: dict[str, Any] = {}


def save_bundle(path: Path, model: Decoupled, info: BundleInfo) -> None:
    """Writes the bundle beside its final name, then renames, so that a file is replaced whole or not at all.

    Raises `LatentwatchError` where it cannot be written.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    text = info.model_dump_json()
    data = save(tensors, {"latentwatch": text, "sha256": _checksum(tensors, text)})
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LatentwatchError(f"{path}: cannot write the model: {error.strerror}") from error


def load_bundle(path: Path) -> tuple[Decoupled, BundleInfo]:
    """The model (in evaluation mode) and its description.

    Raises `UsageError` where there is no such file, and `LatentwatchError` where it is no bundle, cut short,
    altered, or of a newer schema.
    """
    if not path.is_file():
        raise UsageError(f"{path}: no such model file; train one with 'latentwatch train'")
    try:
        with safe_open(path, framework="pt") as opened:
            header = opened.metadata() or {}
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise LatentwatchError(
            f"{path}: damaged or not a Latentwatch model ({error}); copy it again or train it anew"
        ) from error
    if "latentwatch" not in header:
        raise LatentwatchError(f"{path}: a safetensors file, but not a Latentwatch model")
    text = header["latentwatch"]
    if _checksum(tensors, text) != header.get("sha256"):
        raise LatentwatchError(f"{path}: checksum does not match, the file is damaged; copy it again")
    model, info = _build(path, text)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise LatentwatchError(f"{path}: its weights do not fit its architecture") from error
    return model.eval(), info


def _build(path: Path, text: str) -> tuple[Decoupled, BundleInfo]:
    try:
        version = json.loads(text).get("schema_version")
        if version != SCHEMA:
            raise LatentwatchError(
                f"{path}: model file of schema {version}, this program reads schema {SCHEMA}; "
                "update Latentwatch or train the model anew"
            )
        info = BundleInfo.model_validate_json(text)
    except (ValueError, AttributeError, ValidationError) as error:
        raise LatentwatchError(f"{path}: its description is not valid: {error}".splitlines()[0]) from error
    return Decoupled(info.architecture), info


def _checksum(tensors: dict[str, torch.Tensor], text: str) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
