"""The model file of one camera: one safetensors file, verified on load, safe to receive from a stranger.

Weights and background are its tensors; everything else is JSON in its header. Nothing in it is executed.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from latentwatch.bundle.file import check_schema, read_model_file, system_in, write_model_file
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture

SCHEMA = 1
"""Version of the file's form. A reader refuses newer files."""


class Calibration(BaseModel):
    """What held-out normal footage scored.

    threshold: the anomaly score (Z-MSE) above which a frame is called unusual. place_threshold: the same for
    one place of the latent error map; pixel_threshold: for one pixel of the prediction error, None where the
    motion model predicts no frame. frames: how many scored frames they rest on.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    threshold: float = Field(ge=0)
    place_threshold: float = Field(ge=0)
    pixel_threshold: float | None = Field(ge=0)
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
    """Writes the bundle, whole or not at all. Raises `LatentwatchError` where it cannot be written."""
    write_model_file(path, model.state_dict(), info.model_dump_json())


def load_bundle(path: Path) -> tuple[Decoupled, BundleInfo]:
    """The model (in evaluation mode) and its description.

    Raises `UsageError` where there is no such file or it holds a baseline, and `LatentwatchError` where it is
    no bundle, cut short, altered, or of a newer schema.
    """
    tensors, text = read_model_file(path)
    system = system_in(text)
    if system != "decoupled":
        raise UsageError(f"{path}: a model of {system}; it can be used with score, evaluate and info alone")
    model, info = _build(path, text)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise LatentwatchError(f"{path}: its weights do not fit its architecture") from error
    return model.eval(), info


def _build(path: Path, text: str) -> tuple[Decoupled, BundleInfo]:
    try:
        check_schema(path, text, SCHEMA)
        info = BundleInfo.model_validate_json(text)
    except ValueError as error:
        raise LatentwatchError(f"{path}: its description is not valid: {error}".splitlines()[0]) from error
    return Decoupled(info.architecture), info
