"""A baseline on OpenVINO, so that it races in the same engine as ours."""

import warnings
from collections import deque
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from latentwatch.baselines.scorer import Baseline, Scorer
from latentwatch.engines.openvino_core import openvino_core
from latentwatch.engines.packages import first_line, require_openvino
from latentwatch.errors import LatentwatchError
from latentwatch.models.presets import Precision


class _Score(nn.Module):
    def __init__(self, model: Baseline) -> None:
        super().__init__()
        self.model = model

    def forward(self, clips: Tensor) -> Tensor:
        return self.model.score(clips)


class OpenvinoBaseline(Scorer):
    """The whole network with its score; scaling and grey are done once a frame, as in `Baseline`.

    precision: of the arithmetic. Raises `MissingPackageError` without openvino, and `LatentwatchError` where
    the network cannot be converted.
    """

    def __init__(self, model: Baseline, precision: Precision = "fp32") -> None:
        openvino = require_openvino()
        self.name = model.name
        self._model = model.eval()
        self._recent: deque[Tensor] = deque(maxlen=model.clip_length)
        example = torch.zeros(1, model.clip_length, model.colours, *model.size)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # OpenVINO traces by torch.jit, which warns that it will go
                graph = openvino.convert_model(
                    _Score(model).eval(),
                    example_input=(example,),
                    input=[openvino.PartialShape(list(example.shape))],
                )
        except Exception as error:  # the converter raises many kinds, with pages of text
            raise LatentwatchError(f"OpenVINO cannot convert {model.name}: {first_line(error)}") from error
        settings = {
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,
        }
        compiled: Any = openvino_core().compile_model(graph, "CPU", settings)
        self._request = compiled.create_infer_request()

    @property
    def size(self) -> tuple[int, int]:
        """See `Scorer.size`."""
        return self._model.size

    @property
    def frames_needed(self) -> int:
        """See `Scorer.frames_needed`."""
        return self._model.frames_needed

    def step(self, rgb: NDArray[np.uint8]) -> float | None:
        """See `Scorer.step`."""
        self._recent.append(self._model.pictures(torch.tensor(rgb)))
        if len(self._recent) < self.frames_needed:
            return None
        clip = torch.stack(list(self._recent))[None].numpy()
        return float(self._request.infer([clip], share_inputs=True)[0][0])

    def reset(self) -> None:
        """See `Scorer.reset`."""
        self._recent.clear()
