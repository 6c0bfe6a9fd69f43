"""The model on ONNX Runtime."""

import logging
import warnings
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.engines.engine import Engine
from latentwatch.engines.graphs import Graph, graphs_of
from latentwatch.engines.packages import first_line, require
from latentwatch.errors import LatentwatchError
from latentwatch.models.decoupled import Decoupled

EXTRA = "onnx"
"""The extra of the package that brings what this module needs."""


class OnnxEngine(Engine):
    """Runs the exported graphs on the CPU in fp32; ONNX Runtime has no bf16 convolutions there.

    Making it takes a few seconds, nearly all of them PyTorch's exporter. Raises `MissingPackageError` without
    onnxruntime, onnx or onnxscript, and `LatentwatchError` where the model cannot be converted.
    """

    name = "onnx"
    precision = "fp32"

    def __init__(self, model: Decoupled) -> None:
        runtime = require("onnxruntime", EXTRA)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Two sessions take turns, and a camera pauses between frames: idle threads must sleep, not spin.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._encoder, self._motion = (
            runtime.InferenceSession(to_onnx(graph), options, providers=["CPUExecutionProvider"])
            for graph in graphs_of(model)
        )

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.encode`."""
        return cast(NDArray[np.float32], self._encoder.run(None, {"frames": frames})[0])

    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        return cast(NDArray[np.float32], self._motion.run(None, {"codes": codes})[0])


def to_onnx(graph: Graph) -> bytes:
    """The graph as an ONNX file's contents, N open.

    Raises `MissingPackageError` without onnx or onnxscript, `LatentwatchError` where it cannot be converted.
    """
    for package in ("onnx", "onnxscript"):
        require(package, EXTRA)
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)  # it warns of a torchvision that nothing here needs
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                graph.module,
                (graph.example,),
                dynamo=True,
                verbose=False,
                input_names=[graph.input],
                output_names=[graph.output],
                dynamic_shapes=({0: torch.export.Dim("N")},),
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
