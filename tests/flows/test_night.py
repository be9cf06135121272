"""A night: what fits is begun and waited for, the rest carried over, and the summary says so; in a played night, by a
clock that the test winds, on a farm that takes its time and no processor's."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from flows import morning
from flows.morning import Begun, Morning
from flows.night import BEGUN, CARRIED_OVER, POLL_SECONDS, Night, planned, work
from flows.submit import SUBMITTED
from storage.catalog import (
    Episode,
    EpisodeStatus,
    Event,
    Finding,
    ShotStatus,
    Step,
    Take,
    Verdict,
    episode,
    event,
    moves,
    take,
)
from storage.catalog.session import catalog
from storage.errors import Missing, Refused
from tasks.job import Priority
from tests.flows.test_cli import call
from tests.flows.test_estimate import add_finished, add_takes
from tests.storage.drawn_rows import add_episode, add_shot, add_track, draw_take

HOUR = 3600
PLAN = Night(start="22:30", end="03:30", timezone="Europe/Berlin")  # five hours
DUSK = datetime(2026, 11, 21, 21, 30, tzinfo=UTC)  # 22:30 in Berlin


class Play:
    """A clock, and a farm on which each episode takes its frames in seconds, one after another."""

    def __init__(self, now: datetime = DUSK) -> None:
        self.now = now
        self.started: list[str] = []
        self.pace = 1.0  # seconds a frame; the catalog's estimate is 1
        self.crashes: set[str] = set()
        self.refused: set[str] = set()
        self.away: Callable[[datetime], bool] = lambda now: False
        self.ends: dict[str, datetime] = {}
        self.free = now

    def clock(self) -> datetime:
        return self.now

    def pause(self, seconds: float) -> None:
        assert 0 < seconds <= POLL_SECONDS
        self.now += timedelta(seconds=15 * seconds)  # five minutes: a night of seconds
        for name, at in self.ends.items():
            if at <= self.now and name not in self.crashes:
                _deliver(name)

    def start(self, row: Episode, priority: Priority) -> None:
        self._answer()
        if row.name in self.refused:
            raise Refused("The farm refuses this: no such parameter.")
        self.started.append(row.name)
        begins = max(self.now, self.free)
        self.free = self.ends[row.name] = begins + timedelta(seconds=self.pace * row.frames)
        with catalog() as session:
            moves.move(session, episode.by_name(session, row.name), EpisodeStatus.RUNNING)

    def over(self, row: Episode) -> str:
        self._answer()
        if row.name not in self.ends:
            return "it has no run"
        return "" if self.now < self.ends[row.name] else "its run ended as Crashed"

    def workers(self) -> int:
        self._answer()
        return 1

    def _answer(self) -> None:
        if self.away(self.now):
            raise Missing("The farm does not answer.")


def _deliver(name: str) -> None:
    with catalog() as session:
        row = episode.by_name(session, name)
        if row.status is EpisodeStatus.RUNNING:
            moves.move(session, row, EpisodeStatus.DELIVERED)


@pytest.fixture
def past(house: Path) -> None:
    """One finished episode, by which a frame takes a second from start to end, and drawing it takes nothing."""
    with catalog() as session:
        row = add_finished(session, "past", 0)
        add_takes(session, row, "diff2lip", 0)
        for step in session.scalars(select(Step)):
            step.microseconds = 1_000_000 * row.frames if step.name == "look" else 0


def queue(name: str, seconds: float, priority: Priority = "overnight") -> None:
    with catalog() as session:
        row = add_episode(session, name)
        row.frames, row.job = round(seconds), {"priority": priority}
        event.append(session, row.id, "anna", SUBMITTED, name, after={"job": row.job})


def run(play: Play, plan: Night = PLAN) -> Morning:
    return work(plan, play, play.clock, play.pause, lambda line: None)


def status_of(name: str) -> tuple[EpisodeStatus, str]:
    with catalog() as session:
        row = episode.by_name(session, name)
        return row.status, row.reason


def events(what: str) -> list[Event]:
    with catalog() as session:
        return list(session.scalars(select(Event).where(Event.what == what).order_by(Event.id)))


def test_a_night_that_is_too_short_begins_what_fits_and_carries_over_the_rest(past: None) -> None:
    for name in ("ep01", "ep02", "ep03"):
        queue(name, 2 * HOUR)
    play = Play()
    said = run(play)
    assert play.started == ["ep01", "ep02"]
    assert said.counts == {"done": 2, "held": 0, "failed": 0, "at work": 0, "carried over": 1}
    assert said.carried_over == [("ep03", "needs 2:00, and from 02:30 on 1:00 were left")]
    status, reason = status_of("ep03")
    assert status is EpisodeStatus.QUEUED and reason.startswith("carried over from the night of 2026-11-21: needs 2:00")
    assert [(each.about, each.who) for each in events(CARRIED_OVER)] == [("ep03", "night")]
    assert play.now - DUSK == timedelta(hours=4)  # it ends with the last that it began


def test_the_next_night_takes_what_was_carried_over(past: None) -> None:
    queue("ep01", 4 * HOUR)
    queue("ep02", 4 * HOUR)
    run(Play())
    said = run(Play(DUSK + timedelta(days=1)))
    assert [each.episode for each in said.episodes] == ["ep02"] and said.whole
    assert status_of("ep02") == (EpisodeStatus.DELIVERED, "")


def test_what_ends_early_makes_room(past: None) -> None:
    for name in ("ep01", "ep02", "ep03"):
        queue(name, 2 * HOUR)
    play = Play()
    play.pace = 0.5
    assert run(play).counts["done"] == 3 and play.started == ["ep01", "ep02", "ep03"]


def test_what_takes_longer_is_left_to_itself_when_the_window_ends(past: None) -> None:
    queue("ep01", 4 * HOUR)
    play = Play()
    play.pace = 3
    said = run(play)
    assert said.counts["at work"] == 1 and play.now == DUSK + timedelta(hours=5)
    assert status_of("ep01")[0] is EpisodeStatus.RUNNING


def test_what_was_meant_for_the_night_goes_first_and_what_is_too_long_is_passed_by(past: None) -> None:
    queue("by-day", 0.5 * HOUR, "default")
    queue("too-long", 9 * HOUR)
    queue("first", 2 * HOUR)
    queue("second", 2 * HOUR)
    queue("now", 0.25 * HOUR, "urgent")
    play = Play()
    said = run(play)
    assert play.started == ["now", "first", "second", "by-day"]
    assert [name for name, _ in said.carried_over] == ["too-long"]


def test_what_the_day_left_running_takes_its_time_too(past: None) -> None:
    queue("by-day", 2 * HOUR, "urgent")
    queue("ep01", 4 * HOUR)
    play = Play()
    play.start(_row("by-day"), "urgent")
    said = run(play)
    assert play.started == ["by-day"] and said.counts == {**dict.fromkeys(said.counts, 0), "carried over": 1}


def _row(name: str) -> Episode:
    with catalog() as session:
        return episode.by_name(session, name)


def test_a_night_that_is_killed_goes_on_and_begins_nothing_twice(past: None) -> None:
    queue("ep01", 2 * HOUR)
    queue("ep02", 2 * HOUR)
    play = Play()

    def killed(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(PLAN, play, play.clock, killed, lambda line: None)
    said = run(play)
    assert play.started == ["ep01", "ep02"] and len(events(BEGUN)) == 2
    assert [each.episode for each in said.episodes] == ["ep01", "ep02"] and said.whole


def test_a_run_that_ends_without_a_word_is_written_down(past: None) -> None:
    queue("ep01", HOUR)
    play = Play()
    play.crashes = {"ep01"}
    said = run(play)
    assert said.counts["failed"] == 1 and not said.whole
    assert status_of("ep01") == (EpisodeStatus.FAILED, "its run ended as Crashed; `dubline retry ep01` goes on")


def test_what_the_farm_refuses_costs_one_episode(past: None) -> None:
    queue("ep01", HOUR)
    queue("ep02", HOUR)
    play = Play()
    play.refused = {"ep01"}
    said = run(play)
    assert said.counts["failed"] == 1 and said.counts["done"] == 1
    assert "no such parameter" in status_of("ep01")[1]


def test_a_farm_that_goes_away_is_waited_for(past: None) -> None:
    queue("ep01", HOUR)
    queue("ep02", HOUR)
    play = Play()
    play.away = lambda now: timedelta(minutes=10) < now - DUSK < timedelta(minutes=90)
    assert run(play).counts["done"] == 2


def test_a_farm_that_is_not_there_at_first_is_missing(past: None) -> None:
    play = Play()
    play.away = lambda now: True
    with pytest.raises(Missing):
        run(play)


def test_started_before_its_window_it_waits_for_it(past: None) -> None:
    queue("ep01", HOUR)
    play = Play(DUSK - timedelta(minutes=50))
    said = run(play)
    assert events(BEGUN)[0].after["night"] == said.night == "2026-11-21"
    assert play.ends["ep01"] == DUSK + timedelta(hours=1)


def test_started_in_the_middle_only_what_is_left_of_the_window_counts(past: None) -> None:
    queue("ep01", 3 * HOUR)
    queue("ep02", 1 * HOUR)
    play = Play(DUSK + timedelta(hours=3))
    assert [name for name, _ in run(play).carried_over] == ["ep01"] and play.started == ["ep02"]


@pytest.mark.parametrize(
    ("dusk", "begun"),
    [
        pytest.param(datetime(2026, 3, 28, 21, 30, tzinfo=UTC), 3, id="clocks-go-forward"),
        pytest.param(datetime(2026, 10, 24, 20, 30, tzinfo=UTC), 4, id="clocks-go-back"),
    ],
)
def test_when_clocks_change_what_fits_is_counted_by_the_hours_that_pass(past: None, dusk: datetime, begun: int) -> None:
    for n in range(6):
        queue(f"ep{n}", 2 * HOUR)
    play = Play(dusk)
    run(play, Night(start="22:30", end="06:00", timezone="Europe/Berlin"))
    assert len(play.started) == begun


def test_a_plan_says_where_it_stops_fitting_and_begins_nothing(past: None) -> None:
    for name in ("ep01", "ep02", "ep03"):
        queue(name, 2 * HOUR)
    play = Play()
    said = planned(PLAN, play, DUSK - timedelta(hours=3))
    assert said["night"] == "2026-11-21 22:30 to 03:30 (Europe/Berlin)" and said["begins"] == "in 3:00"
    assert [(each["episode"], each["begins"], each["ends"], each["fits"]) for each in said["episodes"]] == [
        ("ep01", "22:30", "00:30", True), ("ep02", "00:30", "02:30", True), ("ep03", "", "", False),
    ]  # fmt: skip
    assert "1:00 were left" in said["episodes"][2]["reason"]
    assert not play.started and not events(BEGUN) and status_of("ep03")[1] == ""


def test_the_command_plans_without_a_farm(
    past: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    queue("ep01", HOUR)
    now = datetime.now(UTC)  # the command asks the clock itself: a window that has room at any hour
    room = [f"--start={now - timedelta(hours=1):%H:%M}", f"--end={now + timedelta(hours=6):%H:%M}", "--timezone=UTC"]
    assert call(monkeypatch, "night", "plan", "--json", *room) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["fitting"] == 1 and "dubline up" in said["farm"]
    assert call(monkeypatch, "night", "run") == 3
    assert "No farm is running" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        pytest.param(["--start", "25:00"], "--start 25:00", id="no-such-hour"),
        pytest.param(["--end", "6"], "--end 6", id="no-minutes"),
        pytest.param(["--timezone", "Berlin"], "like Europe/Berlin", id="no-such-zone"),
        pytest.param(["--timezone", "../etc"], "like Europe/Berlin", id="a-path"),
    ],
)
def test_a_night_that_cannot_be_is_refused(
    house: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[str], says: str
) -> None:
    assert call(monkeypatch, "night", "plan", *options) == 2
    assert says in capsys.readouterr().err and not house.exists()


def add_drawn(session: Session, row: Episode, name: str, confidence: float, key: str, us: int = 1_000_000) -> int:
    """A shot that is done; its take of ten frames was drawn at midnight. Returns the take's id."""
    shot = add_shot(session, row, name)
    shot.status = ShotStatus.DONE
    track = add_track(session, shot)
    track.confidence = confidence
    drawn = draw_take(track, key=key * 64)
    drawn.placements, drawn.microseconds_a_frame = [[n, 0, 0] for n in range(10)], us
    drawn.rendered_us = round((DUSK + timedelta(hours=2)).timestamp() * 1e6)
    session.add(drawn)
    session.flush()
    take.circle(session, drawn)
    return drawn.id


def summed(rows: list[Episode]) -> Morning:
    with catalog() as session:
        span, begun = PLAN.window(DUSK), {row.id: Begun(HOUR, "") for row in rows}
        return morning.of_night(session, span, begun, [], DUSK + timedelta(hours=5))


def test_the_worst_shots_come_first_red_then_held_then_as_they_were_measured(house: Path) -> None:
    with catalog() as session:
        row = add_episode(session)
        for n, (name, key, sure) in enumerate((("a", "1", 0.9), ("b", "2", 0.3), ("c", "3", 0.5), ("d", "4", 0.1))):
            drawn = add_drawn(session, row, name, sure, key)
            if name in "ac":
                one = Finding(drawn, "LSE-C, syncnet v2", 2.0 + n, "", None, Verdict.NO_TARGET)
                one.episode_id = row.id
                session.add(one)
        held, red = add_shot(session, row, "held"), add_shot(session, row, "red")
        held.status, held.reason = ShotStatus.HELD, "two faces, one voice"
        red.status, red.reason = ShotStatus.FAILED, "the face leaves the picture"
        for n in range(9):
            add_drawn(session, row, f"sure{n}", 1.0, "abcdef789"[n])
    found = summed([row]).worst
    assert [each.shot for each in found] == ["red", "held", "a", "c", "d", "b", "sure0", "sure1", "sure2", "sure3"]
    assert found[0].why == "the face leaves the picture" and found[2].why == "LSE-C, syncnet v2 2, no-target"


def test_gpu_hours_count_what_was_drawn_in_the_window_and_each_take_once(house: Path) -> None:
    with catalog() as session:
        row, other = add_episode(session, "ep01"), add_episode(session, "ep02")
        add_drawn(session, row, "a", 1, "1", us=90_000_000)
        add_drawn(session, row, "b", 1, "2", us=90_000_000)
        add_drawn(session, other, "a", 1, "1", us=90_000_000)  # the same take, found by its key
        early = session.get_one(Take, add_drawn(session, row, "c", 1, "3", us=90_000_000))
        early.rendered_us = round((DUSK - timedelta(hours=2)).timestamp() * 1e6)
    said = summed([row, other])
    assert said.gpu_hours == pytest.approx(2 * 900 / 3600)
    assert [each.gpu_hours for each in said.episodes] == pytest.approx([0.5, 0.25])


def test_the_summary_tells_done_held_and_failed_apart_and_is_kept(house: Path) -> None:
    rows = []
    with catalog() as session:
        for name, status, shot_status in (
            ("whole", EpisodeStatus.DELIVERED, ShotStatus.DONE),
            ("held", EpisodeStatus.PARTIAL, ShotStatus.HELD),
            ("red", EpisodeStatus.PARTIAL, ShotStatus.FAILED),
            ("broken", EpisodeStatus.FAILED, ShotStatus.DONE),
        ):
            rows.append(row := add_episode(session, name))
            row.status, row.reason = status, "a | b\nc"
            add_shot(session, row).status = shot_status
    said = summed(rows)
    assert said.counts == {"done": 1, "held": 1, "failed": 2, "at work": 0, "carried over": 0}
    page = morning.keep(said)
    assert page == house / "nights" / "2026-11-21.md" and [each.name for each in page.parent.iterdir()] == [page.name]
    text = page.read_text()
    assert "1 done, 1 held, 2 failed" in text and "| whole | delivered | 1 done |" in text
    assert "a \\| b c" in text  # a reason breaks no table
    assert json.dumps(said.facts())
