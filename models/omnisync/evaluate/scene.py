"""One held-out clip of the evaluation: a drawn character, a voice it was drawn to say, another it is dubbed with.

Half the clips are new characters of the kinds that were trained on, half are of a species or style (or both) that never
was; every voice is of a person nobody trained on. The film is drawn in full, its mouth is found by the product's own
perception, cut, drawn and laid back as the product does it. The generator is asked for the truth alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from models.corpus.clips import parts, speaker_of
from models.face.form import Floats
from models.omnisync.evaluate.shot import Frames, Look, Shot, View
from models.puppets import law
from models.puppets.draw import Puppet
from models.puppets.kinds import LEARNT_SPECIES, LEARNT_STYLES, SPECIES, STYLES
from models.puppets.pose import random_pose
from models.puppets.read import Reading, read
from models.syncnet.senses import RATE

HIGH: Final = 512  # pixels of the film's frames, both ways
FRAMES: Final = 48
SEED: Final = 20_250_521  # of the held-out clips; training draws from others
LATEST: Final = 12  # frames by which a voice is entered late, so that not all clips begin alike

Kind = Literal["learnt kinds", "unseen kinds"]


@dataclass(frozen=True, slots=True)
class Part:
    """Who is drawn and who is heard: all that decides a clip."""

    name: str
    kind: Kind
    species: str
    style: str
    number: int
    own: str  # prepared clip whose voice the film was drawn to
    dub: str  # prepared clip whose voice it is to say


def casting(count: int, voices: Sequence[str]) -> list[Part]:
    """The clips by number: the same for the same voices, and the first of many are those of few.

    voices   prepared clips of people nobody trained on, at least two of them
    """
    cast, unseen = [], _unseen()
    for number in range(count):
        chance = np.random.default_rng([SEED, number])
        learnt = number % 2 == 0
        kinds = [(one, other) for one in LEARNT_SPECIES for other in LEARNT_STYLES] if learnt else unseen
        species, style = kinds[int(chance.integers(len(kinds)))]
        own = voices[int(chance.integers(len(voices)))]
        others = [name for name in voices if speaker_of(Path(name)) != speaker_of(Path(own))]
        dub = others[int(chance.integers(len(others)))]
        kind: Kind = "learnt kinds" if learnt else "unseen kinds"
        cast.append(Part(f"{number:03} {species} {style}", kind, species, style, number, own, dub))
    return cast


def held_out(prepared: Path) -> dict[str, Path]:
    """Prepared clips of people nobody trained on, by name; all of the corpus must be in the folder."""
    paths = {path.stem: path for path in prepared.glob("*.npz")}
    return {name: paths[name] for name, part in parts(list(paths)).items() if part == "unseen speakers"}


class Scene(Shot):
    """A clip drawn and looked at; about 100 MB."""

    def __init__(self, part: Part, own: Floats, dub: Floats, look: Look, frames: int = FRAMES) -> None:
        """own, dub: (N,) 16 kHz, the voices the part names, whole; look: finds the mouth of a film."""
        chance = np.random.default_rng([SEED, part.number, 1])
        self.part = part
        self.puppet = Puppet.random(chance, part.species, part.style)
        self.poses = random_pose(chance, frames, float(RATE))
        starts = [int(start * law.HZ / RATE) for start in chance.integers(0, LATEST + 1, 2)]
        self.own, self.dub = own[starts[0] :], dub[starts[1] :]
        self.said, self.wanted = (self._mouths(voice) for voice in (self.own, self.dub))
        film = self.puppet.render(self.poses, self.said, HIGH)
        super().__init__(film, look(film))

    @cached_property
    def truth(self) -> Frames:
        """The film as it would be had it been drawn to the dub."""
        return self.puppet.render(self.poses, self.wanted, HIGH)

    @cached_property
    def places(self) -> Floats:
        """(T, 4) where the mouth is, from the generator; film pixels."""
        return np.asarray(self.puppet.mouth_at(self.poses) * [HIGH, HIGH, HIGH, 1], np.float32)

    def read(self, crops: Frames, view: View, every: int = 1) -> Reading:
        """The mouths of the first crops of this film, of every so many frames."""
        here = slice(0, len(crops), every)
        return read(self.puppet, self.poses[here], crops[here], whole(view.squares)[here])

    def _mouths(self, voice: Floats) -> Floats:
        return law.mouths(voice, middles(len(self.poses)))


def middles(frames: int) -> NDArray[np.float64]:
    """(T,) seconds of the middle of each frame, where the law is read."""
    return np.asarray((np.arange(frames) + 0.5) / float(RATE), np.float64)


def whole(squares: Floats) -> Floats:
    """Squares of the film's pixels as parts of the whole picture."""
    return np.asarray(squares / [HIGH, HIGH, HIGH, 1], np.float32)


def _unseen() -> list[tuple[str, str]]:
    """Species and styles of which at least one was never trained on."""
    return [
        (one, other) for one in SPECIES for other in STYLES if one not in LEARNT_SPECIES or other not in LEARNT_STYLES
    ]
