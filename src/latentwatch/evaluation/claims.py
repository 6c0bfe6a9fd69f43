"""The paper's claims, each held against the rows of the result that tests it. AUC is micro, in percent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from latentwatch.evaluation.intervals import with_interval
from latentwatch.evaluation.result_file import Row

CHANCE = 50.0
"""AUC of a score that knows nothing."""

LEAST_TIMES = 16
"""Of LatentAuto's frames a second, in the paper."""

_WEATHER = {"rain", "brightness", "blur"}
"""What the paper changes test frames by; ours are changed in other ways too."""


@dataclass(frozen=True)
class Finding:
    """How a claim stands: it holds in so many of its comparisons. shown: their figures."""

    holds: int
    of: int
    shown: str

    @property
    def verdict(self) -> str:
        """In a word."""
        return {0: "no", self.of: "yes"}.get(self.holds, f"in {self.holds} of {self.of}")


@dataclass(frozen=True)
class Claim:
    """What the paper says, and where. result: name of the one that tests it. find: None without its rows.

    any_setting: whether results of other widths, sizes and forms (`ped2-width-small`, say) count beside it.
    seeds: whether models were trained for it.
    """

    paper: str
    says: str
    result: str
    find: Callable[[Sequence[Row]], Finding | None]
    any_setting: bool = False
    seeds: bool = True


def _aucs(
    rows: Sequence[Row], case: Callable[[Row], str], curve: Callable[[Row], str], *wanted: str
) -> dict[str, dict[str, float]]:
    """Micro AUC by case (a frame rate, say) and curve (a score, say); cases with all `wanted` curves."""
    values: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.metric == "auc_micro" and row.status != "quoted":
            values.setdefault(case(row), {})[curve(row)] = row.value
    return {case: found for case, found in values.items() if set(wanted) <= found.keys()}


def _score(row: Row) -> str:
    return row.score


def _dataset(row: Row) -> str:
    return row.dataset


def _variant(row: Row) -> str:
    return row.preset.rpartition(", ")[2]


def _above(rows: Sequence[Row]) -> Finding | None:
    """Z-MSE against P-MSE on each data set."""
    cases = _aucs(rows, _dataset, _score, "z_mse", "p_mse").values()
    if not cases:
        return None
    gains = [each["z_mse"] - each["p_mse"] for each in cases]
    shown = f"by {sum(gains) / len(gains):+.1f} on average, {min(gains):+.1f} to {max(gains):+.1f}"
    return Finding(sum(gain > 0 for gain in gains), len(gains), shown)


def _above_in_weather(rows: Sequence[Row]) -> Finding | None:
    def is_weather(row: Row) -> bool:
        changes = row.dataset.partition(", ")[2]
        return {change.partition("=")[0] for change in changes.split(",") if change} <= _WEATHER

    return _above([row for row in rows if is_weather(row)])


def _above_on_ped2(rows: Sequence[Row]) -> Finding | None:
    """In each setting, whether Z-MSE is above both."""
    on_ped2 = [row for row in rows if row.dataset == "ped2"]
    cases = _aucs(on_ped2, lambda row: row.preset, _score, "z_mse", "p_mse", "r_mse")
    if not cases:
        return None
    holds = [each["z_mse"] > max(each["p_mse"], each["r_mse"]) for each in cases.values()]
    shown = "; ".join(
        f"{preset} {each['z_mse']:.1f}, {each['p_mse']:.1f}, {each['r_mse']:.1f}"
        for preset, each in sorted(cases.items())
    )
    return Finding(sum(holds), len(holds), f"Z, P, R (paper 95.1, 90.9, 91.3): {shown}")


def _speed(rows: Sequence[Row]) -> Finding | None:
    times: dict[str, dict[str, float]] = {}
    for row in rows:
        if (
            row.metric == "ratio"
            and row.system == "latent-auto"
            and row.preset in ("ped2/paper", "ped2/tiny")
        ):
            times.setdefault(row.preset, {})[str(row.engine)] = row.value
    if not times:
        return None
    shown = "; ".join(
        f"{preset} {', '.join(f'{value:.0f} in {engine}' for engine, value in found.items())}"
        for preset, found in times.items()
    )
    values = [value for found in times.values() for value in found.values()]
    return Finding(sum(value >= LEAST_TIMES for value in values), len(values), shown)


def _share(row: Row) -> str:
    return _variant(row).removesuffix("% anomalous")


def _contaminated(rows: Sequence[Row]) -> Finding | None:
    ours = {"z_mse": "Z-MSE", "p_mse": "P-MSE"}
    judged = [
        row
        for row in rows
        if row.dataset == "ped2: all clips" and (row.system != "decoupled" or row.score in ours)
    ]
    cases = _aucs(judged, _share, lambda row: ours.get(row.score, row.system), *ours.values())
    if len(cases) < 2:
        return None
    least, most = (cases[share] for share in (min(cases, key=int), max(cases, key=int)))
    change = {curve: most[curve] - least[curve] for curve in least.keys() & most.keys()}
    z = change.pop(ours["z_mse"])
    shown = ", ".join(f"{curve} {value:+.1f}" for curve, value in sorted(change.items()))
    return Finding(sum(z > value for value in change.values()), len(change), f"Z-MSE {z:+.1f}; {shown}")


def _mse_alone(rows: Sequence[Row]) -> Finding | None:
    losses = _aucs(rows, _variant, _score, "z_mse")
    if "mse" not in losses or len(losses) == 1:
        return None
    z = {loss: found["z_mse"] for loss, found in losses.items()}
    alone = z.pop("mse")
    shown = ", ".join(f"{loss} {value:.1f}" for loss, value in z.items())
    return Finding(sum(alone > value for value in z.values()), len(z), f"mse {alone:.1f}; {shown}")


def _gdl_helps_r(rows: Sequence[Row]) -> Finding | None:
    losses = _aucs(rows, _variant, _score, "r_mse")
    pairs = [
        (plain, more)
        for plain, more in (("mse", "gdl"), ("mse", "mse+gdl"), ("mse+ssim", "mse+gdl+ssim"))
        if {plain, more} <= losses.keys()
    ]
    if not pairs:
        return None
    r = {loss: found["r_mse"] for loss, found in losses.items()}
    shown = ", ".join(f"{plain} {r[plain]:.1f}, {more} {r[more]:.1f}" for plain, more in pairs)
    return Finding(sum(r[more] > r[plain] for plain, more in pairs), len(pairs), shown)


def _conv3d(rows: Sequence[Row]) -> Finding | None:
    models = _aucs(rows, _variant, _score)
    if not {"conv3d", "conv-lstm"} <= models.keys():
        return None
    ours, other = models["conv3d"], models["conv-lstm"]
    scores = [score for score in ("r_mse", "z_mse", "p_mse") if score in ours and score in other]
    shown = ", ".join(f"{score[0].upper()} {ours[score]:.1f} and {other[score]:.1f}" for score in scores)
    return Finding(sum(ours[score] >= other[score] for score in scores), len(scores), shown)


def _sooner(rows: Sequence[Row]) -> Finding | None:
    delays = {_variant(row): row.value for row in rows if row.metric == "delay_frames"}
    if not {"conv3d", "conv-lstm"} <= delays.keys():
        return None
    ours, other = delays["conv3d"], delays["conv-lstm"]
    return Finding(int(ours < other), 1, f"{ours:.0f} and {other:.0f} frames after the start")


def _new_is_higher(rows: Sequence[Row]) -> Finding | None:
    """Whether the AUC is above chance, with its confidence interval where there is one."""
    aucs = [row for row in rows if row.metric == "auc_raw" and row.score == "z_mse"]
    if not aucs:
        return None
    named = [(row.dataset.partition(": ")[2].partition(" / ")[0], row) for row in aucs]
    figures = ", ".join(f"{name} {with_interval(row.value, row.ci95)}" for name, row in named)
    return Finding(sum(row.value - (row.ci95 or 0) > CHANCE for row in aucs), len(aucs), f"AUC {figures}")


CLAIMS = (
    Claim("Table 2", "on Ped2, Z-MSE is above P-MSE and R-MSE", "ped2", _above_on_ped2, any_setting=True),
    Claim("Table 3", "16 to 45 times LatentAuto's frames a second", "speed", _speed, seeds=False),
    Claim("Fig. 3", "Z-MSE is above P-MSE at every frame rate", "fig3", _above),
    Claim("Fig. 5", "Z-MSE is above P-MSE in rain and at any brightness", "fig4-5", _above_in_weather),
    Claim("Fig. 6", "anomalies in training cost Z-MSE least", "fig6", _contaminated),
    Claim("Table 4", "Z-MSE is highest with MSE alone as the loss", "table4", _mse_alone),
    Claim("Table 4", "GDL in the loss helps R-MSE", "table4", _gdl_helps_r),
    Claim("Table 5", "Conv3D is no worse than ConvLSTM by any score", "table5", _conv3d),
    Claim("Section 6.3", "Conv3D finds an anomaly sooner than ConvLSTM", "table5", _sooner),
    Claim("Fig. 7", "unseen digits, shapes and speeds score higher", "fig7", _new_is_higher),
)
"""In the paper's order."""
