"""The model on OpenVINO."""

import warnings
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.engines.engine import Engine
from latentwatch.engines.graphs import Graph, graphs_of
from latentwatch.engines.packages import first_line, require_openvino
from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.models.decoupled import Decoupled


class OpenvinoEngine(Engine):
    """Runs the converted graphs on the CPU, in bf16 where it has the instructions and `bf16` is not False.

    Raises `MissingPackageError` without openvino, `UsageError` for `bf16=True` on a CPU that has none, and
    `LatentwatchError` where the model cannot be converted.
    """

    name = "openvino"

    def __init__(self, model: Decoupled, *, bf16: bool | None = None) -> None:
        core = require_openvino().Core()
        able = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if bf16 and not able:
            raise UsageError("this CPU has no bfloat16 instructions; leave --bf16 out")
        self.precision = "bf16" if able and bf16 is not False else "fp32"
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if self.precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # Pinned, the processes of several cameras would all sit on the same core.
            "ENABLE_CPU_PINNING": False,
        }
        self._encoder, self._motion = (_Runner(core, graph, settings) for graph in graphs_of(model))

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.encode`."""
        return self._encoder.run(frames)

    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        return self._motion.run(codes)


class _Runner:
    """One graph, compiled for one frame at a time, and when first needed for any number.

    One frame at a time is what a camera gives; knowing its shape, OpenVINO was 4 to 16% faster.
    """

    def __init__(self, core: Any, graph: Graph, settings: dict[str, Any]) -> None:
        self._core, self._settings = core, settings
        self._model = to_openvino(graph)
        fixed = self._model.clone()
        fixed.reshape([1, *graph.shape_in])
        self._one = core.compile_model(fixed, "CPU", settings).create_infer_request()
        self._many: Any = None

    def run(self, values: NDArray[Any]) -> NDArray[np.float32]:
        request = self._one
        if len(values) != 1:
            if self._many is None:
                compiled = self._core.compile_model(self._model, "CPU", self._settings)
                self._many = compiled.create_infer_request()
            request = self._many
        # The input is only read; the output is a copy, since the request's own is overwritten by the next.
        result = request.infer([np.ascontiguousarray(values)], share_inputs=True, share_outputs=False)
        return cast(NDArray[np.float32], result[0])


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
                input=[openvino.PartialShape([-1, *graph.shape_in])],
            )
    except Exception as error:  # the converter raises many kinds, with pages of text
        raise LatentwatchError(
            f"OpenVINO {openvino.__version__} cannot convert the {graph.name} from PyTorch "
            f"{torch.__version__}: {first_line(error)}"
        ) from error
    model.inputs[0].tensor.set_names({graph.input})
    model.outputs[0].tensor.set_names({graph.output})
    return model
