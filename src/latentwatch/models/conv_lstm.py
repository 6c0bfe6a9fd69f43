"""The ConvLSTM motion model of Table 5.

Shi et al., *Convolutional LSTM network* (NIPS 2015). The paper names the layers and nothing else; ours is
one cell as wide as the code, with 3x3 convolutions, and a last convolution block like the encoder's, since a
cell's output lies in (-1, 1) and a code does not. As in the usual libraries the gates have no peepholes,
whose weights would tie the model to an input size.
"""

from typing import cast

import torch
from torch import Tensor, nn

from latentwatch.models.motion import MotionModel


class ConvLstmCell(nn.Module):
    """One cell: input, forget and output gate and candidate by 3x3 convolutions of input and hidden state."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.from_input = nn.Conv2d(channels, 4 * hidden, 3, padding=1)
        self.from_hidden = nn.Conv2d(hidden, 4 * hidden, 3, padding=1, bias=False)
        assert self.from_input.bias is not None
        # An open forget gate at first: else nothing is learned of the oldest codes (Jozefowicz et al. 2015).
        nn.init.ones_(self.from_input.bias[hidden : 2 * hidden])

    def step(self, from_input: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
        """`from_input` of one code, `(N, 4 * hidden, h, w)`, and the two states, to the next two.

        States are `(N, hidden, h, w)`.
        """
        gates = from_input + self.from_hidden(hidden)
        let_in, keep, let_out, candidate = gates.chunk(4, dim=1)
        cell = torch.sigmoid(keep) * cell + torch.sigmoid(let_in) * torch.tanh(candidate)
        return torch.sigmoid(let_out) * torch.tanh(cell), cell


class ConvLstmMotion(MotionModel):
    """A cell that starts empty and reads k codes; what its last hidden state says is the prediction.

    It starts anew for every window, in streaming too: a state carried on from the beginning of a stream would
    hold more than the last k codes, and the score would depend on when the stream began.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cell = ConvLstmCell(channels, channels)
        self.head = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(inplace=True),
        )

    def forward(self, codes: Tensor) -> Tensor:
        """Codes `(N, C, k, h, w)`, oldest first, to predicted codes `(N, C, h, w)`; any k."""
        count, _, k, *_ = codes.shape
        inputs = self.cell.from_input(codes.transpose(1, 2).flatten(0, 1)).unflatten(0, (count, k))
        hidden = cell = torch.zeros_like(codes[:, :, 0])
        for index in range(k):
            hidden, cell = self.cell.step(inputs[:, index], hidden, cell)
        return cast(Tensor, self.head(hidden))
