"""Who is who in an episode: its characters with their voices and faces, and who has none, as plain facts.

Reads nothing but the catalog.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from sqlalchemy.orm import Session

from flows.tables import Fact
from storage import artifacts
from storage.catalog import (
    Character,
    Episode,
    Side,
    Speaker,
    Step,
    Track,
    binding,
    character,
    shot,
    speaker,
    step,
    track,
    turn,
)
from storage.catalog.binding import NOBODY
from storage.errors import Refused
from tasks.likeness import of_tracks
from tasks.sheet import Portrait
from tasks.words import Seen


@dataclass(frozen=True)
class People:
    """Who is there to be spoken of."""

    characters: Mapping[str, Character]  # by name
    voices: Mapping[Side, Sequence[Speaker]]
    seen: Seen


def table(session: Session, row: Episode) -> Fact:
    """The cast, the faces and voices that have nobody, and what persons have said.

    raises  Refused if nobody has asked yet who is who
    """
    done = step.of_episode(session, row.id)
    notes = {each.name: each.notes for each in done}
    _refuse_early(row, notes)
    characters, tracks = character.of_episode(session, row.id), track.of_episode(session, row.id)
    heard = voices(session, row)
    seen = faces(row, characters, tracks, notes["cast"]["reasons"])
    return {
        "episode": row.name,
        "status": str(row.status),
        "notes": lost(done),
        "cast": cast(characters, tracks, heard),
        "faces": [each for each in seen if each["character"] != NOBODY],
        "unbound faces": [each for each in seen if each["character"] == NOBODY],
        "unbound voices": _unbound(characters, tracks, speaker.of_episode(session, row.id), heard),
        "words": said(row),
    }


def voices(session: Session, row: Episode) -> dict[int, tuple[str, float]]:
    """By speaker id: the voice's name and the seconds that it is heard."""
    heard: dict[int, tuple[str, float]] = {}
    for each in turn.of_episode(session, row.id):
        _, seconds = heard.get(each.speaker_id, ("", 0.0))
        heard[each.speaker_id] = (each.speaker.name, seconds + (each.end_us - each.start_us) / 1e6)
    return heard


def cast(cast: Sequence[Character], tracks: Sequence[Track], voices: Mapping[int, tuple[str, float]]) -> list[Fact]:
    """Who is who: the voices of each character, how long they speak, and the faces they were bound to."""
    rows: list[Fact] = []
    for each in cast:
        bound = [face for face in tracks if face.character_id == each.id]
        original, dub = (voices.get(voice or 0, ("nobody", 0.0)) for voice in (each.original_id, each.dub_id))
        sure = [face.confidence for face in bound]
        rows.append({
            "character": each.name,
            "original": original[0],
            "seconds": round(original[1], 1),
            "dub": dub[0],
            "dub seconds": round(dub[1], 1),
            "in common": round(each.overlap, 3),
            "people": sorted({face.face for face in bound if face.face is not None}),
            "faces": len(bound),
            "least sure": round(min(sure), 3) if sure else "",
            "confidence": round(median(sure), 3) if sure else "",
            "bound by": each.bound_by,
        })  # fmt: skip
    return rows


def faces(row: Episode, cast: Sequence[Character], tracks: Sequence[Track], reasons: Sequence[str]) -> list[Fact]:
    """Everybody who is seen, those who are seen longest first: whose face it is, and why as of its longest track.

    reasons  of each track
    """
    called = {each.id: each.name for each in cast}
    mine: dict[int, list[int]] = {}
    for n, each in enumerate(tracks):
        if each.face is not None:
            mine.setdefault(each.face, []).append(n)
    rows: list[Fact] = []
    for number, here in mine.items():
        names = {called[whose] for n in here if (whose := tracks[n].character_id) is not None}
        longest = max(here, key=lambda n: tracks[n].present)
        bound = [tracks[n].confidence for n in here if tracks[n].character_id is not None]
        frames = sum(tracks[n].present for n in here)
        rows.append({
            "face": number,
            "character": ", ".join(sorted(names)) or NOBODY,
            "shots": len({tracks[n].shot_id for n in here}),
            "frames": frames,
            "seconds": round(frames * row.rate_den / row.rate_num, 1),
            "confidence": round(median(bound), 3) if bound else "",
            "why": reasons[longest] if longest < len(reasons) else "",
        })  # fmt: skip
    return sorted(rows, key=lambda each: (-each["frames"], each["face"]))


def _unbound(
    cast: Sequence[Character], tracks: Sequence[Track], speakers: Sequence[Speaker],
    heard: Mapping[int, tuple[str, float]],
) -> list[Fact]:  # fmt: skip
    """The voices that lack something: another side, or a face."""
    shown = {each.character_id for each in tracks}
    of_voice = {of: one for one in reversed(cast) for of in (one.original_id, one.dub_id) if of is not None}
    rows: list[Fact] = []
    for each in speakers:
        who = of_voice.get(each.id)
        other = None if who is None else who.dub_id if each.side is Side.ORIGINAL else who.original_id
        lacks = [] if other is not None else [f"no voice in the {'dub' if each.side is Side.ORIGINAL else 'film'}"]
        lacks += [] if who is not None and who.id in shown else ["no face"]
        if lacks:
            rows.append({
                "side": str(each.side),
                "voice": each.name,
                "character": who.name if who is not None else NOBODY,
                "seconds": round(heard.get(each.id, ("", 0.0))[1], 1),
                "has": ", ".join(lacks),
            })  # fmt: skip
    return rows


def lost(done: Sequence[Step]) -> list[str]:
    """Words about the cast that found nobody, by the episode's steps."""
    return [note for each in done if each.name == "cast" for note in each.notes.get("notes", [])]


def said(row: Episode) -> list[Fact]:
    """What persons have said about the cast."""
    return [
        {
            "character": name,
            "original": word.original or "",
            "dub": word.dub or "",
            "faces": ", ".join(face.where for face in word.faces),
            "by": word.by,
            "why": word.why,
        }
        for name, word in sorted(binding.of(row).items())
    ]


def portraits(session: Session, row: Episode, shown: Fact) -> list[Portrait]:
    """Of everybody in the table, those who are seen longest first: each person's largest picture.

    raises  Missing or Unreachable without the store
    """
    tracks = sorted(track.of_episode(session, row.id), key=lambda each: -each.height_px)
    found = []
    for each in sorted([*shown["faces"], *shown["unbound faces"]], key=lambda one: -one["frames"]):
        kept = next((one.likeness for one in tracks if one.face == each["face"] and one.likeness), None)
        picture = artifacts.arrays(kept)["picture"].tobytes() if kept else b""
        found.append(Portrait(each["face"], each["character"], f"{each['shots']} shots, {each['seconds']} s", picture))
    return found


def people(session: Session, row: Episode) -> People:
    """raises Refused if nobody has asked yet who is who; Missing or Unreachable without the store"""
    _refuse_early(row, [done.name for done in step.of_episode(session, row.id)])
    tracks = track.of_episode(session, row.id)
    names = {each.id: each.name for each in shot.of_episode(session, row.id)}
    speakers = speaker.of_episode(session, row.id)
    return People(
        {each.name: each for each in character.of_episode(session, row.id)},
        {side: [each for each in speakers if each.side == side] for side in Side},
        Seen(tracks, of_tracks(tracks), [each.face or 0 for each in tracks], names),
    )


def _refuse_early(row: Episode, done: Collection[str]) -> None:
    if "cast" not in done:
        raise Refused(
            f"Nobody has asked yet who is who in '{row.name}', which is {row.status}. `dubline plan` of the same film "
            f"and dub asks, and draws nothing."
        )
