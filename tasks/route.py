"""Route: which model draws which face in which frames, and the reason in words.

Promises: every track gets exactly one route; the first rule that fits decides; an operator's model overrules what a
model is not good at, but not what it cannot do, and draws nobody who does not speak. A route keeps all that was
measured, so a person's word about a shot makes another of it without film, sound or store.
Deliberately not here: whether the model and its weights are there (ingest, doctor).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage import artifacts
from storage.catalog import HELD, PASS_THROUGH, Character, Route, Track, Turn
from storage.catalog.overrule import Overrule
from storage.film.probe import Film
from tasks.ranges import FADE, Range, length, meet, runs, under, union, widen

SMALLEST: Final = 48  # pixels, forehead to chin: in a smaller face nobody sees the mouth
NARROWEST: Final = 4  # pixels, half the mouth at rest: nobody sees what a smaller one says
FARTHEST: Final = 60  # degrees from the camera: beyond, one corner of the mouth is out of sight
BLURRED: Final = 10  # sharpness; GRID faces have about 200, a face in Tears of Steel out of focus 38
SURE: Final = 0.6  # confidence of the binding of voice and face

Measures = Mapping[str, Any]
Rule = tuple[Callable[[Measures], bool], str]

NOTHING_TO_DRAW: Final[tuple[Rule, ...]] = (
    (lambda m: m["character"] is None, "{unbound}"),
    (lambda m: m["frames"] == 0, "{character} says nothing while this face is seen"),
)
UNSURE: Final[Rule] = (
    lambda m: m["confidence"] < SURE, "not sure that this is {character}'s face, {confidence:.2f}: under {SURE}"
)  # fmt: skip
CANNOT: Final[Mapping[str, tuple[Rule, ...]]] = {
    "diff2lip": ((lambda m: not m["mesh"], "it needs landmarks and this face has none"),),
    "omnisync": (),
}
NOT_GOOD_AT: Final[Mapping[str, tuple[Rule, ...]]] = {
    "diff2lip": (
        (lambda m: m["height_px"] < SMALLEST, "face {height_px:.0f} px high: under {SMALLEST}"),
        (lambda m: m["style"] == "stylised", "drawn face: it has learnt from filmed ones"),
        (lambda m: m["yaw"] > FARTHEST, "face turned {yaw:.0f}° from the camera: over {FARTHEST}"),
        (lambda m: m["sharpness"] < BLURRED, "face blurred, sharpness {sharpness:.0f}: under {BLURRED}"),
        UNSURE,
    ),
    "omnisync": (
        (lambda m: m["mouth_px"] < NARROWEST, "mouth {mouth_px:.1f} px to a side: under {NARROWEST}"),
        UNSURE,
    ),
}
CHOICE: Final[tuple[tuple[Callable[[Measures], bool], str, str], ...]] = (  # when, which model, why
    (lambda m: m["style"] == "stylised", "omnisync", "drawn face: omnisync draws without landmarks"),
    (lambda m: not m["mesh"], "omnisync", "no landmarks on this face: omnisync draws without"),
    (lambda m: True, "diff2lip", "face {height_px:.0f} px high, turned {yaw:.0f}°"),
)
ROUTED: Final = tuple(dict.fromkeys(name for _, name, _ in CHOICE))  # who may be needed if no model is asked for
LIMITS: Final = {
    "SMALLEST": SMALLEST, "NARROWEST": NARROWEST, "FARTHEST": FARTHEST, "BLURRED": BLURRED, "SURE": SURE,
}  # fmt: skip


def route_all(
    film: Film, tracks: Sequence[Track], characters: Sequence[Character], turns: Sequence[Turn],
    model: str | None = None, unbound: Sequence[str] = (),
) -> list[Route]:  # fmt: skip
    """One route a track, in their order.

    tracks   bound by `cast` and stored
    turns    of both sides, their speakers loaded
    model    what the operator wants to draw every mouth with
    unbound  for each track why it has no voice, as `cast` said it, where that is still known

    Persons' words about shots are not heard here: flows/overruling.py lays them over, for they change without film.
    """
    named = {character.id: character for character in characters}
    routes = []
    for n, track in enumerate(tracks):
        character = named.get(track.character_id) if track.character_id is not None else None
        geometry = artifacts.arrays(track.geometry)
        ranges = to_render(film, runs(geometry["frames"]), turns_of(character, turns))
        seen = {"mouth_px": round(float(np.median(geometry["mouth"][:, 2])), 1), "mesh": geometry["points"].size > 0}
        why = unbound[n] if n < len(unbound) else "no voice was bound to this face"
        routes.append(decide(track, seen, character, ranges, model, why))
    return routes


def decide(
    track: Track, seen: Measures, character: Character | None, ranges: list[Range], model: str | None, unbound: str
) -> Route:
    """The route of one track whose frames to render are known.

    seen  what its geometry says: mouth_px, half the mouth's width in pixels, and mesh, whether it has one
    """
    numbers = {
        **seen,
        "height_px": round(track.height_px, 1),
        "yaw": round(track.yaw, 1),
        "sharpness": round(track.sharpness, 1),
        "style": track.style,
        "confidence": round(track.confidence, 3),
        "frames": length(ranges),
        "speaks": [list(one) for one in ranges],
        "unbound": unbound,
    }
    return judge(track.id, numbers, character, model)


def judge(
    track_id: int, numbers: dict[str, Any], character: Character | None, model: str | None, said: Overrule | None = None
) -> Route:
    """The route that the rules, the job's model and a person's word make of what was measured.

    numbers  as `decide` has kept them in the route
    model    what the job wants every mouth drawn with
    said     about this shot; it wins over the job
    """
    measures = {**numbers, "character": character.name if character else None}
    if said is not None and said.model in (HELD, PASS_THROUGH):
        return Route(track_id, said.model, said.words, numbers, [], said.by)
    if (reason := first_that_fits(NOTHING_TO_DRAW, measures)) is not None:
        return passed_through(track_id, reason, numbers)
    fits, choice = next((name, why) for holds, name, why in CHOICE if holds(measures))
    word = said if said is not None and said.model else None
    chosen = (word.model if word else model) or fits
    words = word.words if word else f"{chosen} was asked for"
    if (reason := first_that_fits(CANNOT[chosen], measures)) is not None:
        return passed_through(track_id, f"{words}, but {reason}", numbers)
    limit = first_that_fits(NOT_GOOD_AT[chosen], measures)
    if limit is not None and not (word or model):
        return passed_through(track_id, f"{limit}, passed through", numbers)
    if limit is not None:
        reason = f"{words}, although: {limit}"
    else:
        why = choice.format_map(measures) if chosen == fits and not word else words
        reason = f"{measures['character']} speaks in {measures['frames']} frames; {why}"
    return Route(
        track_id=track_id, model=chosen, reason=reason, numbers=numbers, ranges=numbers["speaks"],
        seed=said.seed if said else None,
        decided_by=word.by if word else "--model" if model else "dubline",
    )  # fmt: skip


def first_that_fits(rules: Sequence[Rule], measures: Measures) -> str | None:
    """The reason of the first rule that holds."""
    return next((reason.format_map({**measures, **LIMITS}) for holds, reason in rules if holds(measures)), None)


def passed_through(track_id: int, reason: str, numbers: dict[str, Any]) -> Route:
    return Route(track_id=track_id, model=PASS_THROUGH, reason=reason, numbers=numbers, ranges=[])


def turns_of(character: Character | None, turns: Sequence[Turn]) -> list[Turn]:
    """What a character says, in the film and in the dub."""
    if character is None:
        return []
    return [turn for turn in turns if turn.speaker.id in (character.original_id, character.dub_id)]


def to_render(film: Film, present: Sequence[Range], turns: Sequence[Turn]) -> list[Range]:
    """The frames of DESIGN §3: where the old mouth moves or the new one must, and FADE more on each side.

    present  the frames in which the face is seen: all within its shot, so nothing fades over a cut or into a gap
    """
    spoken = union(under(film, turn.start_us, turn.end_us) for turn in turns)
    wide = meet(widen(spoken, FADE), present)
    return [one for one in wide if meet([one], spoken)]  # a fade with nothing to fade to is nothing


@task(cache_policy=NO_CACHE)
def route(
    film: Film, tracks: Sequence[Track], characters: Sequence[Character], turns: Sequence[Turn],
    model: str | None = None, unbound: Sequence[str] = (),
) -> list[Route]:  # fmt: skip
    return route_all(film, tracks, characters, turns, model, unbound)
