"""A length of time as a person writes it: "24h", "90m", "weekly"."""

import re

SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
WORDS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 7 * 86400.0}

_FORM = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def parse_duration(text: str) -> float:
    """Seconds from "30s", "90m", "24h", "7d", "hourly", "daily" or "weekly".

    Raises `ValueError` for anything else, and for no time at all.
    """
    wanted = str(text).strip().lower()
    found = _FORM.fullmatch(wanted)
    seconds = WORDS.get(wanted, float(found[1]) * SECONDS[found[2]] if found else 0.0)
    if seconds <= 0:
        raise ValueError(f"'{text}': expected a time such as 90m, 24h, 7d, or {', '.join(WORDS)}")
    return seconds


def shown(seconds: float) -> str:
    """A length of time in the unit that suits it, such as "3.2 h"."""
    unit = next((unit for unit in ("d", "h", "m") if seconds >= 1.5 * SECONDS[unit]), "s")
    name = "min" if unit == "m" else unit
    return f"{seconds / SECONDS[unit]:.3g} {name}"
