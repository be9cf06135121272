"""What becomes of shots when a person has spoken: their routes are judged again, and their status follows.

Promises: reads nothing but the catalog, so a word is obeyed at once, on any machine, without the film; where cuts,
faces or routes are found anew, the same words are laid over them again.
"""

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy.orm import Session

from storage.catalog import (
    HELD,
    PASS_THROUGH,
    Episode,
    Route,
    ShotStatus,
    character,
    overrule,
    route,
    shot,
    step,
    track,
)
from storage.catalog.overrule import Overrule
from tasks.route import judge
from tasks.rules import Table, rules

DECIDED: Final = ("model", "reason", "ranges", "decided_by", "seed")  # what a word may change of a route


def judge_again(session: Session, episode: Episode, shots: Collection[str], table: Table | None = None) -> None:
    """Give the faces of these shots, by name, the routes that rules, job and words make of what was measured.

    table  of rules; otherwise that by which the episode was routed
    """
    said, names = overrule.of(episode), {each.id: each.name for each in shot.of_episode(session, episode.id)}
    cast = {each.id: each for each in character.of_episode(session, episode.id)}
    routes = {each.track_id: each for each in route.of_episode(session, episode.id)}
    if not routes:
        return
    table = table or _rules_of(session, episode)
    for face in track.of_episode(session, episode.id):
        if (name := names[face.shot_id]) in shots and (stored := routes.get(face.id)) is not None:
            who = cast.get(face.character_id or 0)
            judged = judge(face.id, stored.numbers, who, episode.job.get("model"), table, said.get(name))
            for each in DECIDED:
                setattr(stored, each, getattr(judged, each))


def _rules_of(session: Session, episode: Episode) -> Table:
    """The table by which the episode was routed, on whichever machine; this machine's if it was not kept then."""
    notes = {done.name: done.notes for done in step.of_episode(session, episode.id)}.get("route", {})
    return Table.model_validate(notes["rules"]) if "rules" in notes else rules()


def standing(chosen: Sequence[Route], said: Overrule | None) -> tuple[ShotStatus, str]:
    """The status that a shot's routes ask for, and why: HELD, PASSED_THROUGH, or WAITING if a face is to be drawn.

    chosen  the routes of its faces; none if no face was found in it, and a word still counts
    """
    if said is not None and said.model == HELD:
        return ShotStatus.HELD, said.words
    if held := [each.reason for each in chosen if each.model == HELD]:
        return ShotStatus.HELD, "; ".join(held)
    if any(each.model != PASS_THROUGH for each in chosen):
        return ShotStatus.WAITING, ""
    if said is not None and said.model == PASS_THROUGH:
        return ShotStatus.PASSED_THROUGH, said.words
    return ShotStatus.PASSED_THROUGH, "; ".join(sorted({each.reason for each in chosen})) or "no face was found in it"
