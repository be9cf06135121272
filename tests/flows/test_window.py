"""The hours of a night, also in the nights in which clocks are put forward and back."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from flows.window import Window, window

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def night(now: datetime, start: str = "22:30", end: str = "06:00", zone: ZoneInfo = BERLIN) -> Window:
    return window(now, time.fromisoformat(start), time.fromisoformat(end), zone)


@pytest.mark.parametrize(
    ("now", "name"),
    [
        pytest.param("2026-11-21 22:30", "2026-11-21", id="at-its-first-moment"),
        pytest.param("2026-11-21 23:59", "2026-11-21", id="before-midnight"),
        pytest.param("2026-11-22 05:59", "2026-11-21", id="after-midnight-it-is-still-last-nights"),
        pytest.param("2026-11-22 06:00", "2026-11-22", id="at-its-end-it-is-over"),
        pytest.param("2026-11-22 12:00", "2026-11-22", id="by-day-the-next-one"),
    ],
)
def test_a_moment_lies_in_its_night_or_before_the_next(now: str, name: str) -> None:
    found = night(at(now))
    assert found.name == name and at(now) < found.ends
    assert (found.shown(found.begins), found.shown(found.ends)) == ("22:30", "06:00")


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-11-21", 7.5, id="any-night"),
        pytest.param("2026-03-28", 6.5, id="clocks-go-forward"),
        pytest.param("2026-10-24", 8.5, id="clocks-go-back"),
    ],
)
def test_a_night_has_the_hours_that_really_pass(day: str, hours: float) -> None:
    found = night(at(f"{day} 22:30"))
    assert (found.ends - found.begins).total_seconds() == hours * 3600
    assert found.shown(found.ends) == "06:00" and found.name == day


def test_a_time_that_the_clocks_skip_is_as_much_later() -> None:
    found = night(at("2026-03-28 20:00"), "22:30", "02:30")
    assert found.ends == datetime(2026, 3, 29, 1, 30, tzinfo=UTC) and found.shown(found.ends) == "03:30"


def test_of_a_time_that_comes_twice_the_first_is_meant() -> None:
    found = night(at("2026-10-24 20:00"), "22:30", "02:30")
    assert found.ends == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_window_within_one_day_does_not_go_over_midnight() -> None:
    found = night(at("2026-11-21 13:00"), "12:00", "14:00")
    assert found.name == "2026-11-21" and (found.ends - found.begins).total_seconds() == 2 * 3600
    assert night(at("2026-11-21 14:00"), "12:00", "14:00").name == "2026-11-22"


def test_now_may_be_told_in_any_zone() -> None:
    tokyo = at("2026-11-22 07:00", ZoneInfo("Asia/Tokyo"))  # 23:00 of the 21st in Berlin
    assert night(tokyo).name == "2026-11-21"
    assert str(night(tokyo)) == "2026-11-21 22:30 to 06:00 (Europe/Berlin)"
