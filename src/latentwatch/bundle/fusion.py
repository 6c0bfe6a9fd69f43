"""What a model file says of how Z-MSE and speed are made one score; `scoring.fusion` computes it."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]


class UsualScore(BaseModel):
    """How a score varies on normal footage.

    mean, deviation: of its natural logarithm. least: scores below count as this, since a logarithm would make
    much of how still a still picture is.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, frozen=True)

    mean: float
    deviation: float = Field(gt=0)
    least: float = Field(gt=0)


class Fusion(BaseModel):
    """What normal footage tells of Z-MSE and of speed, so that they can be made one score.

    highest_speeds: the highest usual speed in each row of places of the latent code, `(h,)`, in pixels of
    the model's input a frame. velocities: the usual ones, each across and down, in units of their row's
    highest speed. direction_weight: how many times as much as speed the distance to the nearest of them
    counts. (`scoring.usual_flow` computes relative speeds of these.) z_mse, speed: how the two scores vary.
    speed_weight: how many times as much as Z-MSE speed counts. threshold: the fused score above which a
    frame is called unusual. place_threshold: the relative speed above which a place is.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    highest_speeds: list[Positive] = Field(min_length=1)
    velocities: list[tuple[float, float]] = Field(min_length=1)
    direction_weight: float = Field(ge=0)
    z_mse: UsualScore
    speed: UsualScore
    speed_weight: float = Field(gt=0)
    threshold: float = Field(gt=0)
    place_threshold: float = Field(gt=0)
