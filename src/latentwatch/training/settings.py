"""How a model is trained: all that a person can set, and the learning rate that follows from it."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from latentwatch.models.presets import Reconstruction

LatentGradient = Literal["late", "full", "stop"]
Schedule = Literal["cycle", "steps"]


class TrainingSettings(BaseModel):
    """How a model is trained. `FORMS` has the paper's own settings too (Sections 3.3, 4.1)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs: int = Field(16, ge=2)
    phase_one: float = Field(0.3, gt=0, le=1)
    """Share of the epochs that are phase one; 1: there is no other. With "steps" it may end sooner, see
    `patience`."""
    lambda_p: float = Field(0.001, ge=0)
    """Weight of the prediction loss in phase one, where lambda_r is 1. In phase two they are 1 and 0.001."""
    variance: float = Field(0, ge=0)
    """Weight, beside the prediction loss's 1, of the term that keeps the code's variance over time
    (`models.losses.variance_term`). 0: none, as in the paper."""
    speed_contrast: float = Field(0, ge=0)
    """Weight, beside the prediction loss's 1, of the term that keeps sped-up footage unpredictable
    (`models.losses.speed_contrast`). 0: none, as in the paper. Needs a motion model that predicts, and clips
    of 2 (k + horizon - 1) + 1 frames; without, there is no such term."""
    reconstruction: Reconstruction = "mse"
    """What the first term of Eq. 1 measures (Table 4)."""
    latent_gradient: LatentGradient = "late"
    """Whether the prediction loss reaches the encoder. "full": always, as Eq. 1 reads. "late": in phase two
    alone; phase one trains the autoencoder, the motion model then learns its finished codes
    (`training.warm_up`), and phase two trains all of it. "stop": never."""
    schedule: Schedule = "cycle"
    """The learning rate over the epochs. "steps": `learning_rate`, falling tenfold after 20 and 40 of 50
    epochs. "cycle": in phase one up to `learning_rate` and down to nothing, in phase two from
    `learning_rate_two` down to nothing."""
    learning_rate: float = Field(2e-3, gt=0)
    learning_rate_two: float = Field(3e-4, gt=0)
    gamma: float = Field(0.001, ge=0)
    patience: int = Field(3, ge=1)
    """With "steps", phase one ends when the held-out reconstruction loss has not fallen by 1% for so many
    epochs. (With "cycle" it keeps the end of its cycle, where most is gained.)"""
    run: int = Field(18, ge=8)
    runs: int = Field(2, ge=1)
    """A batch is `runs` times `run` consecutive frames, each from another place of the footage."""
    appearance_run: int = Field(4, ge=2)
    appearance_runs: int = Field(4, ge=1)
    """The same while the autoencoder alone is trained, which needs no windows: more places in a batch."""
    shift: float = Field(0.25, ge=0, le=0.5)
    """Each run of frames, its background taken away, is moved at random by up to this share of the picture's
    height in both directions: a little footage does not show everything at every place. The code then says
    what is there and how it moves, and less whether anything was at that place before."""
    warm_up_passes: int = Field(12, ge=1)
    """Passes of the motion model over the finished codes, in "late"."""
    fuse_speed: bool = True
    """Whether the anomaly score is Z-MSE and speed made one (`scoring.fusion`), and not Z-MSE alone as in the
    paper. Changes no weight."""
    seed: int = 0

    def epochs_one(self) -> int:
        """Epochs of phase one, at most."""
        if self.phase_one == 1:
            return self.epochs
        return max(min(round(self.phase_one * self.epochs), self.epochs - 1), 1)

    def rate(self, phase: int, done: float) -> float:
        """The learning rate after `done` epochs (of the whole run, fractions count), in `phase` 1 or 2."""
        if self.schedule == "steps":
            return self.learning_rate * 0.1 ** int(done / (0.4 * self.epochs))
        one = self.epochs_one()
        if phase == 2:
            share = (done - one) / (self.epochs - one)
            return self.learning_rate_two * 0.5 * (1 + math.cos(math.pi * min(share, 1)))
        share, rise = min(done / one, 1), 0.1
        if share < rise:
            return self.learning_rate * (0.04 + 0.96 * share / rise)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * (share - rise) / (1 - rise)))


FORMS = {
    "joint": TrainingSettings(
        epochs=10,
        phase_one=1,
        lambda_p=0.1,
        variance=5,
        speed_contrast=1,
        latent_gradient="full",
        learning_rate=1e-3,
        shift=0,
    ),
    "fast": TrainingSettings(),
    "paper": TrainingSettings(
        epochs=50,
        phase_one=0.5,
        latent_gradient="full",
        schedule="steps",
        learning_rate=1e-4,
        shift=0,
        fuse_speed=False,
    ),
}
"""Settings by name. "joint", what the program uses unless told otherwise: autoencoder and motion model
together in one phase of 10 epochs, the code's variance over time kept, and sped-up footage held up as what
must not be predicted. "paper": Eq. 1 as it reads, Adam at 1e-4, falling tenfold every 20 of 50 epochs; its
score is Z-MSE alone.
"fast": a third of the paper's time, for a first look."""

FINE_TUNING = FORMS["joint"].model_copy(update={"epochs": 5, "learning_rate": 3e-4})
"""How a trained model goes on learning from newer footage: as "joint", shorter and with smaller steps."""
