"""Confidence intervals: of a mean over seeds, and of a count."""

from collections.abc import Sequence

import numpy as np
from scipy import stats


def mean_ci95(values: Sequence[float]) -> tuple[float, float | None]:
    """Mean and half-width of the 95% confidence interval (Student's t); None for a single value."""
    array = np.asarray(values, dtype=np.float64)
    if len(array) < 2:
        return float(array.mean()), None
    half = stats.t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return float(array.mean()), float(half)


def with_interval(value: float, ci95: float | None) -> str:
    """A value with the half-width of its confidence interval, where it has one."""
    return f"{value:.1f}" if ci95 is None else f"{value:.1f} ± {ci95:.1f}"


def poisson_limits95(count: int) -> tuple[float, float]:
    """Exact 95% limits of the mean of a Poisson distribution of which `count` was seen (Garwood 1936)."""
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(stats.chi2.ppf(0.975, 2 * (count + 1)) / 2)
