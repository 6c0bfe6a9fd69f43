"""All that a bench has measured, and what follows from it: ratios, and whether the targets are met."""

from dataclasses import dataclass, field
from statistics import median

from latentwatch.experiments.speed.costs import Arithmetic
from latentwatch.experiments.speed.end_to_end import Run
from latentwatch.experiments.speed.parts import BASELINE, Part
from latentwatch.experiments.speed.race import Spread, Times, spread
from latentwatch.experiments.speed.systems import Racer
from latentwatch.models.presets import DEFAULT_WIDTH

SHIPPED = DEFAULT_WIDTH
"""The width that is judged against the targets: what `latentwatch train` takes by default."""

TARGETS = {"latent-auto": 45.0, "conv-ae": 5.0, "future-frame": 5.0}
"""By system, how many times as many frames a second ours should do in the same engine."""

STEP_TARGET = 1.7
"""How many times as fast the motion step should be as the dense motion model."""

BEST_TARGET = 5.0
"""How many times as fast the best engine should be as PyTorch, eager, fp32, dense."""

NAMES = {"conv-ae": "ConvAE", "future-frame": "FFP+MC", "latent-auto": "LatentAuto", "decoupled": "ours"}

TABLE3 = {
    "ped1": {"conv-ae": 75, "future-frame": 63, "latent-auto": 2, "decoupled": 81},
    "ped2": {"conv-ae": 75, "future-frame": 63, "latent-auto": 2, "decoupled": 90},
    "avenue": {"conv-ae": 71, "future-frame": 48, "latent-auto": 5, "decoupled": 77},
    "shanghaitech": {"conv-ae": 71, "future-frame": 48, "latent-auto": 5, "decoupled": 77},
}
"""The paper's frames a second (Table 3), on a Core i7-8700 with a GeForce GTX 1080 Ti."""


@dataclass
class Measured:
    """What was measured so far.

    race, parts: times whose runners are called as in `racers` and `part_list`. costs: by racer on PyTorch.
    memory: MiB, by racer; base_memory: of a process without a system. peaks: GFLOP/s by precision. films: by
    width and height of the picture.
    """

    racers: list[Racer] = field(default_factory=list)
    race: Times = field(default_factory=Times)
    costs: dict[Racer, Arithmetic] = field(default_factory=dict)
    memory: dict[Racer, float] = field(default_factory=dict)
    base_memory: float | None = None
    peaks: dict[str, float] = field(default_factory=dict)
    part_list: list[Part] = field(default_factory=list)
    parts: Times = field(default_factory=Times)
    films: dict[tuple[str, int], list[Run]] = field(default_factory=dict)

    def fps(self, racer: Racer) -> Spread:
        """Frames a second."""
        return spread(self.race.rates(str(racer)))

    def share(self, racer: Racer) -> float | None:
        """Share of the machine's peak in percent, None where arithmetic or peak was not measured."""
        cost, peak = self.cost(racer), self.peaks.get(racer.precision)
        return None if cost is None or peak is None else 100 * cost.gflop * self.fps(racer).median / peak

    def cost(self, racer: Racer) -> Arithmetic | None:
        """Arithmetic and weights, which are the same on all engines."""
        return self.costs.get(Racer(racer.system, racer.width, racer.dataset, "torch"))

    def ratios(self) -> list[tuple[Racer, Racer, Spread]]:
        """Ours, theirs and the ratio of frames a second, for all pairs on one engine at one input size."""
        if not self.race.rounds:
            return []
        return [
            (ours, theirs, spread(self.race.ratios(str(ours), str(theirs))))
            for ours in self.racers
            for theirs in self.racers
            if ours.is_ours
            and not theirs.is_ours
            and (ours.size, ours.runs_on) == (theirs.size, theirs.runs_on)
        ]

    def step_ratios(self) -> list[tuple[Part, Spread]]:
        """The motion steps, and how many times as fast as the dense model on the same engine each is."""
        return [
            (part, spread(self.parts.ratios(str(part), str(dense))))
            for part in self.part_list
            if part.name == "step"
            and self.parts.rounds
            and (dense := Part("dense", part.width, part.k, part.engine)) in self.part_list
        ]

    def whole_ratios(self) -> list[tuple[Part, Spread]]:
        """The whole system on each engine, and how many times as fast as `BASELINE` it is."""
        return [
            (part, spread(self.parts.ratios(str(part), str(Part("whole", part.width, part.k, BASELINE)))))
            for part in self.part_list
            if part.name == "whole" and part.engine != BASELINE and self.parts.rounds
        ]

    def encoder_ratios(self) -> list[tuple[Part, Spread]]:
        """The encoder of models with k = 6, and its time over that of the one with k = 8."""
        return [
            (part, spread(self.parts.ratios(str(Part("encoder", part.width, 8, part.engine)), str(part))))
            for part in self.part_list
            if part.name == "encoder" and part.k == 6 and self.parts.rounds
        ]


@dataclass(frozen=True)
class Target:
    """A ratio that the project wants to reach, and what was measured."""

    what: str
    wanted: float
    ratio: Spread

    @property
    def met(self) -> bool:
        """By the median of the rounds."""
        return self.ratio.median >= self.wanted


def targets(measured: Measured) -> list[Target]:
    """The targets at width `SHIPPED` for which something was measured."""
    found = [
        Target(f"frames/s over {NAMES[theirs.system]}, {theirs.size}, {theirs.runs_on}", wanted, ratio)
        for ours, theirs, ratio in measured.ratios()
        if ours.width == SHIPPED
        and ours.dataset == theirs.dataset
        and (wanted := TARGETS.get(theirs.system)) is not None
    ]
    found += [
        Target(f"motion step over dense motion model, k = {part.k}, {part.engine}", STEP_TARGET, ratio)
        for part, ratio in measured.step_ratios()
        if part.width == SHIPPED
    ]
    whole = [(part, ratio) for part, ratio in measured.whole_ratios() if part.width == SHIPPED]
    # int8 apart: its weights are not the same.
    for int8 in (False, True):
        asked = [each for each in whole if each[0].engine.endswith(" int8") == int8]
        if asked:
            part, ratio = min(asked, key=lambda each: median(measured.parts.seconds[str(each[0])]))
            found.append(Target(f"best engine ({part.engine}) over {BASELINE}", BEST_TARGET, ratio))
    return found
