"""Where a status may go from where. Every move is written down as an event; any other move is refused."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from storage.catalog import event
from storage.catalog.episode import Episode, EpisodeStatus
from storage.catalog.session import hold_the_pen
from storage.catalog.shot import Shot, ShotStatus
from storage.errors import Refused

Status = ShotStatus | EpisodeStatus

SHOT: Final[Mapping[ShotStatus, frozenset[ShotStatus]]] = {
    ShotStatus.PLANNED: frozenset({ShotStatus.PASSED_THROUGH, ShotStatus.WAITING, ShotStatus.HELD}),
    ShotStatus.PASSED_THROUGH: frozenset(
        {ShotStatus.WAITING, ShotStatus.HELD, ShotStatus.PLANNED}  # routed anew; PLANNED: released before any route
    ),
    ShotStatus.WAITING: frozenset(
        {ShotStatus.RENDERING, ShotStatus.DONE, ShotStatus.FAILED, ShotStatus.PASSED_THROUGH, ShotStatus.HELD}
    ),
    ShotStatus.RENDERING: frozenset(
        {ShotStatus.DONE, ShotStatus.FAILED, ShotStatus.PASSED_THROUGH, ShotStatus.HELD, ShotStatus.WAITING}
    ),  # WAITING: sent to another model while it was drawn
    ShotStatus.DONE: frozenset(
        {ShotStatus.RENDERING, ShotStatus.FAILED, ShotStatus.PASSED_THROUGH, ShotStatus.HELD, ShotStatus.WAITING}
    ),  # WAITING: sent to another model, or to be drawn once more
    ShotStatus.HELD: frozenset(
        {ShotStatus.WAITING, ShotStatus.PASSED_THROUGH, ShotStatus.PLANNED}  # PLANNED: released before any route
    ),
    ShotStatus.FAILED: frozenset(
        {ShotStatus.RENDERING, ShotStatus.DONE, ShotStatus.PASSED_THROUGH, ShotStatus.HELD, ShotStatus.WAITING}
    ),  # WAITING: retried, or sent to another model
}

EPISODE: Final[Mapping[EpisodeStatus, frozenset[EpisodeStatus]]] = {
    EpisodeStatus.PLANNED: frozenset({EpisodeStatus.QUEUED, EpisodeStatus.RUNNING, EpisodeStatus.FAILED}),
    EpisodeStatus.QUEUED: frozenset({EpisodeStatus.RUNNING, EpisodeStatus.FAILED}),
    EpisodeStatus.RUNNING: frozenset({EpisodeStatus.DELIVERED, EpisodeStatus.PARTIAL, EpisodeStatus.FAILED}),
    EpisodeStatus.DELIVERED: frozenset({EpisodeStatus.QUEUED, EpisodeStatus.RUNNING}),
    EpisodeStatus.PARTIAL: frozenset({EpisodeStatus.QUEUED, EpisodeStatus.RUNNING}),
    EpisodeStatus.FAILED: frozenset({EpisodeStatus.QUEUED, EpisodeStatus.RUNNING}),
}


def move(session: Session, row: Shot | Episode, to: Status, reason: str = "", by: str = "dubline") -> None:
    """Give the row its new status and reason, and write the event. The catalog's word counts, not the row's in hand.

    Moving to where it already stands changes the reason at most: a process that died while rendering renders again.
    """
    hold_the_pen(session.connection())
    session.flush()
    stored: Shot | Episode
    if isinstance(row, Shot):
        stored = session.get_one(Shot, row.id, populate_existing=True)
        allowed: frozenset[Status] = SHOT[stored.status]
        kind, episode_id = "shot", stored.episode_id
    else:
        stored = session.get_one(Episode, row.id, populate_existing=True)
        allowed = EPISODE[stored.status]
        kind, episode_id = "episode", stored.id
    if to != stored.status and to not in allowed:
        raise Refused(
            f"{stored.name} is {stored.status} and cannot become {to}. "
            f"From {stored.status} it may become {', '.join(sorted(allowed))}."
        )
    if (to, reason) != (stored.status, stored.reason):
        before = {"status": str(stored.status), "reason": stored.reason}
        after = {"status": str(to), "reason": reason}
        event.append(session, episode_id, by, f"{kind}.{to}", stored.name, before, after)
    for each in (stored, row):
        each.status, each.reason = to, reason
