"""Films cut as real scenes are, whose truth is known: who is heard when, in the film and in the dub, and whose face.

Photographed persons are GRID speakers (The Grid Audio-Visual Speech Corpus, Cooke, Barker, Cunningham, Shao 2006, CC BY
4.0), puppets are models/puppets with the voices of GRID speakers who are not seen in any film here. s31 and s33 are
nobody's training data; s30 and s26 were kept out of training; the lips of s4 and s5 and most voices of the dubs are of
the training folder, for eval/ has no speaker more with enough clips. Nobody trains perception, but some of its
thresholds were set on clips of the same speakers. A speaker with few clips says some of them twice in a long film.

Everybody sits before GRID's blue screen; size, place and light change from scene to scene. A head that turns away is a
photograph that becomes narrow, not a profile. Who listens may part the lips, in rhythm: some speakers (s26) open them
up to eight frames before a word, and those frames come again and again. Speech is where silero VAD hears it in the dry
clip, pauses under 0.3 s included. `people.py` draws faces, `script.py` writes the shots and says what kinds there are,
`shooting.py` films them.
"""

from tests.scenes.script import KINDS, PLOTS, Plot
from tests.scenes.shooting import Face, Said, Scenes, Truth, make, stems

__all__ = ["KINDS", "PLOTS", "Face", "Plot", "Said", "Scenes", "Truth", "make", "stems"]
