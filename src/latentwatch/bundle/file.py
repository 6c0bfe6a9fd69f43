"""A model file: tensors and a JSON text in one safetensors file with a checksum.

Nothing in it is executed.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.whole_file import whole_file


def check_place(path: Path) -> None:
    """Raises `UsageError` where no model file can be at `path`; asked before the work, not hours later."""
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; give the name of the model file to write")
    above = next((folder for folder in path.parents if folder.exists()), path)
    if not above.is_dir():
        raise UsageError(f"{path}: cannot be written, {above} is a file and no folder; give another name")


def write_model_file(path: Path, tensors: dict[str, torch.Tensor], text: str) -> None:
    """Writes the file, whole or not at all. Raises `LatentwatchError` where it cannot be written."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(tensors, {"latentwatch": text, "sha256": checksum(tensors, text)})
    try:
        with whole_file(path) as part:
            part.write_bytes(data)
    except OSError as error:
        raise LatentwatchError(f"{path}: cannot write the model: {error.strerror}") from error


def read_model_file(path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """The tensors and the text, verified.

    Raises `UsageError` where there is no such file, and `LatentwatchError` where it is no model file, cut
    short or altered.
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
    if checksum(tensors, text) != header.get("sha256"):
        raise LatentwatchError(f"{path}: checksum does not match, the file is damaged; copy it again")
    return tensors, text


def system_in(text: str) -> str:
    """The name of the system that a model file's text describes; "decoupled" where it names none."""
    try:
        return str(json.loads(text)["settings"]["system"])
    except (ValueError, KeyError, TypeError):
        return "decoupled"


def is_int8(text: str) -> bool:
    """Whether a model file's text is that of an int8 file."""
    try:
        return bool(json.loads(text)["kind"] == "int8")
    except (ValueError, KeyError, TypeError):
        return False


def system_of(path: Path) -> str:
    """The name of the system in a model file. Its weights are not read, and so not verified.

    Raises nothing: of a file that is no model, `read_model_file` says what is wrong.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            return system_in((opened.metadata() or {}).get("latentwatch", ""))
    except (SafetensorError, OSError):
        return "decoupled"


def checksum_of(path: Path) -> str:
    """The checksum that a model file, already verified, has in its header."""
    with safe_open(path, framework="pt") as opened:
        return str(opened.metadata()["sha256"])


def fps_of(path: Path) -> float:
    """The frames a second of the footage that a model, whose file is verified already, has learned from."""
    with safe_open(path, framework="pt") as opened:
        return float(json.loads(opened.metadata()["latentwatch"])["fps"])


def check_schema(path: Path, text: str, newest: int) -> dict[str, Any]:
    """The description in a text.

    Raises `LatentwatchError` where its schema is newer, and `ValueError` where the text is no JSON object.
    """
    description: Any = json.loads(text)
    if not isinstance(description, dict):
        raise ValueError("not a JSON object")
    version = description.get("schema_version")
    if not isinstance(version, int) or version not in range(1, newest + 1):
        raise LatentwatchError(
            f"{path}: model file of schema {version}, this program reads up to schema {newest}; "
            "update Latentwatch or train the model anew"
        )
    return description


def checksum(tensors: dict[str, torch.Tensor], text: str) -> str:
    """SHA-256, in hex, of the text and of all tensors with their names."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].contiguous().numpy().tobytes())
    return digest.hexdigest()
