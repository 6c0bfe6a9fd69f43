"""ConvAE: a stack of ten grey frames through a 2-D convolutional autoencoder.

Hasan, Choi, Neumann, Roy-Chowdhury and Davis, *Learning temporal regularity in video sequences* (CVPR 2016),
the fully convolutional form. Departures:

- The input size is a setting, not 227x227; the first convolution is padded so that sizes divide evenly.
- Unpooling repeats values (nearest neighbour), so that nothing passes round the bottleneck.
- Adam, not Adagrad; no weight decay; no clips at two and three times the speed in training.
- The score is the error of the newest frame of the stack, so that it comes without delay. The paper's e(t)
  is the same error in pixels, and its regularity score is 1 less the scaled error.
"""

from typing import cast

from torch import Tensor, nn

from latentwatch.baselines.scorer import Baseline, BaselineSettings, scaled, squared_error


class ConvAE(Baseline):
    """Three convolutions and two poolings down to 1/16 of the size in each direction, and back, with tanh."""

    name = "conv-ae"
    clip_length = 10
    grey = True
    multiple = 16
    learning_rate = 1e-4

    def __init__(self, settings: BaselineSettings) -> None:
        super().__init__(settings)
        wide, middle, narrow = scaled(settings, (512, 256, 128))
        self.layers = nn.Sequential(
            nn.Conv2d(self.clip_length, wide, 11, stride=4, padding=5),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Conv2d(wide, middle, 5, padding=2),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Conv2d(middle, narrow, 3, padding=1),
            nn.Tanh(),
            nn.ConvTranspose2d(narrow, middle, 3, padding=1),
            nn.Tanh(),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(middle, wide, 5, padding=2),
            nn.Tanh(),
            nn.Upsample(scale_factor=2),
            nn.ConvTranspose2d(wide, self.clip_length, 11, stride=4, padding=5, output_padding=3),
        )

    def forward(self, clips: Tensor) -> Tensor:
        """Grey clips `(N, 10, 1, H, W)` rebuilt, same shape."""
        return cast(Tensor, self.layers(clips.squeeze(2))).unsqueeze(2)

    def loss(self, batch: Tensor) -> Tensor:
        """Squared error of all ten frames, mean over values."""
        return squared_error(self(batch), batch).mean()

    def terms(self, clips: Tensor) -> Tensor:
        """Squared error of the newest frame: `(N, 1)`."""
        return squared_error(self(clips)[:, -1], clips[:, -1])[:, None]
