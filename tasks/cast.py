"""Cast: which voice of the dub speaks for which voice of the film, and whose faces they have.

A voice of the dub belongs to the voice of the film in whose time it speaks, over the whole episode. A face is known
again from shot to shot (tasks/persons.py), and belongs to the voice it moves its lips to (tasks/onscreen.py), in its
shot and in all others (tasks/bind.py). Nobody is bound by force: a voice from off screen has no face, a face that only
listens has no voice, and each says why. What persons have said about voices and faces (tasks/words.py) is not asked.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE
from scipy.optimize import linear_sum_assignment

from models.lr_asd import watch
from storage import artifacts
from storage.catalog import Character, Side, Speaker, Track, Turn
from storage.film.probe import Film
from tasks.bind import Choice, Scene, settle
from tasks.geometry import Geometry
from tasks.likeness import network, of_tracks
from tasks.onscreen import meetings
from tasks.persons import number
from tasks.ranges import Range, length, meet, under, union
from tasks.words import NAMED, Bound, Seen, Voiced, Words, carry, heed, name_voices, voiced

SHARED: Final = 0.3  # share of the shorter voice's speech that two voices must have in common to be one character
CLEARLY: Final = 0.5  # the same for a dub voice that already speaks for somebody else


@dataclass(frozen=True, eq=False)
class Face:
    """Whose face a track shows, and why."""

    character: Character | None
    confidence: float  # 0 … 1
    reason: str
    person: int  # 1, 2, … over the episode


@dataclass(frozen=True, eq=False)
class Cast:
    """The characters, and one Face for each track in the order of the tracks."""

    characters: list[Character]
    faces: list[Face]
    notes: Sequence[str] = ()  # words that found nobody


@dataclass(frozen=True, eq=False)
class Voice:
    """One speaker of one side."""

    speaker: Speaker
    heard: list[Range]  # microseconds

    @property
    def time(self) -> int:
        return length(self.heard)


def cast_of(
    film: Film, tracks: Sequence[Track], turns: Sequence[Turn], speech: Mapping[str, str], words: Words | None = None
) -> Cast:
    """Bind voices to voices and voices to faces.

    tracks  stored; those of a shot stand beside each other
    turns   of both sides, their speakers stored and loaded
    speech  sha of each speech artifact by the names `listen` gives them
    words   what persons have said, and the cast of the episode before

    Where nobody is heard in the film itself, lips are compared with the dub.
    """
    words = words or Words()
    original, dub = (voices(turns, side) for side in Side)
    spoken_of = voiced(words.said, *([each.speaker.name for each in side] for side in (original, dub)))
    characters = match(original, dub, spoken_of)
    speakers = {turn.speaker.id: turn.speaker for turn in turns}
    side = Side.ORIGINAL if original else Side.DUB
    speaking = {
        voice.speaker.id: union(under(film, start, end) for start, end in voice.heard) for voice in original or dub
    }
    owners = {(each.original_id if original else each.dub_id): each for each in characters}
    likenesses = of_tracks(tracks)
    persons = number(tracks, likenesses)
    watcher = network(watch.find) if any(one is not None and len(one.eye) for one in likenesses) else None
    scenes: list[Scene] = []
    for _, beside in groupby(range(len(tracks)), key=lambda n: tracks[n].shot_id):
        here = list(beside)
        seen = [Geometry(**artifacts.arrays(tracks[n].geometry)) for n in here]
        drawn = [tracks[n].style == "stylised" for n in here]
        met = meetings(film, speech.get(side), seen, [likenesses[n] for n in here], speaking, watcher, drawn)
        scenes.append(Scene([persons[n] for n in here], met))
    people = Seen(tracks, likenesses, persons, words.shots)
    bound, notes = heed(words.said, characters, people)
    name_voices(words, characters, speakers)

    def settled() -> list[Choice]:
        said = {person: _voice(one.character, side) for person, one in bound.items()}
        return [choice for choices in settle(scenes, said) for choice in choices]

    choices = settled()
    more, told = carry(words, characters, owners, speakers, people, choices, bound)
    if more:
        bound |= more
        choices = settled()
    faces = [
        _face(bound[person], person) if person in bound
        else Face(owners[choice.voice] if choice.voice is not None else None, choice.confidence, choice.reason, person)
        for choice, person in zip(choices, persons, strict=True)
    ]  # fmt: skip
    return Cast(characters, faces, [*spoken_of.notes, *notes, *told])


def _voice(character: Character | None, side: Side) -> int | None:
    return None if character is None else character.original_id if side is Side.ORIGINAL else character.dub_id


def _face(bound: Bound, person: int) -> Face:
    return Face(bound.character, 1.0 if bound.character else 0.0, bound.reason, person)


def voices(turns: Iterable[Turn], side: Side) -> list[Voice]:
    """The speakers of one side in the order they are first heard."""
    heard: dict[int, tuple[Speaker, list[Range]]] = {}
    for turn in sorted((turn for turn in turns if turn.speaker.side == side), key=lambda turn: turn.start_us):
        heard.setdefault(turn.speaker.id, (turn.speaker, []))[1].append((turn.start_us, turn.end_us))
    return [Voice(speaker, union(ranges)) for speaker, ranges in heard.values()]


def match(original: Sequence[Voice], dub: Sequence[Voice], said: Voiced | None = None) -> list[Character]:
    """Characters by common time: the pairing of voices that have most of it in common over the whole episode.

    Voices that persons have called alike are one character, and such a dub voice speaks for nobody else.
    said  by persons about these voices; it wins

    A dub voice may speak for two voices of the film if it clearly does: actors are hired twice, and one voice is
    sometimes heard as two. What is left over becomes a character with one side only.
    """
    said = said or Voiced()
    common = np.array([[length(meet(a.heard, b.heard)) for b in dub] for a in original]).reshape(
        len(original), len(dub)
    )
    shorter = np.array([[max(1, min(a.time, b.time)) for b in dub] for a in original]).reshape(common.shape)
    share = common / shorter
    alike = np.array([[named_alike(a, b) for b in dub] for a in original], bool).reshape(common.shape)
    for a, b in said.pairs.items():
        alike[a], alike[:, b] = False, False
    for a, b in said.pairs.items():
        alike[a, b] = True
    fit = np.where(alike, 1.0, np.where(alike.any(axis=0), 0.0, share))
    wanted = np.where(alike, common.sum() + 1, common)
    for a in said.pairs:
        fit[a], wanted[a] = alike[a], wanted[a] * alike[a]
    pairs = {int(a): int(b) for a, b in zip(*linear_sum_assignment(-wanted), strict=True) if fit[a, b] >= SHARED}
    for a in range(len(original)):
        if a not in pairs and len(dub) and fit[a].max() >= CLEARLY:
            pairs[a] = int(fit[a].argmax())
    pairs |= said.pairs
    characters: list[Character] = []
    reserved = {*said.originals.values(), *said.dubs.values()}

    def add(a: int | None, b: int | None) -> None:
        mine, dubbed = None if a is None else original[a], None if b is None else dub[b]
        taken = {each.name for each in characters}
        name = (said.originals.get(a) if a is not None else None) or (said.dubs.get(b) if b is not None else None)
        characters.append(
            Character(
                name=name if name and name not in taken else name_for(mine, dubbed, taken | reserved),
                original_id=mine.speaker.id if mine else None,
                dub_id=dubbed.speaker.id if dubbed else None,
                overlap=float(share[a, b]) if a is not None and b is not None else 0.0,
            )
        )

    for a in range(len(original)):
        add(a, pairs.get(a))
    for b in range(len(dub)):
        if b not in pairs.values():
            add(None, b)
    return characters


def named_alike(original: Voice, dub: Voice) -> bool:
    """Whether persons have given both the same name."""
    a, b = original.speaker, dub.speaker
    return a.heard_by in NAMED and b.heard_by in NAMED and a.name.casefold() == b.name.casefold()


def name_for(original: Voice | None, dub: Voice | None, taken: set[str]) -> str:
    """The dub voice's name if a person gave it, as a stem's; else the film's voice, else the dub's."""
    if dub and dub.speaker.heard_by in NAMED:
        name = dub.speaker.name
    elif original:
        name = original.speaker.name
    else:
        name = f"{dub.speaker.name} (dub)" if dub else ""
    return next(free for n in range(1, len(taken) + 2) if (free := name if n == 1 else f"{name} {n}") not in taken)


@task(cache_policy=NO_CACHE)
def cast(
    film: Film, tracks: Sequence[Track], turns: Sequence[Turn], speech: Mapping[str, str], words: Words | None = None
) -> Cast:
    return cast_of(film, tracks, turns, speech, words)
