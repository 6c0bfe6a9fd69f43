"""The int8 form of a model: a file beside it that belongs to that one model file, and is verified on load.

Its tensors are the bytes of OpenVINO's files, and its text is JSON. Nothing in it is executed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field

from latentwatch.bundle.bundle import Calibration
from latentwatch.bundle.file import check_schema, checksum_of, is_int8, read_model_file, write_model_file
from latentwatch.errors import LatentwatchError, UsageError

SCHEMA = 2
"""Version of the file's form. A reader refuses newer files, and older ones: their step has other inputs."""

Graphs = Mapping[str, tuple[bytes, bytes]]
"""By the name of each graph, the contents of OpenVINO's `.xml` and `.bin`."""


class Int8Info(BaseModel):
    """What an int8 file says of itself.

    belongs_to: checksum of the model file that it was made from. calibration: see `BundleInfo.calibrations`.
    relative_error: prediction error on held-out normal footage over the code's variance, before and after.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    kind: Literal["int8"] = "int8"
    schema_version: int = SCHEMA
    belongs_to: str
    calibration: Calibration
    relative_error: tuple[float, float]
    provenance: dict[str, Any] = Field(default_factory=dict)


def int8_file(bundle: Path) -> Path:
    """Where the int8 form of a model file is looked for: `front-door.lw` has `front-door.int8`."""
    return bundle.with_suffix(".int8")


def save_int8(path: Path, graphs: Graphs, info: Int8Info) -> None:
    """Writes the file, whole or not at all. Raises `LatentwatchError` where it cannot be written."""
    tensors = {
        f"{name}.{kind}": torch.frombuffer(bytearray(contents), dtype=torch.uint8)
        for name, pair in graphs.items()
        for kind, contents in zip(("xml", "bin"), pair, strict=True)
    }
    write_model_file(path, tensors, info.model_dump_json())


def load_int8(bundle: Path) -> tuple[Graphs, Int8Info]:
    """The graphs of the int8 form of the model file `bundle`, and its description.

    Raises `UsageError` where there is none, and `LatentwatchError` where it is damaged, of a newer schema,
    no int8 file, or belongs to another model file.
    """
    path = int8_file(bundle)
    if not path.is_file():
        raise UsageError(
            f"{path}: no int8 form of {bundle} beside it; make it with 'latentwatch quantise {bundle} "
            "FOOTAGE', or move there what its --output wrote elsewhere"
        )
    tensors, text = read_model_file(path)
    if not is_int8(text):
        raise LatentwatchError(f"{path}: not an int8 file; make it anew with 'latentwatch quantise'")
    try:
        check_schema(path, text, SCHEMA)
        info = Int8Info.model_validate_json(text)
    except ValueError as error:
        raise LatentwatchError(f"{path}: its description is not valid: {error}".splitlines()[0]) from error
    if info.schema_version < SCHEMA:
        raise LatentwatchError(
            f"{path}: was made by an older Latentwatch; make it anew with 'latentwatch quantise'"
        )
    if info.belongs_to != checksum_of(bundle):
        raise LatentwatchError(
            f"{path}: was made from another model than {bundle}; make it anew with 'latentwatch quantise'"
        )
    names = sorted({name.rpartition(".")[0] for name in tensors})
    try:
        files = {name: (_bytes(tensors[f"{name}.xml"]), _bytes(tensors[f"{name}.bin"])) for name in names}
    except KeyError as error:
        raise LatentwatchError(f"{path}: lacks {error}; make it anew with 'latentwatch quantise'") from error
    return files, info


def _bytes(tensor: torch.Tensor) -> bytes:
    return tensor.numpy().tobytes()
