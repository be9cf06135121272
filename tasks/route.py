"""Route: which model draws which face in which frames, and the reason in words.

Promises: every track gets exactly one route, by the table of rules (tasks/rules.py); whom no voice was bound to, or who
says nothing, nobody can have drawn; an operator's model overrules what a model is not good at, but not what it cannot
do. A route keeps all that was measured, so a person's word about a shot makes another of it without film, sound or
store. Deliberately not here: whether a model and its weights are there (flows/painters.py says).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage import artifacts
from storage.catalog import HELD, PASS_THROUGH, Character, Route, Track, Turn
from storage.catalog.overrule import Overrule
from storage.film.probe import Film
from tasks.marks import crowds, in_words, marks
from tasks.ranges import FADE, Range, length, meet, runs, under, union, widen
from tasks.rules import Measures, Table, rules

SLIVER: Final = 6  # frames
ENDS: Final = {PASS_THROUGH: "passed through", HELD: "held"}


def route_all(
    film: Film, tracks: Sequence[Track], characters: Sequence[Character], turns: Sequence[Turn],
    model: str | None = None, unbound: Sequence[str] = (), table: Table | None = None,
    lacking: Mapping[str, str] | None = None,
) -> list[Route]:  # fmt: skip
    """One route a track, in their order.

    tracks   bound by `cast` and stored
    turns    of both sides, their speakers loaded
    model    what the operator wants to draw every mouth with
    unbound  for each track why it has no voice, as `cast` said it, where that is still known
    table    of rules; otherwise this machine's
    lacking  models that the rules may choose and this job cannot have, each with the reason

    Persons' words about shots are not heard here: flows/overruling.py lays them over, for they change without film.
    """
    named = {character.id: character for character in characters}
    table = table or rules()
    crowded = crowds(film, turns)
    routes = []
    for n, track in enumerate(tracks):
        character = named.get(track.character_id) if track.character_id is not None else None
        geometry = artifacts.arrays(track.geometry)
        theirs = turns_of(character, turns)
        ranges = to_render(film, runs(geometry["frames"]), theirs)
        seen = {
            "mouth_px": round(float(np.median(geometry["mouth"][:, 2])), 1),
            "mesh": geometry["points"].size > 0,
            **marks(film, ranges, theirs, crowded),
        }
        why = unbound[n] if n < len(unbound) else "no voice was bound to this face"
        routes.append(decide(track, seen, character, ranges, model, why, table, lacking or {}))
    return routes


def decide(
    track: Track, seen: Measures, character: Character | None, ranges: list[Range], model: str | None, unbound: str,
    table: Table, lacking: Mapping[str, str],
) -> Route:  # fmt: skip
    """The route of one track whose frames to render are known.

    seen  what its geometry says: mouth_px, half the mouth's width in pixels, and mesh, whether it has one; and how it
          speaks (tasks/marks.py)
    """
    numbers = {
        **seen,
        "height_px": round(track.height_px, 1),
        "yaw": round(track.yaw, 1),
        "pitch": round(track.pitch, 1),
        "sharpness": round(track.sharpness, 1),
        "style": track.style,
        "face": track.face,
        "confidence": round(track.confidence, 3),
        "frames": length(ranges),
        "speaks": [list(one) for one in ranges],
        "unbound": unbound,
        "lacking": dict(lacking),
    }
    return judge(track.id, numbers, character, model, table)


def judge(
    track_id: int, numbers: dict[str, Any], character: Character | None, model: str | None, table: Table,
    said: Overrule | None = None,
) -> Route:  # fmt: skip
    """The route that the rules, the job's model and a person's word make of what was measured.

    numbers  as `decide` has kept them in the route, perhaps that of an older Dubline, which kept fewer
    model    what the job wants every mouth drawn with
    said     about this shot; it wins over the job
    """
    measures = {**numbers, "character": character.name if character else None}
    if said is not None and said.model in (HELD, PASS_THROUGH):
        return Route(track_id, said.model, said.words, numbers, [], said.by)
    if character is None:
        return not_drawn(track_id, PASS_THROUGH, numbers["unbound"], numbers)
    if numbers["frames"] == 0:
        return not_drawn(track_id, PASS_THROUGH, f"{character.name} says nothing while this face is seen", numbers)
    word = said if said is not None and said.model else None
    if word is not None:
        found = overruled(track_id, measures, numbers, table, str(word.model), word.words, word.by)
    elif model is not None:
        found = overruled(track_id, measures, numbers, table, model, f"{model} was asked for", "--model")
    else:
        found = ruled(track_id, measures, numbers, table)
    found.seed = said.seed if said and found.model not in ENDS else None
    return found


def ruled(track_id: int, measures: Measures, numbers: dict[str, Any], table: Table) -> Route:
    """What the table alone makes of a face: the first choice that fits, or the next where its model is lacking."""
    lacking: list[str] = []
    for choice in table.choice:
        if not choice.fits(measures):
            continue
        if choice.model in ENDS:
            reason = "; ".join([*lacking, choice.words(measures)])
            return not_drawn(track_id, choice.model, f"{reason}, {ENDS[choice.model]}", numbers)
        limits = table.limits(choice.model, measures)
        if limits and not lacking:
            reason = f"{limits[0].words(measures)}, {ENDS[limits[0].then]}"
            return not_drawn(track_id, limits[0].then, reason, numbers)
        if choice.model in measures.get("lacking", {}):
            lacking.append(f"{choice.model} would draw it, but {measures['lacking'][choice.model]}")
        elif not limits:
            why = "; ".join([*lacking, choice.words(measures)])
            return drawn(track_id, choice.model, f"{spoken(measures)}; {why}", numbers, "dubline")
    return not_drawn(track_id, HELD, f"{'; '.join(dict.fromkeys(lacking))}, held", numbers)


def overruled(
    track_id: int, measures: Measures, numbers: dict[str, Any], table: Table, model: str, words: str, by: str
) -> Route:
    """What the table makes of a face that a person has sent to a model: only its final limits count."""
    limits = table.limits(model, measures)
    if limits and limits[0].final:
        return not_drawn(track_id, PASS_THROUGH, f"{words}, but {limits[0].words(measures)}", numbers)
    if limits:
        return drawn(track_id, model, f"{words}, although: {limits[0].words(measures)}", numbers, by)
    fits = next(choice for choice in table.choice if choice.fits(measures))
    why = fits.words(measures) if fits.model == model and by == "--model" else words
    return drawn(track_id, model, f"{spoken(measures)}; {why}", numbers, by)


def spoken(measures: Measures) -> str:
    return "; ".join([f"{measures['character']} speaks in {measures['frames']} frames", *in_words(measures)])


def drawn(track_id: int, model: str, reason: str, numbers: dict[str, Any], by: str) -> Route:
    return Route(track_id, model, reason, numbers, numbers["speaks"], decided_by=by)


def not_drawn(track_id: int, end: str, reason: str, numbers: dict[str, Any]) -> Route:
    return Route(track_id, end, reason, numbers, [])


def turns_of(character: Character | None, turns: Sequence[Turn]) -> list[Turn]:
    """What a character says, in the film and in the dub."""
    if character is None:
        return []
    return [turn for turn in turns if turn.speaker.id in (character.original_id, character.dub_id)]


def to_render(film: Film, present: Sequence[Range], turns: Sequence[Turn]) -> list[Range]:
    """The frames of DESIGN §3: where the old mouth moves or the new one must, and FADE more on each side. What is left
    of a turn behind a cut, or before one, is nothing if it is a SLIVER: a voice fades there, and no mouth says it.

    present  the frames in which the face is seen: all within its shot, so nothing fades over a cut or into a gap
    """
    spoken = union(under(film, turn.start_us, turn.end_us) for turn in turns)
    here = [(present[0][0], present[-1][1])] if present else []
    heard = [one for one in meet(spoken, here) if one in spoken or length([one]) >= SLIVER]
    wide = meet(widen(heard, FADE), present)
    return [one for one in wide if meet([one], heard)]  # a fade with nothing to fade to is nothing


@task(cache_policy=NO_CACHE)
def route(
    film: Film, tracks: Sequence[Track], characters: Sequence[Character], turns: Sequence[Turn],
    model: str | None = None, unbound: Sequence[str] = (), table: Table | None = None,
    lacking: Mapping[str, str] | None = None,
) -> list[Route]:  # fmt: skip
    return route_all(film, tracks, characters, turns, model, unbound, table, lacking)
