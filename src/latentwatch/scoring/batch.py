"""Scores of a whole clip at once: Z-MSE (Eq. 2), that and speed, and in pixels its rivals R-MSE and P-MSE."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from latentwatch.bundle.fusion import Fusion
from latentwatch.models.decoupled import Decoupled, windows
from latentwatch.scoring.flow import FlowMaps, flow_maps
from latentwatch.scoring.fusion import z_mse_and_speed
from latentwatch.scoring.usual_flow import UsualFlow, fastest
from latentwatch.video.frame import Frame


@dataclass(frozen=True)
class ClipScores:
    """The anomaly scores of the N frames of a clip, float64 `(N,)`; NaN where a frame has none.

    z_mse: squared error of the predicted latent code, mean over its elements; its negative log-likelihood in
    nats where the motion model is a density. r_mse: squared error of the reconstruction, mean over pixel
    values. p_mse: squared error of the frame decoded from the predicted code.
    error_maps: latent error by place, float32 `(N, h, w)`, whose mean is z_mse. times: seconds.
    pixel_maps: squared prediction error by pixel, mean over the colours, float32 `(N, H, W)`, NaN where there
    is none; its mean is P-MSE. R-MSE, P-MSE and pixel_maps are None where they were not asked for, since they
    need the decoder; the last two also where the motion model does not predict.
    fused: Z-MSE and speed made one (`scoring.fusion`). speed_maps: relative speed by place, float32
    `(N, h, w)`. Both are None where the score is Z-MSE alone.
    """

    times: NDArray[np.float64]
    z_mse: NDArray[np.float64]
    error_maps: NDArray[np.float32]
    r_mse: NDArray[np.float64] | None = None
    p_mse: NDArray[np.float64] | None = None
    pixel_maps: NDArray[np.float32] | None = None
    fused: NDArray[np.float64] | None = None
    speed_maps: NDArray[np.float32] | None = None


def score_clip(
    model: Decoupled,
    frames: Iterable[Frame],
    *,
    pixel_scores: bool = False,
    reconstruct: bool = True,
    fusion: Fusion | None = None,
    batch: int = 16,
) -> ClipScores:
    """Scores consecutive frames of one clip, already at the model's input size.

    The frames before the (k + horizon)-th have no Z-MSE and no P-MSE; the first has no R-MSE either, since a
    reconstruction needs the previous frame's skip features. P-MSE decodes the predicted code with the skip
    features of the frame before the predicted one. A clip that is too short has no score at all.
    reconstruct: whether R-MSE is one of the pixel scores; without it the decoder runs half as often. fusion:
    of the model's file, for the fused score.
    """
    model.eval()
    if fusion is not None:
        frames = list(frames)
    scorer = _ClipScorer(model, pixel_scores, reconstruct)
    pending: list[NDArray[np.uint8]] = []
    times = []
    for frame in frames:
        pending.append(frame.rgb)
        times.append(frame.time)
        if len(pending) == batch:
            scorer.add(np.stack(pending))
            pending = []
    if pending:
        scorer.add(np.stack(pending))
    scores = scorer.result(np.array(times, dtype=np.float64))
    if fusion is None:
        return scores
    return with_speed(scores, flow_maps(frames, model.architecture.code_shape[1:]), fusion)


def with_speed(scores: ClipScores, flow: FlowMaps, fusion: Fusion) -> ClipScores:
    """The same scores with the fused one and relative speeds. flow: of the same N frames, `(N, h, w, 3)`."""
    speeds = UsualFlow.in_file(fusion).speeds(flow)
    fused = z_mse_and_speed(scores.z_mse, fastest(speeds), fusion)
    return replace(scores, fused=fused, speed_maps=speeds)


class _ClipScorer:
    """Goes through a clip in batches, keeping the last codes and skip features across their borders."""

    def __init__(self, model: Decoupled, pixel_scores: bool, reconstruct: bool) -> None:
        self._model = model
        self._pixel_scores = pixel_scores
        self._reconstruct = reconstruct
        self._codes: torch.Tensor | None = None
        self._skips: list[torch.Tensor] | None = None
        self._maps: list[NDArray[np.float32]] = []
        self._r: list[float] = []
        self._pixel_maps: list[NDArray[np.float32]] = []

    @torch.inference_mode()
    def add(self, rgb: NDArray[np.uint8]) -> None:
        model, architecture = self._model, self._model.architecture
        frames = model.foreground(torch.from_numpy(rgb))
        codes, skips = model.encode(frames)
        recent = codes if self._codes is None else torch.cat([self._codes, codes])
        unscored = len(codes) - max(len(recent) - architecture.warm_up, 0)
        predicted = recent[:0]
        if unscored < len(codes):
            predicted = model.predict(windows(recent, architecture.k, architecture.horizon))
            maps = model.motion.errors(predicted, recent[architecture.warm_up :]).mean(dim=1).numpy()
        nothing = np.full((unscored, *architecture.code_shape[1:]), np.nan, dtype=np.float32)
        self._maps.append(np.concatenate([nothing, maps]) if unscored < len(codes) else nothing)
        if self._pixel_scores:
            previous = self._previous(skips)
            if self._reconstruct:
                self._add_reconstruction(frames, codes, previous)
            if model.motion.predicts:
                self._add_prediction(frames, predicted, previous)
        self._codes = recent[-architecture.warm_up :].clone()
        self._skips = [skip[-1:].clone() for skip in skips]

    def _previous(self, skips: list[torch.Tensor]) -> list[torch.Tensor]:
        """The skip features of the frame before each that has one."""
        earlier = [skip[:-1] for skip in skips]
        if self._skips is None:
            return earlier
        return [torch.cat([old, new]) for old, new in zip(self._skips, earlier, strict=True)]

    def _add_reconstruction(
        self, frames: torch.Tensor, codes: torch.Tensor, previous: list[torch.Tensor]
    ) -> None:
        without = len(codes) - len(previous[0])  # 1 at a clip's beginning, else 0
        self._r += [np.nan] * without
        if len(codes) > without:
            self._r += _mse(self._model.decode(codes[without:], previous), frames[without:])

    def _add_prediction(
        self, frames: torch.Tensor, predicted: torch.Tensor, previous: list[torch.Tensor]
    ) -> None:
        size = self._model.architecture.size
        self._pixel_maps.append(np.full((len(frames) - len(predicted), *size), np.nan, dtype=np.float32))
        if len(predicted):
            count = len(predicted)
            made = self._model.decode(predicted, [skip[-count:] for skip in previous])
            self._pixel_maps.append((made - frames[-count:]).square().mean(dim=1).numpy())

    def result(self, times: NDArray[np.float64]) -> ClipScores:
        height, width = self._model.architecture.code_shape[1:]
        empty = np.empty((0, height, width), dtype=np.float32)
        maps = np.concatenate(self._maps) if self._maps else empty
        z_mse = maps.mean(axis=(1, 2), dtype=np.float64)
        if not self._pixel_scores:
            return ClipScores(times, z_mse, maps)
        r_mse = np.array(self._r) if self._reconstruct else None
        if not self._model.motion.predicts:
            return ClipScores(times, z_mse, maps, r_mse)
        empty = np.empty((0, *self._model.architecture.size), dtype=np.float32)
        pixels = np.concatenate(self._pixel_maps) if self._pixel_maps else empty
        p_mse = pixels.mean(axis=(1, 2), dtype=np.float64)
        return ClipScores(times, z_mse, maps, r_mse, p_mse, pixels)


def _mse(made: torch.Tensor, real: torch.Tensor) -> list[float]:
    return [float(value) for value in (made - real).square().mean(dim=(1, 2, 3))]
