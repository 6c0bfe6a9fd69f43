"""The model on OpenVINO."""

import warnings
from collections.abc import Mapping
from hashlib import sha256
from threading import Lock
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.engines.graph_engine import GraphEngine, Run
from latentwatch.engines.graphs import Graph
from latentwatch.engines.openvino_core import openvino_core, openvino_has_bf16
from latentwatch.engines.packages import first_line, require_openvino
from latentwatch.engines.stream import StepStream
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled


class OpenvinoEngine(GraphEngine):
    """Runs the converted graphs on the CPU, in bf16 where it has the instructions and `bf16` is not False.

    Raises `MissingPackageError` without openvino, `UsageError` for `bf16=True` on a CPU that has none, and
    `LatentwatchError` where the model cannot be converted.
    """

    name = "openvino"

    def __init__(self, model: Decoupled, *, bf16: bool | None = None) -> None:
        require_openvino()
        self._core = openvino_core()
        able = openvino_has_bf16()
        if bf16 and not able:
            raise UsageError("this CPU has no bfloat16 instructions; leave --bf16 out")
        self.precision = "bf16" if able and bf16 is not False else "fp32"
        self._settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # Pinned, the processes of several cameras would all sit on the same core.
            "ENABLE_CPU_PINNING": False,
        }
        super().__init__(model)

    def _open(self, graph: Graph) -> Run:
        return _Runner(self._core, _kept.converted(graph), self._settings).run


class Int8Engine(OpenvinoEngine):
    """Runs the quantised graphs of `engines.quantise`: the encoder and the step.

    graphs: by name, the contents of `.xml` and `.bin`. Raises `MissingPackageError` without openvino, and
    `LatentwatchError` where OpenVINO cannot read them.
    """

    def __init__(self, model: Decoupled, graphs: Mapping[Any, tuple[bytes, bytes]]) -> None:
        self._graphs = graphs
        super().__init__(model, bf16=False)
        self.precision = "int8"

    def _open(self, graph: Graph) -> Run:
        try:
            read = self._core.read_model(*self._graphs[graph.name])
        except (KeyError, RuntimeError) as error:
            raise LatentwatchError(
                f"OpenVINO cannot read the int8 {graph.name}: {first_line(error)}"
            ) from error
        return _Runner(self._core, read, self._settings).run

    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`. By k steps: the dense model is not quantised."""
        streams = [StepStream(self.step, codes.shape[1]) for _ in codes]
        for code in np.ascontiguousarray(codes.swapaxes(0, 1)):
            predicted = self.push_many(streams, code)
        return np.array(predicted, dtype=np.float32).reshape(codes[:, 0].shape)


class _Runner:
    """One graph, compiled for one at a time, and when first needed for any number N.

    One frame at a time is what a camera gives; knowing its shape, OpenVINO was 4 to 16% faster.
    """

    def __init__(self, core: Any, model: Any, settings: dict[str, Any]) -> None:
        self._core, self._model, self._settings = core, model, settings
        fixed = model.clone()
        fixed.reshape({port.any_name: [1, *port.partial_shape[1:]] for port in model.inputs})
        self._one = core.compile_model(fixed, "CPU", settings).create_infer_request()
        self._many: Any = None

    def run(self, *values: NDArray[Any]) -> tuple[NDArray[np.float32], ...]:
        request = self._one
        if len(values[0]) != 1:
            if self._many is None:
                compiled = self._core.compile_model(self._model, "CPU", self._settings)
                self._many = compiled.create_infer_request()
            request = self._many
        # The input is only read; the output is a copy, since the request's own is overwritten by the next.
        given = [np.ascontiguousarray(each) for each in values]
        result = request.infer(given, share_inputs=True, share_outputs=False)
        return cast(tuple[NDArray[np.float32], ...], result.to_tuple())


class _Converted:
    """Graphs that were converted, by what is in them: a camera that begins anew converts nothing.

    TorchScript, by which OpenVINO traces, never gives back the 3 MB or so that tracing a graph takes.
    """

    MOST = 60
    """Graphs that are kept, those of 20 models; those used longest ago go first."""

    def __init__(self) -> None:
        self._models: dict[bytes, Any] = {}
        self._lock = Lock()

    def converted(self, graph: Graph) -> Any:
        """The graph as an `openvino.Model` that others may use too. Raises as `to_openvino`."""
        key = _content(graph)
        with self._lock:
            model = self._models.pop(key, None)
            if model is None:
                model = to_openvino(graph)
            self._models[key] = model  # now the last
            if len(self._models) > self.MOST:
                del self._models[next(iter(self._models))]
            return model


_kept = _Converted()


def _content(graph: Graph) -> bytes:
    """A digest of all that a graph's results depend on."""
    digest = sha256(repr((graph.name, graph.inputs, graph.outputs)).encode())
    for name, values in graph.module.state_dict().items():
        digest.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
        digest.update(values.detach().contiguous().numpy().tobytes())
    return digest.digest()


def to_openvino(graph: Graph) -> Any:
    """The graph as an `openvino.Model`, N open.

    Raises `MissingPackageError` without openvino, `LatentwatchError` where it cannot be converted.
    """
    openvino = require_openvino()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # OpenVINO traces by torch.jit, which warns that it will go
            model = openvino.convert_model(
                graph.module,
                example_input=graph.example,
                input=[openvino.PartialShape([-1, *port.shape]) for port in graph.inputs],
            )
    except Exception as error:  # the converter raises many kinds, with pages of text
        raise LatentwatchError(
            f"OpenVINO {openvino.__version__} cannot convert the {graph.name} from PyTorch "
            f"{torch.__version__}: {first_line(error)}"
        ) from error
    for there, port in zip((*model.inputs, *model.outputs), (*graph.inputs, *graph.outputs), strict=True):
        there.tensor.set_names({port.name})
    return model
