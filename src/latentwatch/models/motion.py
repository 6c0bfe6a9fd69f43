"""The motion model: what k latent codes say of the code `horizon` steps later (Section 3.2, Fig. 1c)."""

from typing import ClassVar, cast

from torch import Tensor, nn


class MotionModel(nn.Module):
    """Makes of k codes what it expects, and of that and the code that is then observed an error.

    `forward` takes codes `(N, C, k, h, w)`, oldest first. A model that `predicts` gives codes
    `(N, C, h, w)`; another gives what `errors` needs of the past, `(N, F, h, w)`.
    """

    predicts: ClassVar[bool] = True
    error_name: ClassVar[str] = "prediction MSE"
    """What the mean of the errors is called, where people read it."""

    def errors(self, expected: Tensor, observed: Tensor) -> Tensor:
        """The error of each element of the observed codes `(N, C, h, w)`, same shape, 0 or more.

        The squared difference (Eq. 2), unless the model says otherwise. expected: from `forward`.
        """
        return (expected.float() - observed.float()).square()


class Conv3dMotion(MotionModel):
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
