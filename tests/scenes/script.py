"""What is shot: scenes as editors cut them, each shot of a kind that has a name.

shot_reverse        one is seen and speaks, then the other
two_shot            two in frame; one speaks and the other listens, then the other answers
three_shot          three in frame, of whom one speaks and then another
off_screen          a line is heard while only the one it is said to is seen
voice_over          one who is never seen speaks, over a picture without people or over people who say nothing
nodding             one speaks, the other listens and nods; and one alone nods to a line from off screen
turning_away        somebody turns away while speaking, somebody else while listening
cut_mid_sentence    the picture cuts within a line: to the listener, or to another size of the one who speaks
overlap             two in frame, the second begins before the first has ended
silent              somebody is seen and nobody speaks; one beside, who is a still
same_voice_many_scenes  from the second scene on: everybody has been there before, at another size, place and brightness

Everything is drawn by lot from the film's name: the same name gives the same film.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np

from tests.scenes.people import Person, Seat, warm

PAL: Final = Fraction(25)
FILM_24: Final = Fraction(24000, 1001)
LATE: Final = 5  # frames that the dub of a line may come too early or too late
MOST: Final = 60  # clips of one speaker that are looked at: one has a thousand
AGAIN: Final = "same_voice_many_scenes"


@dataclass(frozen=True, slots=True)
class Plot:
    """A film to be made."""

    persons: tuple[Person, ...]
    narrator: Person | None
    seconds: int
    rate: Fraction = PAL


@dataclass(frozen=True, slots=True)
class Line:
    """What one says: a clip from its start, at a frame of the film, and what is heard in the dub instead."""

    who: Person
    clip: Path
    at: int
    dub: Path
    dub_at: int


@dataclass(frozen=True, slots=True)
class Shot:
    """Frames [start, end)."""

    kinds: tuple[str, ...]
    start: int
    end: int
    seats: tuple[Seat, ...]
    gain: float = 1.0  # brightness


PLOTS: Final[Mapping[str, Plot]] = {
    "two": Plot((Person("s31", "s31", "s4"), Person("s30", "s30", "s2")), Person("narrator", "s5", "s3"), 120),
    "two_24": Plot(
        (Person("s33", "s33", "s31"), Person("s26", "s26", "s1")), Person("narrator", "s30", "s5"), 75, FILM_24
    ),
    "three": Plot(
        (Person("s33", "s33", "s4"), Person("s5", "s5", "s30"), Person("s26", "s26", "s3")),
        Person("narrator", "s1", "s2"), 120,
    ),
    "five": Plot(
        (
            Person("s31", "s31", "s33"), Person("s30", "s30", "s1"), Person("s26", "s26", "s2"),
            Person("s4", "s4", "unkJ"), Person("s5", "s5", "s3"),
        ),
        None, 150,
    ),
    "puppets": Plot(
        (
            Person("cat", "s1", "s30", ("cat", "outline", 3)), Person("human", "unkJ", "s31", ("human", "shaded", 12)),
            Person("robot", "s2", "s5", ("robot", "flat", 33)),
        ),
        Person("narrator", "s33", "s26"), 110,
    ),
    "mixed": Plot(
        (
            Person("s31", "s31", "s33"), Person("s30", "s30", "s5"),
            Person("fox", "s3", "s26", ("fox", "flat", 8)), Person("bear", "s1", "s2", ("bear", "outline", 21)),
        ),
        None, 110,
    ),
}  # fmt: skip


@dataclass(eq=False)
class Script:
    """Grows shot by shot; `frame` is where the next one begins."""

    plot: Plot
    clips: Mapping[str, Sequence[Path]]
    rng: np.random.Generator
    shots: list[Shot] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    frame: int = 0
    scene: int = 0
    gain: float = 1.0
    framing: dict[str, tuple[float, float]] = field(default_factory=dict)  # zoom and aside of this scene, by name
    warm: bool = False  # the light of this scene
    left: dict[tuple[str, bool], list[Path]] = field(default_factory=dict)  # clips not yet heard, by voice and light

    @property
    def line(self) -> int:
        """Frames that a clip lasts: 3 s."""
        return ceil(3 * self.plot.rate)

    def next_clip(self, voice: str) -> Path:
        """The next of this voice, in an order drawn by lot; all of a light before any comes again.

        Whoever is seen keeps the light of the scene, if there are clips in it.
        """
        light = {warm(clip) for clip in self.clips[voice][:MOST]}
        lit = self.warm if self.warm in light else not self.warm
        left = self.left.setdefault((voice, lit), [])
        if not left:
            own = [clip for clip in self.clips[voice][:MOST] if warm(clip) == lit]
            left += [own[n] for n in self.rng.permutation(len(own))]
        return left.pop()

    def says(self, who: Person, at: int) -> Line:
        late = int(self.rng.integers(-LATE, LATE + 1))
        line = Line(who, self.next_clip(who.voice), at, self.next_clip(who.dubber), max(0, at + late))
        self.lines.append(line)
        return line

    def seat(self, who: Person, does: str, line: Line | None = None, closer: float = 1.0) -> Seat:
        zoom, aside = self.framing[who.name]
        clip = line.clip if line else self.next_listening(who)
        return Seat(who, does, clip, line.at if line else None, zoom * closer, aside)

    def next_listening(self, who: Person) -> Path:
        own = [clip for clip in self.clips[who.voice][:MOST] if warm(clip) == self.warm] or self.clips[who.voice]
        return own[int(self.rng.integers(len(own)))]

    def shot(self, kind: str, frames: int, *seats: Seat) -> None:
        kinds = (kind, AGAIN) if self.scene > 1 and seats else (kind,)
        self.shots.append(Shot(kinds, self.frame, self.frame + frames, seats, self.gain))
        self.frame += frames

    def lead(self) -> int:
        """Frames before a line begins."""
        return int(self.rng.integers(0, 9))

    def new_scene(self) -> list[Person]:
        """Other sizes, places and light; says who is there, two or three of all."""
        self.scene += 1
        self.warm = self.scene % 2 == 0
        self.gain = float(self.rng.uniform(0.82, 1.12))
        self.framing = {
            who.name: (float(self.rng.uniform(1.0, 1.3)), float(self.rng.uniform(-0.06, 0.06)))
            for who in self.plot.persons
        }
        there = min(len(self.plot.persons), 3)
        first = (self.scene - 1) * 2  # everybody's turn comes
        return [self.plot.persons[(first + n) % len(self.plot.persons)] for n in range(there)]


def write(name: str, clips: Mapping[str, Sequence[Path]], plot: Plot | None = None) -> Script:
    """The script of a film: every kind that its persons can play at least once, and more until it is long enough."""
    plot = plot or PLOTS[name]
    script = Script(plot, clips, np.random.default_rng(zlib.crc32(name.encode())))
    kinds = [
        kind for kind in KINDS
        if (kind != "three_shot" or len(plot.persons) > 2) and (kind != "voice_over" or plot.narrator)
    ]  # fmt: skip
    for few in _by_lot(script, kinds):
        there = script.new_scene()
        for kind in few:
            KINDS[kind](script, there)
            if script.frame >= plot.seconds * plot.rate and set(kinds) <= {each.kinds[0] for each in script.shots}:
                return script
            there = there[1:] + there[:1]
    return script


def _by_lot(script: Script, kinds: Sequence[str]) -> Iterator[list[str]]:
    """Kinds in an order drawn by lot, all of them before any comes again, a few a scene."""
    while True:
        order = [kinds[n] for n in script.rng.permutation(len(kinds))]
        yield from (order[n : n + 4] for n in range(0, len(order), 4))


def shot_reverse(play: Script, there: Sequence[Person]) -> None:
    for who in there[:2]:
        line = play.says(who, play.frame + play.lead())
        play.shot("shot_reverse", line.at - play.frame + play.line, play.seat(who, "speaks", line))


def two_shot(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    first = play.says(a, play.frame + play.lead())
    play.shot("two_shot", play.line + 8, play.seat(a, "speaks", first), play.seat(b, "listens"))
    first = play.says(a, play.frame + play.lead())
    second = play.says(b, first.at + play.line)
    frames = second.at - play.frame + play.line
    play.shot("two_shot", frames, play.seat(b, "speaks", second), play.seat(a, "speaks", first))


def three_shot(play: Script, there: Sequence[Person]) -> None:
    a, b, c = there[:3]
    first = play.says(b, play.frame + play.lead())
    second = play.says(c, first.at + play.line)
    seats = play.seat(a, "listens"), play.seat(b, "speaks", first), play.seat(c, "speaks", second)
    play.shot("three_shot", second.at - play.frame + play.line, *seats)


def off_screen(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    line = play.says(a, play.frame + play.lead())
    play.shot("off_screen", line.at - play.frame + play.line, play.seat(b, "listens"))


def voice_over(play: Script, there: Sequence[Person]) -> None:
    narrator = play.plot.narrator
    if narrator is None:
        raise ValueError("nobody tells this film")
    for seats in ([], [there[0]], there[:2]):
        line = play.says(narrator, play.frame + play.lead())
        frames = line.at - play.frame + play.line
        play.shot("voice_over", frames, *(play.seat(who, "listens") for who in seats))


def nodding(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    line = play.says(a, play.frame + play.lead())
    play.shot("nodding", line.at - play.frame + play.line, play.seat(b, "nods"), play.seat(a, "speaks", line))
    line = play.says(b, play.frame + play.lead())
    play.shot("nodding", line.at - play.frame + play.line, play.seat(a, "nods"))


def turning_away(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    line = play.says(a, play.frame + play.lead())
    play.shot("turning_away", line.at - play.frame + play.line, play.seat(a, "turns", line))
    line = play.says(a, play.frame + play.lead())
    play.shot("turning_away", line.at - play.frame + play.line, play.seat(a, "speaks", line), play.seat(b, "turns"))


def cut_mid_sentence(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    for who, other in ((a, None), (b, a)):
        line = play.says(who, play.frame + play.lead())
        first = line.at - play.frame + round(play.line * play.rng.uniform(0.4, 0.55))
        rest = line.at + play.line - play.frame - first
        play.shot("cut_mid_sentence", first, play.seat(who, "speaks", line))
        second = play.seat(other, "listens") if other else play.seat(who, "speaks", line, closer=1.35)
        play.shot("cut_mid_sentence", rest, second)


def overlap(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    first = play.says(a, play.frame + play.lead())
    second = play.says(b, first.at + round(play.rng.uniform(0.6, 1.1) * play.plot.rate))
    frames = second.at - play.frame + play.line
    play.shot("overlap", frames, play.seat(a, "speaks", first), play.seat(b, "speaks", second))


def silent(play: Script, there: Sequence[Person]) -> None:
    a, b = there[:2]
    play.shot("silent", round(2 * play.plot.rate), play.seat(a, "listens"), play.seat(b, "still"))


KINDS: Final[Mapping[str, Callable[[Script, Sequence[Person]], None]]] = {
    each.__name__: each
    for each in (
        shot_reverse, two_shot, three_shot, off_screen, voice_over, nodding, turning_away, cut_mid_sentence, overlap,
        silent,
    )
}  # fmt: skip
