"""What engines that run exported graphs have in common."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from latentwatch.engines.engine import Engine
from latentwatch.engines.graphs import Graph, GraphName, graph_names, graph_of
from latentwatch.models.decoupled import Decoupled

Run = Callable[..., tuple[NDArray[np.float32], ...]]
"""Runs a graph: arrays in, arrays out, in the order of its ports."""


class GraphEngine(Engine):
    """Opens what a stream needs at once, and the other form of the motion model when first asked for."""

    def __init__(self, model: Decoupled) -> None:
        self._model = model
        self._opened: dict[GraphName, Run] = {}
        self.has_step = "step" in graph_names(model)
        self._graph("encoder")
        self._graph("step" if self.has_step else "motion")

    @abstractmethod
    def _open(self, graph: Graph) -> Run:
        """Raises `LatentwatchError` where the graph cannot be converted."""

    def _graph(self, name: GraphName) -> Run:
        if name not in self._opened:
            self._opened[name] = self._open(graph_of(self._model, name))
        return self._opened[name]

    def encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Engine.encode`."""
        return self._graph("encoder")(frames)[0]

    def predict(self, codes: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Engine.predict`."""
        return self._graph("motion")(codes)[0]

    def step(
        self, due: NDArray[np.float32], codes: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine.step`."""
        terms, predicted = self._graph("step")(due, codes)
        return terms, predicted
