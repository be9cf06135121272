"""What persons have said about the cast, and what is known from the episode before, put to voices and faces.

Promises: a word counts for the person it was said of, whatever number that has now; a word that finds nobody is told
and never dropped; a person's word about this episode wins over what was carried here, and both over what was measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from storage.catalog import Character, Speaker, Track
from storage.catalog.binding import NOBODY, Binding, FaceWord
from tasks.bind import Choice
from tasks.carried import CastFile, Prints, known_voices
from tasks.likeness import Likeness
from tasks.persons import APART, away_from, find, looks

NAMED = ("stem", "file")  # `heard_by` of voices whose names persons gave


@dataclass(frozen=True, eq=False)
class Words:
    """What counts beside picture and sound."""

    said: Mapping[str, Binding] = field(default_factory=dict)  # by the character's name, and NOBODY
    shots: Mapping[int, str] = field(default_factory=dict)  # names by id
    carried: CastFile | None = None
    prints: Prints = field(default_factory=dict)  # of this episode's voices


@dataclass(frozen=True, eq=False)
class Voiced:
    """Words about voices, by their places among those of a side."""

    originals: Mapping[int, str] = field(default_factory=dict)  # the character's name
    dubs: Mapping[int, str] = field(default_factory=dict)  # where only the dub voice was said
    pairs: Mapping[int, int] = field(default_factory=dict)  # original → dub
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Bound:
    """Whose a person is, without being asked."""

    character: Character | None
    reason: str


@dataclass(frozen=True, eq=False)
class Seen:
    """The faces of an episode."""

    tracks: Sequence[Track]
    likenesses: Sequence[Likeness | None]
    persons: Sequence[int]  # of each track
    shots: Mapping[int, str]  # names by id

    def who(self, word: FaceWord) -> tuple[float, int] | None:
        """How far away, and the person a word is about: the nearest; where nothing can be compared, who is seen in
        that track."""
        if (near := find(word.seen, self.tracks, self.likenesses, self.persons)) is not None:
            return near
        for n, track in enumerate(self.tracks):
            if (self.shots.get(track.shot_id), track.name) == (word.shot, word.track):
                unlike = away_from(word.seen, track, self.likenesses[n]) < APART
                return None if unlike else (1.0, self.persons[n])
        return None

    def word(self, person: int) -> FaceWord:
        """What finds this person again."""
        mine = [n for n, each in enumerate(self.persons) if each == person]
        longest = self.tracks[max(mine, key=lambda n: self.tracks[n].present)]
        seen = looks([self.tracks[n] for n in mine], [self.likenesses[n] for n in mine])
        return FaceWord(self.shots[longest.shot_id], longest.name, seen)


def voiced(said: Mapping[str, Binding], originals: Sequence[str], dubs: Sequence[str]) -> Voiced:
    """What was said of these voices, by their names."""
    named: dict[int, str] = {}
    dubbed: dict[int, str] = {}
    pairs: dict[int, int] = {}
    notes = []
    for name, word in said.items():
        a, b = _place(word.original, originals), _place(word.dub, dubs)
        for voice, place, side in ((word.original, a, "film"), (word.dub, b, "dub")):
            if voice is not None and place is None:
                notes.append(f"{word.by} gave {name} the voice {voice} of the {side}, and none is called so now")
        if a is not None:
            named[a] = name
            if b is not None:
                pairs[a] = b
        elif b is not None:
            dubbed[b] = name
    return Voiced(named, dubbed, pairs, notes)


def _place(voice: str | None, voices: Sequence[str]) -> int | None:
    return voices.index(voice) if voice in voices else None


def heed(
    said: Mapping[str, Binding], characters: Sequence[Character], seen: Seen
) -> tuple[dict[int, Bound], list[str]]:
    """By person: whom persons have bound them to; and a line for every word that found nobody. Marks the characters
    that somebody spoke of."""
    called = {each.name: each for each in characters}
    notes = [f"{said[name].by} spoke of {name}, and nobody is called so now" for name in said if _lost(name, called)]
    found: list[tuple[float, int, str]] = []
    for name, word in said.items():
        if name in called:
            called[name].bound_by = word.by
        for face in word.faces:
            if (near := seen.who(face)) is None:
                notes.append(f"{word.by} said that a face is {owner(name)}, as in {face.where}: it is not found now")
            elif name in called or name == NOBODY:
                found.append((*near, name))
    bound: dict[int, Bound] = {}
    whose: dict[int, str] = {}
    for _, person, name in sorted(found):
        if person not in bound:
            why = f": {said[name].why}" if said[name].why else ""
            bound[person] = Bound(called.get(name), f"{said[name].by} said that face {person} is {owner(name)}{why}")
            whose[person] = name
        elif whose[person] != name:
            notes.append(f"face {person} is {owner(name)} by one word and {owner(whose[person])} by a nearer one")
    return bound, notes


def owner(name: str) -> str:
    """Whose a face is, in words."""
    return "nobody's" if name == NOBODY else f"{name}'s"


def _lost(name: str, called: Mapping[str, Character]) -> bool:
    return name not in called and name != NOBODY


def name_voices(words: Words, characters: Sequence[Character], speakers: Mapping[int, Speaker]) -> None:
    """Give characters the names that their voices had in the episode before, where no person has named them here."""
    if words.carried is None:
        return
    mine = {speakers[each.original_id].name: each for each in characters if each.original_id is not None}
    for voice, name in known_voices(words.carried, list(mine), words.prints).items():
        _rename(mine[voice], name, words.carried, characters, speakers)


def carry(
    words: Words, characters: Sequence[Character], owners: Mapping[int | None, Character],
    speakers: Mapping[int, Speaker], seen: Seen, choices: Sequence[Choice], bound: Mapping[int, Bound],
) -> tuple[dict[int, Bound], list[str]]:  # fmt: skip
    """By person: whom they are known to be from the episode before, unless somebody has said who they are in this one.

    owners   by the voice's id, as in choices
    choices  of each track, as they are without the carried faces
    A face that is known has the voice of its name, or gives its name to the voice that it speaks with most.
    """
    if words.carried is None:
        return {}, []
    known: dict[int, tuple[float, str]] = {}
    faces = [(one.name, face) for one in words.carried.characters for face in one.faces]
    for name, face in [*faces, *((NOBODY, face) for face in words.carried.nobody)]:
        near = find(face, seen.tracks, seen.likenesses, seen.persons)
        if near is not None and near[1] not in bound and near[0] < known.get(near[1], (1.0, ""))[0]:
            known[near[1]] = near[0], name
    spoken = {person: _spoken(person, seen, choices) for person in known}
    more: dict[int, Bound] = {}
    notes = []
    for person in sorted(known, key=lambda each: -max(spoken[each].values(), default=0.0)):
        name, source = known[person][1], words.carried.source
        reason = f"face {person} is {owner(name)} in {source}"
        there = next((each for each in characters if each.name.casefold() == name.casefold()), None)
        if name == NOBODY or there is not None:
            more[person] = Bound(there, reason)
        elif spoken[person]:
            speaks = owners[max(spoken[person], key=lambda voice: spoken[person][voice])]
            if _rename(speaks, name, words.carried, characters, speakers):
                more[person] = Bound(speaks, reason)
            else:
                notes.append(f"{reason}, and speaks as {speaks.name}: nothing was changed")
        else:
            notes.append(f"{reason}, and does not speak in this one")
    return more, notes


def _spoken(person: int, seen: Seen, choices: Sequence[Choice]) -> dict[int, float]:
    """By voice: frames of this person in which it was found to be theirs, as sure as that is."""
    found: dict[int, float] = {}
    for choice, track, who in zip(choices, seen.tracks, seen.persons, strict=True):
        if who == person and choice.voice is not None:
            found[choice.voice] = found.get(choice.voice, 0.0) + choice.confidence * track.present
    return found


def _rename(
    one: Character, name: str, carried: CastFile, characters: Sequence[Character], speakers: Mapping[int, Speaker]
) -> bool:
    """Call a character as in the episode before, unless a person has named it here or somebody else has the name."""
    theirs = [speakers[each] for each in (one.original_id, one.dub_id) if each is not None]
    named = one.bound_by != "dubline" or any(each.heard_by in NAMED for each in theirs)
    if named or any(each.name.casefold() == name.casefold() for each in characters):
        return False
    one.name, one.bound_by = name, carried.source[:100]
    return True
