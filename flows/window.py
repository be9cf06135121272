"""The hours of a night: when it begins and ends, in a zone whose clocks may be put forward or back in it.

All that is compared and subtracted is UTC, so a night has the hours that really pass: 6.5 from 22:30 to 06:00 in the
night in which clocks go forward, 8.5 in the one in which they go back. An hour that the clocks skip is the moment at
which they skip it plus what they skipped; of an hour that comes twice the first is meant.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Window:
    """From `begins` up to `ends`, both in UTC. Named by the day on which it begins, in its own zone."""

    begins: datetime
    ends: datetime
    zone: ZoneInfo

    @property
    def name(self) -> str:
        """2026-11-21"""
        return self.begins.astimezone(self.zone).date().isoformat()

    def shown(self, moment: datetime) -> str:
        """`22:30`, as the clock on the wall has it."""
        return f"{moment.astimezone(self.zone):%H:%M}"

    def __str__(self) -> str:
        return f"{self.name} {self.shown(self.begins)} to {self.shown(self.ends)} ({self.zone.key})"


def window(now: datetime, start: time, end: time, zone: ZoneInfo) -> Window:
    """The window that `now` lies in, or else the next one. An end that is not after the start is the next day's.

    now  with its time zone, whichever
    """
    today = now.astimezone(zone).date()
    for days in (-1, 0, 1):
        day = today + timedelta(days)
        found = Window(_at(day, start, zone), _at(day + timedelta(1) if end <= start else day, end, zone), zone)
        if now < found.ends:
            return found
    raise AssertionError("tomorrow's window ends after now")


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
