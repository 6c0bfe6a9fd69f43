"""When a camera is watched: "mon-fri 22:00-06:00", said as a person says it."""

import re
from dataclasses import dataclass
from datetime import datetime, time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_FORM = re.compile(r"(?:([a-z]+)(?:-([a-z]+))?)?\s*(?:(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d))?")


@dataclass(frozen=True)
class Hours:
    """Some days of the week (0 is Monday), from a time of day until before another.

    Where `until` is not after `since`, the hours go on past midnight and belong to the day they began on.
    """

    days: frozenset[int]
    since: time = time.min
    until: time = time.min

    def hold(self, moment: datetime) -> bool:
        """Whether `moment`, in local time, is within these hours."""
        day, clock = moment.weekday(), moment.time()
        if self.since < self.until:
            return day in self.days and self.since <= clock < self.until
        began_today = day in self.days and clock >= self.since
        began_yesterday = (day - 1) % 7 in self.days and clock < self.until
        return began_today or began_yesterday


def parse_hours(text: str) -> Hours:
    """Hours from "mon-fri 22:00-06:00", "sat-sun" (the whole days) or "08:00-18:00" (every day).

    Raises `ValueError` for anything else.
    """
    found = _FORM.fullmatch(text.strip().lower())
    if not found or not text.strip():
        raise ValueError(
            f"'{text}': expected hours such as 'mon-fri 22:00-06:00', 'sat-sun' or '08:00-18:00'"
        )
    first, last, *clock = found.groups()
    for day in (first, last):
        if day and day not in DAYS:
            raise ValueError(f"'{text}': '{day}' is not a day; days are {', '.join(DAYS)}")
    days = range(7)
    if first:
        begin = DAYS.index(first)
        count = (DAYS.index(last or first) - begin) % 7 + 1
        days = range(begin, begin + count)
    if clock[0] is None:
        return Hours(frozenset(day % 7 for day in days))
    hour, minute, end_hour, end_minute = (int(number) for number in clock)
    try:
        since, until = time(hour, minute), time(end_hour % 24, end_minute)
        if end_hour > 24 or (end_hour == 24 and end_minute):
            raise ValueError
    except ValueError as error:
        raise ValueError(f"'{text}': not times of day; they go from 00:00 to 24:00") from error
    return Hours(frozenset(day % 7 for day in days), since, until)
