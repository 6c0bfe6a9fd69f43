"""The Conv3D motion model for one stream, computing each thing once.

The dense model reads a window of k codes anew for every frame, though most of what it computes was computed
for earlier frames. Written out, a block (3x3x3 convolution, stride 2 in time, padding 1, BatchNorm) is a sum
of 2-D convolutions, one for each temporal tap 0, 1, 2. With t the window's first frame:

- Block one at place 0 lacks tap 0 (it falls on the padding): it is the window's *edge*, taps 1 and 2 of the
  codes t and t + 1. Its other outputs lie at t + 2, t + 4, ...; each is a sum over the three codes around it
  and is the same in every window that holds it. Only the newest, at t + k - 2, was not seen before.
- Block two has two outputs. The first lacks tap 0: tap 1 of the edge, tap 2 of the output at t + 2. The
  second: taps 0, 1, 2 of the outputs at t + 2, t + 4, t + 6 (for k = 6 the last is padding).
- Block three has one output: taps 1 and 2 of block two's.

So a new code costs its 3 products with block one's taps, 3 products of block one's new output and 1 of the
edge with block two's, and 2 in block three: 9 2-D convolutions. The dense model does 21 for k = 8 and 18 for
k = 6, counting those on padding.
"""

from collections import deque

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from latentwatch.models.motion import Conv3dMotion


class IncrementalMotion:
    """Predicts like `Conv3dMotion` in evaluation mode, fed one code at a time.

    The weights are copied: train first, then build this. Memory is constant. Streams may run side by side in
    the batch dimension N; all start together. Equal to the dense model but for the order of the sums.
    """

    def __init__(self, motion: Conv3dMotion, k: int) -> None:
        if k not in (6, 8):
            raise ValueError(f"k is 6 or 8, not {k}")
        self.k = k
        (one, self._bias_one), (two, self._bias_two), (three, self._bias_three) = _folded_blocks(motion)
        self._taps_one = torch.cat([one[0], one[1], one[2]])
        self._taps_two = torch.cat([two[0], two[1], two[2]])
        self._edge_tap = two[1].contiguous()
        self._last_taps = torch.cat([three[1], three[2]], dim=1)
        self._slope = _slope(motion)
        self.reset()

    def reset(self) -> None:
        """Forgets the codes seen so far."""
        self._codes_seen = 0
        # What the taps of block one make of the last k codes, and those of block two of block one's outputs.
        self._products_one: deque[tuple[Tensor, ...]] = deque(maxlen=self.k)
        self._products_two: deque[tuple[Tensor, ...]] = deque(maxlen=self.k - 3)

    @torch.inference_mode()
    def push(self, code: Tensor) -> Tensor | None:
        """Takes the next codes `(N, C, h, w)` of N streams; gives the predictions `(N, C, h, w)`.

        They are for the frame `horizon` after this one. None until k codes have been seen.
        """
        self._products_one.append(F.conv2d(code, self._taps_one, padding=1).chunk(3, dim=1))
        self._codes_seen += 1
        if self._codes_seen < 3:
            return None
        one = self._products_one
        newest = self._activate(one[-3][0] + one[-2][1] + one[-1][2], self._bias_one)
        self._products_two.append(F.conv2d(newest, self._taps_two, padding=1).chunk(3, dim=1))
        if self._codes_seen < self.k:
            return None
        edge = self._activate(one[0][1] + one[1][2], self._bias_one)
        two = self._products_two  # the outputs at t + 2, t + 3, ..., t + k - 2
        first = F.conv2d(edge, self._edge_tap, padding=1) + two[0][2]
        second = two[0][0] + two[2][1]
        if self.k == 8:
            second = second + two[4][2]
        both = [self._activate(each, self._bias_two) for each in (first, second)]
        last = F.conv2d(torch.cat(both, dim=1), self._last_taps, padding=1)
        return self._activate(last, self._bias_three)

    def _activate(self, total: Tensor, bias: Tensor) -> Tensor:
        return F.leaky_relu(total + bias, self._slope)


def _folded_blocks(motion: Conv3dMotion) -> list[tuple[tuple[Tensor, Tensor, Tensor], Tensor]]:
    """Of each block, its three temporal taps `(C, C, 3, 3)` and its bias `(C, 1, 1)`, BatchNorm folded in."""
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
        taps = (weight[:, :, 0], weight[:, :, 1], weight[:, :, 2])
        blocks.append((taps, bias[:, None, None]))
    return blocks


def _slope(motion: Conv3dMotion) -> float:
    activation = motion.layers[2]
    assert isinstance(activation, nn.LeakyReLU)
    return float(activation.negative_slope)
