"""What happens in the demo film and what is said, in the original and in the dub."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

RATE: Final = Fraction(24000, 1001)  # frames a second
HZ: Final = 48_000  # samples a second of film and dub
START: Final = "01:00:00:00"  # timecode of the first frame


@dataclass(frozen=True)
class Scene:
    """One shot: what is drawn for how long, and who says what. `line` and `dubbed` start `lead` frames into it."""

    picture: str  # a function of pictures.py
    frames: int
    voice: str = ""  # a voice of voices.py
    line: str = ""
    dubbed: str = ""
    lead: int = 6


SCENES: Final = (
    Scene("empty_set", 48),
    Scene("man_in_a_car", 120, "man", "I have been on the road since five o'clock this morning.",
          "Nobody told me that the whole harbour would be closed today."),
    Scene("drawn_cat", 96, "cat", "Somebody always forgets to feed me.", "You never open the good tins for us."),
    Scene("portrait", 108, "woman", "We can see the entire coast from up here.",
          "From above, every border simply disappears."),
    Scene("drawn_robot", 96, "robot", "I have counted every star above this roof.",
          "All my batteries are full and nobody calls."),
    Scene("on_the_phone", 120, "man", "Tell them I am almost there, please.",
          "Wait for me, I am only around the corner."),
    Scene("far_away", 72, "man", "And that was all of it.", "So nothing more was said."),
)  # fmt: skip
