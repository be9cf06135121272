"""Whose voice each face has, from what was measured shot by shot and from what the whole episode says.

A voice is heard in many shots, and a person is seen in many. Either the voice is this person's: then, while both are
there, the lips move nearly always. Or it is not: then they hardly ever do. Every shot in which the two meet says which,
and all but the one that is asked about are believed together. So a face that listens while somebody off screen speaks
is known to have another voice, and one that turns away while it speaks is known to have this one.
Deliberately not here: what is measured (tasks/onscreen.py), who is one person (tasks/persons.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Final

from models.active_speaker import Senses
from tasks.onscreen import SHORT, Meeting
from tasks.ranges import length, meet

ON_SCREEN: Final = 0.8  # share of speech whose speaker is seen, before anything is known of a voice; a guess
SHOWN: Final = 0.97  # share of a person's own speech, while seen, that the lips say; the rest is thought, or told
MISHEARD: Final = 0.01  # the same of a voice that is another's: it was heard as the wrong one
HEARD_AS_TWO: Final = 0.05  # share of voices that are a second one of somebody's: told apart where they are one
SURELY: Final = 8.0  # log-odds at most that a voice is somebody's
SETTLED: Final = 0.9  # how sure a person's voice must be to be theirs where it is not heard

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


@dataclass(frozen=True, eq=False)
class Evidence:
    """For each person and each voice: what every shot says of whether it is theirs, added up, in log-odds."""

    whole: Mapping[Key, float]

    def without(self, scene: Scene) -> "Evidence":
        """What the other shots say."""
        left = dict(self.whole)
        for key, odds in told(scene):
            left[key] -= odds
        return Evidence(left)

    def theirs(self, person: int, voice: int, seen: int = 1) -> float:
        """How likely the voice is this person's, 0 … 1: a person has one, or none that is heard, or rarely two.

        seen  how many faces there are that it may belong to where it is asked
        """
        fresh = log(ON_SCREEN / (1 - ON_SCREEN)) - log(seen)
        voices = {other for one, other in self.whole if one == person} | {voice}
        odds = {each: exp(_within(fresh + self.whole.get((person, each), 0.0))) for each in voices}
        others = sum(odds.values()) - odds[voice]
        return odds[voice] / (1 + odds[voice] + HEARD_AS_TWO * others)

    def prior(self, person: int, voice: int, seen: int) -> float:
        """Log-odds that the person speaks where the voice is heard, before the lips in that shot are looked at."""
        theirs = self.theirs(person, voice, seen)
        return log(theirs * SHOWN + (1 - theirs) * MISHEARD) - log(theirs * (1 - SHOWN) + (1 - theirs) * (1 - MISHEARD))


def told(scene: Scene) -> list[tuple[Key, float]]:
    """What each meeting of a shot says of whether the voice is the person's."""
    return [
        (
            (scene.persons[meeting.face], meeting.voice),
            log(SHOWN * exp(meeting.odds) + 1 - SHOWN) - log(MISHEARD * exp(meeting.odds) + 1 - MISHEARD),
        )
        for meeting in scene.meetings
    ]


def settle(scenes: Sequence[Scene], said: Mapping[int, int | None]) -> list[list[Choice]]:
    """One choice for each face of each scene.

    said  by person: the voice that somebody has bound it to, or None if it has none; nothing is asked about these
    """
    whole: dict[Key, float] = {}
    for scene in scenes:
        for key, odds in told(scene):
            whole[key] = whole.get(key, 0.0) + odds
    evidence = Evidence(whole)
    voices = theirs(evidence, said)
    return [chosen(scene, judged(scene, evidence.without(scene), said), voices, said) for scene in scenes]


def judged(scene: Scene, evidence: Evidence, said: Mapping[int, int | None]) -> list[float]:
    """The log-odds of each meeting, by its shot and by the others."""
    odds = []
    for n, meeting in enumerate(scene.meetings):
        person = scene.persons[meeting.face]
        if person in said:
            odds.append(30.0 if said[person] == meeting.voice else -30.0)
        elif meeting.senses.there or evidence.theirs(person, meeting.voice) > SETTLED:
            odds.append(meeting.odds + evidence.prior(person, meeting.voice, 1 + len(scene.rivals[n])))
        else:
            odds.append(-30.0)  # neither this shot nor any other says whose voice it is
    return odds


def theirs(evidence: Evidence, said: Mapping[int, int | None]) -> dict[int, tuple[int, float]]:
    """By person: the voice that is theirs, and how sure that is."""
    found: dict[int, tuple[int, float]] = {}
    for person, voice in evidence.whole:
        sure = evidence.theirs(person, voice)
        if sure >= max(SETTLED, found.get(person, (0, 0.0))[1]):
            found[person] = voice, sure
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


def _within(odds: float) -> float:
    return max(-SURELY, min(SURELY, odds))


def in_words(senses: Senses) -> str:
    said = [f"{name} {getattr(senses, name):+.1f}" for name in senses.there]
    return ", ".join(said) or "too short to tell"
