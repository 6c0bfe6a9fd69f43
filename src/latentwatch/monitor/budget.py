"""A budget of false alarms a day, not a threshold: peaks over threshold, with a generalised Pareto tail.

Levels of held-out normal footage above a high level u are gathered into clusters, each of which would be one
alarm. The clusters come at some rate; how far their peaks exceed u follows, for a high u, a generalised
Pareto distribution (Pickands 1975; Davison and Smith 1990). Rate and tail together give the number of alarms
a day that any threshold above u would raise, also beyond what the footage shows.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import genpareto

from latentwatch.errors import LatentwatchError, UsageError
from latentwatch.monitor.alarm import AlarmRules, levels
from latentwatch.monitor.digits import alarms_a_day, significant

ENOUGH_PEAKS = 30
"""Clusters that a fit should rest on; u is the highest of `SHARES` that leaves so many."""

LEAST_PEAKS = 10
"""Clusters below which nothing is fitted."""

SHARES = (0.995, 0.99, 0.98, 0.95, 0.9, 0.8)
"""Shares of normal frames whose level lies below u."""

SHAPES = (0.0, 0.5)
"""The tail's shape is kept within these: below 0 it would have an end, which short footage cannot show."""

REACH = 100
"""How many times beyond the footage the tail is trusted."""

HOURS_A_DAY = 24.0


class Tail(BaseModel):
    """What normal footage scored, in a form that any budget can be read from.

    typical: median level. start: the level u above which the tail holds. peaks: clusters above u, `hours`
    how much footage they come from. shape, scale: of the generalised Pareto distribution of peak - u.
    highest: the highest level seen.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    typical: float = Field(ge=0)
    start: float = Field(ge=0)
    peaks: int = Field(ge=1)
    hours: float = Field(gt=0)
    shape: float
    scale: float = Field(gt=0)
    highest: float = Field(ge=0)

    def threshold(self, per_day: float) -> float:
        """The level that normal footage passes `per_day` times a day; never below `start`."""
        share = per_day / (self.peaks / self.hours * HOURS_A_DAY)
        if share >= 1:
            return self.start
        return float(self.start + genpareto.isf(share, self.shape, scale=self.scale))

    def per_day(self, threshold: float) -> float:
        """How often a day normal footage passes a threshold that is not below `start`."""
        share = genpareto.sf(threshold - self.start, self.shape, scale=self.scale)
        return float(self.peaks / self.hours * HOURS_A_DAY * share)


class Promise(BaseModel):
    """What a budget comes to.

    per_day: false alarms a day that were asked for. threshold: the level that gives them. low, high: between
    these, with 90% confidence, lies the number a day that the threshold truly gives. hours_needed: normal
    footage that would show by itself, without the tail's help, that the budget is kept.
    """

    per_day: float
    threshold: float
    low: float
    high: float
    hours: float
    hours_needed: float

    @property
    def is_short(self) -> bool:
        """Whether the footage is too short: the budget may be passed tenfold, or is beyond the reach."""
        return self.high > 10 * self.per_day or self.hours_needed > REACH * self.hours

    def __str__(self) -> str:
        text = (
            f"threshold {self.threshold:.4g} for {alarms_a_day(self.per_day)} "
            f"(90% confidence: {significant(self.low)} to {significant(self.high)}), "
            f"from {self.hours:.2f} h of normal footage"
        )
        if self.hours < self.hours_needed:
            text += (
                "; the tail reaches beyond the footage, which would need "
                f"{significant(self.hours_needed)} h to show it by itself"
            )
        if self.is_short:
            text += "; TOO SHORT for this promise: give more normal footage or allow more false alarms"
        return text


class Budget(BaseModel):
    """The calibration of one camera's alarms; a file beside its model.

    model_sha256: of the model file it was made with. engine: what scored. ignore: the polygons that did not
    count. footage: names of the clips.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    model_sha256: str
    engine: str
    fps: float = Field(gt=0)
    rules: AlarmRules
    ignore: list[list[tuple[float, float]]]
    tail: Tail
    per_day: float = Field(gt=0)
    threshold: float
    footage: list[str]


def fit_tail(clips: Sequence[NDArray[np.float64]], rules: AlarmRules, fps: float) -> Tail:
    """The tail of held-out normal clips' scores, `(N,)` each, NaN where a frame has none.

    Raises `LatentwatchError` where the footage is too short for any promise.
    """
    normal = [levels(scores, rules.window, fps) for scores in clips]
    known = np.concatenate(normal) if normal else np.empty(0)
    known = known[~np.isnan(known)]
    hours = len(known) / fps / 3600
    found: list[tuple[float, NDArray[np.float64]]] = []
    if len(known):
        for share in SHARES:
            start = float(np.quantile(known, share))
            found.append((start, np.concatenate([_peaks(each, start, rules.apart * fps) for each in normal])))
            if len(found[-1][1]) >= ENOUGH_PEAKS:
                break
    start, peaks = max(found, key=lambda each: len(each[1]), default=(0.0, np.empty(0)))
    if len(peaks) < LEAST_PEAKS:
        raise LatentwatchError(
            f"{hours * 60:.1f} minutes of scored normal footage show {len(peaks)} separate peaks; "
            f"a budget needs {LEAST_PEAKS} at least, some {_minutes(rules):.0f} minutes of footage: give more"
        )
    shape, scale = _fit(peaks - start)
    return Tail(
        typical=float(np.median(known)),
        start=start,
        peaks=len(peaks),
        hours=hours,
        shape=shape,
        scale=scale,
        highest=float(known.max()),
    )


def promise(tail: Tail, per_day: float, draws: int = 200) -> Promise:
    """The threshold for a budget, and how sure it is.

    The limits are from a parametric bootstrap: footage of the same length is drawn from the tail, fitted
    anew, and asked how often a day this threshold would be passed.
    """
    threshold = tail.threshold(per_day)
    rng = np.random.default_rng(0)
    rates = []
    for _ in range(draws):
        count = max(int(rng.poisson(tail.peaks)), 1)
        drawn = genpareto.rvs(tail.shape, scale=tail.scale, size=count, random_state=rng)
        shape, scale = _fit(drawn)
        again = tail.model_copy(update={"peaks": count, "shape": shape, "scale": scale})
        rates.append(again.per_day(threshold))
    low, high = np.quantile(rates, (0.05, 0.95))
    # Three days' worth of the budget without an alarm would show it with 95% confidence (the rule of three).
    needed = 3 / per_day * HOURS_A_DAY
    return Promise(
        per_day=per_day, threshold=threshold, low=low, high=high, hours=tail.hours, hours_needed=needed
    )


def budget_file(model: Path) -> Path:
    """Where a model's budget lies: beside it."""
    return model.with_name(model.name + ".budget.json")


def load_budget(model: Path, sha256: str) -> Budget:
    """The budget beside a model file.

    Raises `UsageError` where there is none or it was made with another model file.
    """
    path = budget_file(model)
    again = f"run 'latentwatch calibrate {model.name} NORMAL_FOOTAGE'"
    if not path.is_file():
        raise UsageError(f"{path}: no such file: this camera has no budget yet; {again}")
    try:
        budget = Budget.model_validate_json(path.read_text())
    except ValueError as error:
        raise LatentwatchError(f"{path}: damaged or not a budget; {again}") from error
    if budget.model_sha256 != sha256:
        raise UsageError(f"{path}: was made with another model than {model.name}; {again}")
    return budget


def _peaks(level: NDArray[np.float64], start: float, apart: float) -> NDArray[np.float64]:
    """The highest level of each cluster above `start`; clusters lie more than `apart` frames apart."""
    (above,) = np.nonzero(level > start)  # NaN is not above
    if not len(above):
        return np.empty(0)
    borders = np.nonzero(np.diff(above) > apart)[0] + 1
    return np.array([level[each].max() for each in np.split(above, borders)])


def _fit(excess: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale by probability-weighted moments (Hosking and Wallis 1987), good for few peaks."""
    count = len(excess)
    mean = float(excess.mean())
    if count < LEAST_PEAKS:
        return SHAPES[0], mean
    weights = np.arange(count - 1, -1, -1) / (count - 1)
    weighted = float((weights * np.sort(excess)).mean())
    spread = mean - 2 * weighted  # 0 where all peaks are alike, as in a film that repeats itself
    shape = float(np.clip(2 - mean / spread, *SHAPES)) if spread > 0 else SHAPES[0]
    return shape, mean * (1 - shape)  # the scale that keeps the mean


def _minutes(rules: AlarmRules) -> float:
    return LEAST_PEAKS * 3 * rules.apart / 60
