"""The interface behind which every system stands, and what the systems of the paper's comparison share.

Departures that all share, beside those that each file states: the learning rate falls along a cosine over 20
epochs; an epoch sees each frame about once, where the papers begin a clip at every frame; no augmentation, no
weight decay; the last epoch is kept; the threshold comes from held-out normal footage.

`Scorer` is what running a system needs; ours has it too (`scoring.decoupled_scorer`). `Baseline` adds what
`training.baseline` needs.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

LUMA = (0.299, 0.587, 0.114)
"""Red, green and blue in grey (ITU-R 601)."""


class Scorer(ABC):
    """Scores the frames of one stream as they come. Memory is constant, however long the stream.

    name: of the system. frames_needed: frames up to the first score, its own frame counted.
    """

    name: str

    @property
    @abstractmethod
    def size(self) -> tuple[int, int]:
        """Input size `(height, width)` in pixels."""

    @property
    @abstractmethod
    def frames_needed(self) -> int:
        """Frames up to the first score, its own frame counted."""

    @abstractmethod
    def step(self, rgb: NDArray[np.uint8]) -> float | None:
        """Takes the next frame, uint8 `(H, W, 3)` at the input size.

        Gives that frame's anomaly score, higher is stranger; None for the first `frames_needed - 1` frames.
        Raises `ValueError` for another size or type.
        """

    @abstractmethod
    def reset(self) -> None:
        """Forgets the frames seen so far; call it when the stream jumps."""


class BaselineSettings(BaseModel):
    """All that decides the shape of a baseline's weights.

    system: its name in `baselines.registry`. share: the channels of each layer as a share of the paper's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str
    height: int = Field(128, ge=16, le=2048)
    width_px: int = Field(192, ge=16, le=2048)
    share: float = Field(1.0, gt=0, le=1)

    @property
    def size(self) -> tuple[int, int]:
        """Input size as `(height, width)` in pixels."""
        return self.height, self.width_px

    def channels(self, paper: int) -> int:
        """What this share leaves of the paper's number of channels; at least 2."""
        return max(round(paper * self.share), 2)


class Baseline(nn.Module, Scorer):
    """A system that reads `clip_length` frames and gives the newest of them a score.

    A score is made of one or more terms. With one, that is the score. With more, each is standardised by its
    mean and deviation on held-out normal footage (`fit_terms`), and the score is their sum by
    `term_weights`. The papers scale each term to [0, 1] within a test clip instead, which no stream can do.
    """

    clip_length: ClassVar[int]
    """Frames T of a clip."""
    grey: ClassVar[bool]
    """Whether it reads one grey channel (C = 1) or colour (C = 3)."""
    multiple: ClassVar[int]
    """Height and width must be multiples of it."""
    term_weights: ClassVar[tuple[float, ...]] = (1.0,)
    learning_rate: ClassVar[float]
    """Of Adam, at the start of training."""
    critic_learning_rate: ClassVar[float] = 0.0
    batch: ClassVar[int] = 4
    """Clips in a training batch."""

    term_mean: Tensor
    term_deviation: Tensor
    critic: nn.Module | None

    def __init__(self, settings: BaselineSettings) -> None:
        """Raises `ValueError` where the input size does not fit the network."""
        super().__init__()
        if settings.height % self.multiple or settings.width_px % self.multiple:
            raise ValueError(
                f"input size {settings.height}x{settings.width_px} must be a multiple of {self.multiple} "
                f"in both directions for {self.name}"
            )
        self.settings = settings
        self.critic = None  # only an adversarial system has one
        self.register_buffer("term_mean", torch.zeros(len(self.term_weights)))
        self.register_buffer("term_deviation", torch.ones(len(self.term_weights)))
        self._recent: deque[Tensor] = deque(maxlen=self.clip_length)

    @abstractmethod
    def loss(self, batch: Tensor) -> Tensor:
        """What training lowers, a scalar, for clips `(N, T, C, H, W)` in [-1, 1]."""

    @abstractmethod
    def terms(self, clips: Tensor) -> Tensor:
        """The terms of the score, `(N, K)`, of the newest frame of each of clips `(N, T, C, H, W)`."""

    def critic_loss(self, batch: Tensor) -> Tensor:
        """What the training of `critic` lowers, a scalar. Raises `NotImplementedError` without a critic."""
        raise NotImplementedError(f"{self.name} has no critic")

    @property
    def colours(self) -> int:
        """Channels C of a picture."""
        return 1 if self.grey else 3

    @property
    def size(self) -> tuple[int, int]:
        """See `Scorer.size`."""
        return self.settings.size

    @property
    def frames_needed(self) -> int:
        """See `Scorer.frames_needed`."""
        return self.clip_length

    def pictures(self, rgb: Tensor) -> Tensor:
        """uint8 frames `(..., H, W, 3)` to pictures `(..., C, H, W)` in [-1, 1]."""
        scaled = (rgb.float() / 127.5 - 1).movedim(-1, -3)
        if not self.grey:
            return scaled
        red, green, blue = scaled.unbind(-3)
        return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(-3)

    def fit_terms(self, terms: Tensor) -> None:
        """Takes what is usual for each term from `(M, K)` terms of normal footage, M of 1 or more."""
        if len(self.term_weights) > 1:
            self.term_mean.copy_(terms.mean(dim=0))
            self.term_deviation.copy_(terms.std(dim=0, correction=0).clamp_min(1e-6))

    def score(self, clips: Tensor) -> Tensor:
        """The anomaly score `(N,)` of the newest frame of each of clips `(N, T, C, H, W)`."""
        return self.combine(self.terms(clips))

    def combine(self, terms: Tensor) -> Tensor:
        """Terms `(N, K)` to scores `(N,)`."""
        weights = self.term_mean.new_tensor(self.term_weights)
        return ((terms - self.term_mean) / self.term_deviation) @ weights

    @torch.inference_mode()
    def step(self, rgb: NDArray[np.uint8]) -> float | None:
        """See `Scorer.step`."""
        if rgb.shape != (*self.size, 3) or rgb.dtype != np.uint8:
            raise ValueError(f"expected uint8 {(*self.size, 3)}, got {rgb.dtype} {rgb.shape}")
        if self.training:
            self.eval()
        self._recent.append(self.pictures(torch.tensor(rgb)))
        if len(self._recent) < self.clip_length:
            return None
        return float(self.score(torch.stack(list(self._recent))[None]))

    def reset(self) -> None:
        """See `Scorer.reset`."""
        self._recent.clear()


def squared_error(made: Tensor, real: Tensor) -> Tensor:
    """Squared error in fp32, mean over all values of each of N things: `(N, ...)` twice to `(N,)`."""
    return (made.float() - real.float()).square().flatten(1).mean(dim=1)


def negative_psnr(made: Tensor, real: Tensor) -> Tensor:
    """-PSNR in dB of N pictures in [-1, 1], `(N, C, H, W)` twice to `(N,)`; higher is worse.

    PSNR is 10 log10(1 / MSE) with pictures brought to [0, 1]; the MSE counts as 1e-10 or more.
    """
    return 10 * torch.log10((squared_error(made, real) / 4).clamp_min(1e-10))


def scaled(settings: BaselineSettings, paper: Sequence[int]) -> list[int]:
    """`BaselineSettings.channels` of each."""
    return [settings.channels(each) for each in paper]
