"""Which engine to use: the one asked for, or the fastest that is installed."""

from importlib.util import find_spec

from latentwatch.engines.cpu import cpu_has_bf16
from latentwatch.engines.engine import Engine
from latentwatch.engines.names import Choice, EngineName
from latentwatch.engines.onnx_engine import OnnxEngine
from latentwatch.engines.openvino_core import openvino_has_bf16
from latentwatch.engines.openvino_engine import OpenvinoEngine
from latentwatch.engines.torch_engine import TorchEngine
from latentwatch.errors import MissingPackageError, UsageError
from latentwatch.models.decoupled import Decoupled
from latentwatch.models.presets import Precision


def open_engine(model: Decoupled, choice: Choice = "auto", *, bf16: bool | None = None) -> Engine:
    """The model on the engine called `choice`; "auto" takes the first of `fastest_first` that is installed.

    bf16: None means where it is faster for "auto" and OpenVINO, and never for PyTorch. Raises
    `MissingPackageError` where the engine is not installed, `UsageError` for an unknown name or a format that
    engine and CPU, or motion model, do not have, and `LatentwatchError` where the model cannot be converted.
    """
    if not model.motion.predicts:
        if choice not in ("auto", "torch") or bf16:
            raise UsageError(
                f"motion model {model.architecture.motion}: runs on PyTorch in fp32 alone; "
                "leave --engine and --bf16 away"
            )
        return TorchEngine(model)
    if choice != "auto":
        return _open(model, choice, bf16)
    for name, precise in fastest_first(bf16):
        try:
            return _open(model, name, precise)
        except MissingPackageError:
            continue
    raise AssertionError("PyTorch is always installed")


def fastest_first(bf16: bool | None) -> list[tuple[EngineName, bool | None]]:
    """Engines and their `bf16`, in the order in which "auto" tries them.

    The order is fixed, not measured at each load: a busy moment at loading must not decide how all later
    frames are scored. It was the measured one at every width but tiny, where ONNX Runtime was about even with
    PyTorch in bf16 on AVX-512, and ahead of it with AMX.
    """
    order: list[tuple[EngineName, bool | None]] = [("openvino", bf16)]
    if bf16 or (bf16 is None and cpu_has_bf16()):
        order.append(("torch", True))
    if not bf16:
        order += [("onnx", False), ("torch", False)]
    return order


def formats_here() -> list[tuple[EngineName, Precision]]:
    """The engines that are installed, with each number format that this CPU computes in; PyTorch first.

    int8 is apart, since it takes more than a model: see `engines.quantise` and `has_int8`.
    """
    found: list[tuple[EngineName, Precision]] = [("torch", "fp32")]
    if cpu_has_bf16():
        found.append(("torch", "bf16"))
    if all(map(find_spec, ("onnxruntime", "onnx", "onnxscript"))):
        found.append(("onnx", "fp32"))
    if find_spec("openvino"):
        found.append(("openvino", "fp32"))
        if openvino_has_bf16():
            found.append(("openvino", "bf16"))
    return found


def has_int8() -> bool:
    """Whether a model can be quantised and run in int8 here."""
    return all(map(find_spec, ("openvino", "nncf")))


def _open(model: Decoupled, name: str, bf16: bool | None) -> Engine:
    match name:
        case "torch":
            return TorchEngine(model, bf16=bool(bf16))
        case "onnx":
            if bf16:
                raise UsageError("--bf16: ONNX Runtime computes in fp32 on a CPU; use torch or openvino")
            return OnnxEngine(model)
        case "openvino":
            return OpenvinoEngine(model, bf16=bf16)
    raise UsageError(f"engine {name}: no such engine; known are auto, torch, onnx, openvino")
