"""The latent codes of a clip beside those that were predicted, for scores that need more than their MSE."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.video.frame import Frame

Codes = NDArray[np.float32]
"""Latent codes `(N, C, h, w)`."""


@dataclass(frozen=True)
class ClipCodes:
    """The N frames of a clip that have a score: what was observed of each and what was predicted."""

    observed: Codes
    predicted: Codes

    @property
    def differences(self) -> Codes:
        """Predicted less observed; the mean square over C is Eq. 2's error map."""
        return np.asarray(self.predicted - self.observed)


@torch.inference_mode()
def encoded(model: Decoupled, frames: Iterable[Frame], *, batch: int = 16) -> Tensor:
    """The codes `(N, C, h, w)` of N frames at the model's input size, one after the other."""
    pictures = [frame.rgb for frame in frames]
    parts = [
        model.encode(model.foreground(torch.from_numpy(np.stack(pictures[first : first + batch]))))[0]
        for first in range(0, len(pictures), batch)
    ]
    return torch.cat(parts) if parts else torch.empty(0, *model.architecture.code_shape)


def clip_codes(model: Decoupled, frames: Iterable[Frame]) -> ClipCodes:
    """The codes of frames at the model's input size; see `beside_predicted`."""
    return beside_predicted(model, encoded(model, frames))


@torch.inference_mode()
def beside_predicted(model: Decoupled, observed: Tensor, *, batch: int = 16) -> ClipCodes:
    """A clip's codes beside the predicted ones; N is `architecture.warm_up` less than there are.

    For motion models that predict.
    """
    architecture = model.architecture
    if len(observed) < architecture.span:
        none = np.empty((0, *architecture.code_shape), dtype=np.float32)
        return ClipCodes(none, none)
    past = windows(observed, architecture.k, architecture.horizon)
    predicted = torch.cat([model.predict(part) for part in torch.split(past, batch)])
    return ClipCodes(observed[architecture.warm_up :].numpy(), predicted.numpy())
