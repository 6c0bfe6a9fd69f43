"""The baselines by name."""

from latentwatch.baselines.conv_ae import ConvAE
from latentwatch.baselines.future_frame import FutureFrame
from latentwatch.baselines.latent_auto import LatentAuto
from latentwatch.baselines.mem_ae import MemAE
from latentwatch.baselines.mnad import Mnad
from latentwatch.baselines.scorer import Baseline, BaselineSettings
from latentwatch.errors import UsageError

SYSTEMS: dict[str, type[Baseline]] = {
    system.name: system for system in (ConvAE, FutureFrame, LatentAuto, MemAE, Mnad)
}

SHARES = {"paper": 1.0, "small": 0.5, "tiny": 0.125}
"""Channels by name of width, as a share of the system's own paper's."""


def build(settings: BaselineSettings) -> Baseline:
    """The system that `settings` describes, with random weights.

    Raises `UsageError` for an unknown name or an input size that does not fit.
    """
    if settings.system not in SYSTEMS:
        raise UsageError(f"{settings.system}: no such system; known are {', '.join(SYSTEMS)}")
    try:
        return SYSTEMS[settings.system](settings)
    except ValueError as error:
        raise UsageError(str(error)) from error
