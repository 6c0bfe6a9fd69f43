"""The Conv3D motion model as a step that takes one code of each stream, computing each thing once.

The dense model reads a window of k codes anew for every frame, though most of what it computes was computed
for earlier frames. Written out, a block (3x3x3 convolution, stride 2 in time, padding 1, BatchNorm) is a sum
of 2-D convolutions, one for each temporal tap 0, 1, 2. Let n be the newest code, the k-th of its window:

- Block one has the *edge* at the window's start, which lacks tap 0 (it falls on the padding), and outputs
  every second code after it. The newest adds taps 0, 1, 2 of the codes n - 2, n - 1, n. The others were the
  newest 2, 4, ... steps ago, and the edge is the newest of k - 2 steps ago without its tap 0.
- Block two has two outputs. The first lacks tap 0: tap 1 of the edge, tap 2 of the output after it. The
  second: taps 0, 1, 2 of the outputs after the edge (for k = 6 there are two, the third is padding).
- Block three has one output: taps 1 and 2 of block two's.

Every term is thus the term of some steps ago in the same place, so each is computed when its last code comes
and waits until its turn. Streams whose windows start at even and at odd codes do the same: no
step needs to know the phase of the stride, and streams of any age share a batch. A step costs 3 products of
the new code, 1 of the edge and 3 of the newest output, and 2 in block three: 9 2-D convolutions. The dense
model does 21 for k = 8 and 18 for k = 6, counting those on padding.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.models.motion import Conv3dMotion

_WAITS = {6: (2, 1, 2, 2, 2), 8: (2, 1, 2, 2, 4, 2)}
"""By k, see `waits`."""


def waits(k: int) -> tuple[int, ...]:
    """How many steps each term waits, in the order of `MotionStep.forward`.

    Raises `ValueError` for a k that is not 6 or 8.
    """
    if k not in _WAITS:
        raise ValueError(f"k is 6 or 8, not {k}")
    return _WAITS[k]


class MotionStep(nn.Module):
    """`Conv3dMotion` in evaluation mode, fed one code at a time; equal to it but for the order of the sums.

    The weights are copied, BatchNorm folded in: train first, then build this. It keeps nothing of a stream:
    who calls it keeps the T terms of each step, and gives back the i-th when `waits(k)[i]` steps have passed,
    zeros at a stream's start. A prediction depends on the last k codes alone; the first k - 1 of a stream say
    nothing.
    """

    def __init__(self, motion: Conv3dMotion, k: int) -> None:
        super().__init__()
        waits(k)  # refuses another k
        (one, bias_one), (two, bias_two), (three, bias_three) = _folded_blocks(motion)
        nothing = torch.zeros_like(bias_one)
        # Each sum gets its bias with one of its terms. One convolution for three taps would be no faster, and
        # OpenVINO takes long to split its result.
        self.code_taps = _convolutions(one, (nothing, nothing, bias_one))
        self.edge_tap = _convolution(two[1], bias_two)
        self.output_taps = _convolutions(two, (bias_two, nothing, nothing))
        self.first_tap = _convolution(three[1], nothing)
        self.second_tap = _convolution(three[2], bias_three)
        self.slope = _slope(motion)

    def forward(self, due: Tensor, codes: Tensor) -> tuple[Tensor, Tensor]:
        """Terms due `(N, T, C, h, w)` and newest codes `(N, C, h, w)` of N streams to terms and predictions.

        What comes out has the shape of what went in. A prediction `(C, h, w)` is for the frame `horizon`
        after its code's.
        """
        code_0, code_1, edge, output_0, first, *partial = due.unbind(1)
        new_code_0, new_code_1, code_2 = (tap(codes) for tap in self.code_taps)
        newest_edge = code_1 + code_2
        new_edge = self.edge_tap(self._activate(newest_edge))
        newest = self._activate(code_0 + newest_edge)
        new_output_0, output_1, output_2 = (tap(newest) for tap in self.output_taps)
        new_first = self.first_tap(self._activate(edge + output_2))
        second = output_0 + output_1
        new = [new_code_0, new_code_1, new_edge, new_output_0, new_first]
        if partial:  # k = 8: the second output waits for a third term
            new.append(second)
            second = partial[0] + output_2
        predicted = self._activate(first + self.second_tap(self._activate(second)))
        return torch.stack(new, dim=1), predicted

    def _activate(self, total: Tensor) -> Tensor:
        return F.leaky_relu(total, self.slope)


def _convolution(weight: Tensor, bias: Tensor) -> nn.Conv2d:
    made = nn.Conv2d(weight.shape[1], weight.shape[0], 3, padding=1)
    made.weight = nn.Parameter(weight.contiguous(), requires_grad=False)
    made.bias = nn.Parameter(bias, requires_grad=False)
    return made


def _convolutions(weights: Sequence[Tensor], biases: Sequence[Tensor]) -> nn.ModuleList:
    return nn.ModuleList(_convolution(*each) for each in zip(weights, biases, strict=True))


def _folded_blocks(motion: Conv3dMotion) -> list[tuple[tuple[Tensor, Tensor, Tensor], Tensor]]:
    """Of each block, its three temporal taps `(C, C, 3, 3)` and its bias `(C,)`, BatchNorm folded in."""
    layers = list(motion.layers)
    blocks = []
    for convolution, norm in zip(layers[0::3], layers[1::3], strict=True):
        assert isinstance(convolution, nn.Conv3d)
        assert isinstance(norm, nn.BatchNorm3d)
        assert norm.running_var is not None
        assert norm.running_mean is not None
        scale = norm.weight.detach() / (norm.running_var + norm.eps).sqrt()
        bias = norm.bias.detach() - norm.running_mean * scale
        weight = convolution.weight.detach() * scale[:, None, None, None, None]
        blocks.append(((weight[:, :, 0], weight[:, :, 1], weight[:, :, 2]), bias))
    return blocks


def _slope(motion: Conv3dMotion) -> float:
    activation = motion.layers[2]
    assert isinstance(activation, nn.LeakyReLU)
    return float(activation.negative_slope)
