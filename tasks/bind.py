"""Whose voice each face has, from what was measured shot by shot and from what the whole episode says.

A voice is heard in many shots, and a person is seen in many. Expectation and maximisation over all of them: each shot
says how likely each face in it speaks with each voice; together they say how often this person speaks where that
voice is heard; and with that every shot is read again. A shot's own word is never counted as evidence for itself. So a
face that listens while somebody off screen speaks is known to have another voice, and one that turns away while it
speaks is known to have this one.
Deliberately not here: what is measured (tasks/onscreen.py), who is one person (tasks/persons.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

from models.active_speaker import Senses
from tasks.onscreen import SHORT, Meeting
from tasks.ranges import length, meet

OFF_SCREEN: Final = 0.2  # share of speech whose speaker is not seen, before anything is known; a guess
WORTH: Final = 1.5  # seconds of speech that this guess weighs as much as
MISHEARD: Final = 0.3  # seconds that a person may have spoken with another voice: a person has one, heard rightly
MOST: Final = 4.0  # seconds that one shot may weigh
ROUNDS: Final = 10
SETTLED: Final = 0.8  # share of a person's speech that one voice must have to be that person's where it is not heard

Key = tuple[int, int]  # person, voice


@dataclass(frozen=True, slots=True)
class Choice:
    """What was found out about one face."""

    voice: int | None  # the speaker's id
    confidence: float  # 0 … 1
    reason: str


@dataclass(eq=False)
class Scene:
    """One shot: the person of each face, and the meetings of its faces and voices."""

    persons: Sequence[int]
    meetings: Sequence[Meeting]
    rivals: list[list[int]] = field(init=False)  # of each meeting: others for the same voice at the same time

    def __post_init__(self) -> None:
        self.rivals = [
            [
                m for m, other in enumerate(self.meetings)
                if m != n and other.voice == one.voice and other.face != one.face
                and length(meet(other.common, one.common)) >= min(SHORT, length(one.common))
            ]
            for n, one in enumerate(self.meetings)
        ]  # fmt: skip


@dataclass(eq=False)
class Counts:
    """Seconds for which each person is seen while each voice is heard, and how many of them are theirs."""

    met: dict[Key, float] = field(default_factory=dict)
    spoken: dict[Key, float] = field(default_factory=dict)

    def add(self, scene: Scene, shares: Sequence[float], rate: float, sign: int = 1) -> None:
        for meeting, share in zip(scene.meetings, shares, strict=True):
            seconds = sign * min(MOST, length(meeting.common) / rate)
            key = scene.persons[meeting.face], meeting.voice
            self.met[key] = self.met.get(key, 0.0) + seconds
            self.spoken[key] = self.spoken.get(key, 0.0) + share * seconds

    def prior(self, person: int, voice: int, seen: int) -> float:
        """Log-odds that the person speaks where the voice is heard, before lips are looked at.

        seen  how many faces there are that it may belong to
        """
        key = person, voice
        spoken = self.spoken.get(key, 0.0)
        silent = max(0.0, self.met.get(key, 0.0) - spoken)
        others = sum(seconds for (one, other), seconds in self.spoken.items() if one == person and other != voice)
        fresh = WORTH * (1 - OFF_SCREEN) / seen
        has_this = (spoken + MISHEARD) / (spoken + MISHEARD + max(0.0, others))
        return log((spoken + fresh) / (silent + WORTH * OFF_SCREEN)) + log(has_this)


def settle(scenes: Sequence[Scene], rate: float, said: Mapping[int, int | None]) -> list[list[Choice]]:
    """One choice for each face of each scene.

    rate  frames a second
    said  by person: the voice that somebody has bound it to, or None if it has none; nothing is asked about these
    """
    shares = [first_look(scene, said) for scene in scenes]
    counts = Counts()
    for scene, share in zip(scenes, shares, strict=True):
        counts.add(scene, share, rate)
    odds: list[list[float]] = [[] for _ in scenes]
    for _ in range(ROUNDS):
        for n, scene in enumerate(scenes):
            counts.add(scene, shares[n], rate, sign=-1)
            odds[n] = judged(scene, counts, said)
            shares[n] = shared(scene, odds[n])
            counts.add(scene, shares[n], rate)
    voices = theirs(counts, said)
    return [chosen(scene, each, voices, said) for scene, each in zip(scenes, odds, strict=True)]


def first_look(scene: Scene, said: Mapping[int, int | None]) -> list[float]:
    return shared(scene, judged(scene, Counts(), said))


def judged(scene: Scene, counts: Counts, said: Mapping[int, int | None]) -> list[float]:
    """The log-odds of each meeting, by its shot and by the others."""
    odds = []
    for n, meeting in enumerate(scene.meetings):
        person = scene.persons[meeting.face]
        if person in said:
            odds.append(30.0 if said[person] == meeting.voice else -30.0)
        else:
            odds.append(meeting.odds + counts.prior(person, meeting.voice, 1 + len(scene.rivals[n])))
    return odds


def shared(scene: Scene, odds: Sequence[float]) -> list[float]:
    """How likely each meeting is, among its rivals and nobody."""
    weights = [exp(min(each, 50.0)) for each in odds]
    return [
        weight / (1 + weight + sum(weights[m] for m in scene.rivals[n])) for n, weight in enumerate(weights)
    ]  # fmt: skip


def theirs(counts: Counts, said: Mapping[int, int | None]) -> dict[int, tuple[int, float]]:
    """By person: the voice that is theirs, and the share of their speech that has it."""
    found: dict[int, tuple[int, float]] = {}
    for person in {person for person, _ in counts.spoken}:
        spoken = {voice: seconds for (other, voice), seconds in counts.spoken.items() if other == person}
        voice = max(spoken, key=lambda each: spoken[each])
        share = spoken[voice] / (sum(spoken.values()) + WORTH * OFF_SCREEN)
        if share >= SETTLED:
            found[person] = voice, share
    return found | {person: (voice, 1.0) for person, voice in said.items() if voice is not None}


def chosen(
    scene: Scene, odds: Sequence[float], voices: Mapping[int, tuple[int, float]], said: Mapping[int, int | None]
) -> list[Choice]:
    """The likeliest meeting first. A voice may have two faces only where they are never seen together, as when
    somebody turns away and back; a face has one voice in a shot. Who does not speak in it keeps the voice that is
    theirs in the others, for the dub may be longer than the film."""
    taken: dict[int, int] = {}  # by face: the meeting
    for n in sorted(range(len(odds)), key=lambda n: -odds[n]):
        if odds[n] > 0 and scene.meetings[n].face not in taken and not set(scene.rivals[n]) & set(taken.values()):
            taken[scene.meetings[n].face] = n
    choices = []
    for face, person in enumerate(scene.persons):
        mine = [n for n, meeting in enumerate(scene.meetings) if meeting.face == face]
        if person in said:
            word = said[person]
            choices.append(Choice(word, 1.0 if word is not None else 0.0, "a person said so"))
        elif face in taken:
            choices.append(speaks(scene, odds, taken, taken[face]))
        elif person in voices and all(scene.meetings[n].voice != voices[person][0] for n in mine):
            voice, share = voices[person]
            choices.append(Choice(voice, share, f"face {person} has this voice in other shots, and is silent here"))
        else:
            choices.append(refused(scene, odds, mine, set(taken.values())))
    return choices


def speaks(scene: Scene, odds: Sequence[float], taken: Mapping[int, int], n: int) -> Choice:
    """How much likelier this face is than nobody, or than the next likeliest that has no voice of its own."""
    free = [odds[m] for m in scene.rivals[n] if scene.meetings[m].face not in taken]
    margin = odds[n] - max([0.0, *free])
    meeting = scene.meetings[n]
    told = f"its lips move with the voice for {length(meeting.common)} frames ({in_words(meeting.senses)}"
    whole = f"face {scene.persons[meeting.face]} by all shots {odds[n] - meeting.odds:+.1f}"
    return Choice(meeting.voice, 1 / (1 + exp(-min(margin, 50.0))), f"{told}; {whole})")


def refused(scene: Scene, odds: Sequence[float], mine: Sequence[int], taken: set[int]) -> Choice:
    """Why a face has no voice."""
    if not mine:
        return Choice(None, 0.0, "nobody speaks while this face is seen")
    best = max(mine, key=lambda n: odds[n])
    if set(scene.rivals[best]) & taken:
        return Choice(None, 0.0, f"another face speaks, and this one listens (log-odds {odds[best]:+.1f})")
    why = in_words(scene.meetings[best].senses)
    return Choice(None, 0.0, f"its lips do not move with the voice that is heard ({why}): off screen")


def in_words(senses: Senses) -> str:
    said = [f"{name} {getattr(senses, name):+.1f}" for name in senses.there]
    return ", ".join(said) or "too short to tell"
