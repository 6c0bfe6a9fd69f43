"""The experiments by name, in the order of the paper."""

from latentwatch.errors import UsageError
from latentwatch.experiments.ablation import ABLATION
from latentwatch.experiments.accuracy import PED2, STREET
from latentwatch.experiments.beyond import BEYOND
from latentwatch.experiments.budget.run import BUDGET
from latentwatch.experiments.contamination import FIG6
from latentwatch.experiments.drift import DRIFT
from latentwatch.experiments.engines import ENGINES
from latentwatch.experiments.experiment import Experiment
from latentwatch.experiments.frame_rate import FIG3
from latentwatch.experiments.health import HEALTH
from latentwatch.experiments.live.run import LIVE
from latentwatch.experiments.localisation import FIG2
from latentwatch.experiments.motion_models import TABLE5
from latentwatch.experiments.moving_mnist import FIG7
from latentwatch.experiments.reconstruction_losses import TABLE4
from latentwatch.experiments.speed.table3 import TABLE3
from latentwatch.experiments.table2 import TABLE2
from latentwatch.experiments.weather import FIG4_5

EXPERIMENTS: dict[str, Experiment] = {
    each.name: each
    for each in (
        TABLE2,
        PED2,
        STREET,
        TABLE3,
        FIG2,
        FIG3,
        FIG4_5,
        FIG6,
        TABLE4,
        TABLE5,
        FIG7,
        BEYOND,
        ABLATION,
        ENGINES,
        HEALTH,
        BUDGET,
        DRIFT,
        LIVE,
    )
}


def experiment(name: str) -> Experiment:
    """The experiment called `name`. Raises `UsageError` for an unknown one."""
    if name not in EXPERIMENTS:
        raise UsageError(f"{name}: no such experiment; known are {', '.join(EXPERIMENTS)}")
    return EXPERIMENTS[name]
