"""The model on ONNX Runtime."""

import logging
import warnings
from typing import cast

import torch

from latentwatch.engines.graph_engine import GraphEngine, Run
from latentwatch.engines.graphs import Graph
from latentwatch.engines.packages import first_line, require
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled

EXTRA = "onnx"
"""The extra of the package that brings what this module needs."""


class OnnxEngine(GraphEngine):
    """Runs the exported graphs on the CPU in fp32; ONNX Runtime has no bf16 convolutions there.

    Making it takes a few seconds, nearly all of them PyTorch's exporter. Raises `MissingPackageError` without
    onnxruntime, onnx or onnxscript, and `LatentwatchError` where the model cannot be converted.
    """

    name = "onnx"
    precision = "fp32"

    def __init__(self, model: Decoupled) -> None:
        self._runtime = require("onnxruntime", EXTRA)
        super().__init__(model)

    def _open(self, graph: Graph) -> Run:
        options = self._runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Several sessions take turns, and a camera pauses between frames: idle threads must sleep, not spin.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        session = self._runtime.InferenceSession(to_onnx(graph), options, providers=["CPUExecutionProvider"])
        names = [port.name for port in graph.inputs]
        return lambda *values: tuple(session.run(None, dict(zip(names, values, strict=True))))


def to_onnx(graph: Graph) -> bytes:
    """The graph as an ONNX file's contents, N open.

    Raises `MissingPackageError` without onnx or onnxscript, `LatentwatchError` where it cannot be converted.
    """
    for package in ("onnx", "onnxscript"):
        require(package, EXTRA)
    log = logging.getLogger("torch.onnx")
    level = log.level
    count = torch.export.Dim("N")
    log.setLevel(logging.ERROR)  # it warns of a torchvision that nothing here needs
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph.module,
                graph.example,
                dynamo=True,
                verbose=False,
                input_names=[port.name for port in graph.inputs],
                output_names=[port.name for port in graph.outputs],
                dynamic_shapes=tuple({0: count} for _ in graph.inputs),
            )
    except Exception as error:  # the exporter raises many kinds, with pages of text
        raise LatentwatchError(
            f"PyTorch {torch.__version__} cannot convert the {graph.name} to ONNX: {first_line(error)}"
        ) from error
    finally:
        log.setLevel(level)
    assert program is not None  # as always with dynamo=True
    proto = program.model_proto
    # The exporter notes the source line of every node, with the folders of this machine.
    for described in (*proto.graph.node, *proto.graph.input, *proto.graph.output, *proto.graph.value_info):
        del described.metadata_props[:]
    return cast(bytes, proto.SerializeToString())
