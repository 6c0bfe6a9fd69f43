"""The model file of one camera: one safetensors file, verified on load, safe to receive from a stranger.

Weights and background are its tensors; everything else is JSON in its header. Nothing in it is executed.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from latentwatch.bundle.file import check_schema, is_int8, read_model_file, system_in, write_model_file
from latentwatch.bundle.fusion import Fusion
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Architecture, Precision

SCHEMA = 6
"""Version of the file's form. A reader refuses newer files.

1 had one `calibration`, of fp32; 2 has `calibrations`, by number format; 3 may have `fusion`; in 5 speed is
that of what stands out from the background, in 6 followed along its way.
"""

SPEED_SCHEMA = 6
"""The first whose speed is measured as it is now. What others say of it is of no use."""


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
    """All of a bundle but its weights.

    calibrations: by the number format that the scores were computed in; fp32 is always there. fusion: how
    Z-MSE and speed are made one score; None where the score is Z-MSE alone. provenance: free-form facts of
    the training run. A file of an older schema without `fusion` is read as one of this schema.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = SCHEMA
    architecture: Architecture
    fps: float = Field(gt=0)
    calibrations: dict[Precision, Calibration]
    fusion: Fusion | None = None
    provenance: dict[str, Any] = {}

    @model_validator(mode="before")
    @classmethod
    def _from_older_schema(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        rest = {name: value for name, value in data.items() if name != "calibration"}
        if "calibration" in data:
            rest["calibrations"] = {"fp32": data["calibration"]}
        return rest | {"schema_version": SCHEMA}

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if "fp32" not in self.calibrations:
            raise ValueError("no calibration in fp32")
        rows = self.architecture.code_shape[1]
        if self.fusion and len(self.fusion.highest_speeds) != rows:
            raise ValueError(f"speeds of {len(self.fusion.highest_speeds)} rows for a code of {rows}")
        return self

    @property
    def calibration(self) -> Calibration:
        """The calibration in fp32."""
        return self.calibrations["fp32"]

    @property
    def threshold(self) -> float:
        """The score, fused or not, above which a frame is called unusual, in fp32."""
        return self.fusion.threshold if self.fusion else self.calibration.threshold

    def calibration_for(self, precision: Precision) -> Calibration:
        """The calibration in a number format, or that in fp32 where there is none."""
        return self.calibrations.get(precision, self.calibration)


def save_bundle(path: Path, model: Decoupled, info: BundleInfo) -> None:
    """Writes the bundle, whole or not at all. Raises `LatentwatchError` where it cannot be written."""
    write_model_file(path, model.state_dict(), info.model_dump_json())


def load_bundle(path: Path) -> tuple[Decoupled, BundleInfo]:
    """The model (in evaluation mode) and its description.

    Raises `UsageError` where there is no such file or it holds a baseline, and `LatentwatchError` where it is
    no bundle, cut short, altered, of a newer schema, or scores by speed as an older schema measured it.
    """
    tensors, text = read_model_file(path)
    if is_int8(text):
        raise UsageError(f"{path}: the int8 form of a model; give the model file itself, and --int8")
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
        description = check_schema(path, text, SCHEMA)
        if description["schema_version"] < SPEED_SCHEMA and description.get("fusion"):
            raise LatentwatchError(
                f"{path}: its scores rest on a speed that an older Latentwatch measured otherwise; "
                "train the model anew"
            )
        info = BundleInfo.model_validate_json(text)
    except ValueError as error:
        raise LatentwatchError(f"{path}: its description is not valid: {error}".splitlines()[0]) from error
    return Decoupled(info.architecture), info
