"""The motion model: k latent codes in, the code `horizon` steps later out (Section 3.2, Fig. 1c)."""

from typing import cast

from torch import Tensor, nn


class Conv3dMotion(nn.Module):
    """Three blocks of (3x3x3 convolution with stride 2 in time, BatchNorm, leaky ReLU).

    With padding 1, time shrinks 8-4-2-1 for k = 8 and 6-3-2-1 for k = 6; place is kept. Section 3.2 gives
    kernel, stride and the number of blocks; that all layers have the code's own width is our assumption.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [
                nn.Conv3d(channels, channels, 3, stride=(2, 1, 1), padding=1, bias=False),
                nn.BatchNorm3d(channels),
                nn.LeakyReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, codes: Tensor) -> Tensor:
        """Codes `(N, C, k, h, w)`, oldest first, to predicted codes `(N, C, h, w)`; k from 5 to 8."""
        return cast(Tensor, self.layers(codes)).squeeze(2)
