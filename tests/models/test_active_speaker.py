"""The senses together: a face with its own sound, with another's, with none."""

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from models import active_speaker
from models.active_speaker import CLIP, Senses, odds
from models.face import form
from models.face.detect import Detector
from models.face.mesh import Mesh
from models.face.track import Follower
from models.speech import vad
from tests.media import shared
from tests.pairs import HZ, clip


def mouths(path: Path) -> NDArray[np.float32]:
    follower = Follower(Detector(), Mesh())
    with av.open(str(path)) as file:
        for number, frame in enumerate(file.decode(video=0)):
            follower(number, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
    points = np.stack([sight.points for sight in follower.faces[0].sights])
    return form.measure(points, np.median(points, axis=0))


def test_sync_knows_a_mouth_by_its_own_sound_and_neither_by_anothers_nor_while_it_rests() -> None:
    own, other = shared("media/eval/grid_s31_bbai6n.mp4"), shared("media/eval/grid_s33_bbac2p.mp4")
    seen, sound, strange = mouths(own), clip(own)[1], clip(other)[1]

    def read(moving: NDArray[np.float32], heard: NDArray[np.float32]) -> float:
        spoken = np.zeros(len(moving), bool)
        for start, end in vad.speech(heard):
            spoken[start * 25 // HZ : end * 25 // HZ] = True
        found = active_speaker.in_time(moving, heard, spoken)
        assert found is not None
        return found

    assert read(seen, sound) > 0.3
    assert abs(read(seen, strange)) < 0.15
    assert abs(read(np.repeat(seen[:1], len(seen), axis=0), sound)) < 0.05
    assert active_speaker.in_time(seen[:10], sound, np.ones(10, bool)) is None


@pytest.mark.parametrize("lacking", [(), ("talk",), ("sync", "talk"), ("lips",), ("lips", "sync"), ("sync",)])
def test_whichever_senses_are_there_a_speaker_is_likelier_than_a_listener(lacking: tuple[str, ...]) -> None:
    """Medians of GRID's speakers and listeners."""
    speaks, listens = {"lips": 4.6, "sync": 0.4, "talk": 2.5}, {"lips": -2.3, "sync": 0.0, "talk": -0.9}
    for_sure = odds(Senses(**{name: None if name in lacking else value for name, value in speaks.items()}))
    not_so = odds(Senses(**{name: None if name in lacking else value for name, value in listens.items()}))
    assert not_so < -1 and 1 < for_sure <= CLIP


def test_no_sense_says_nothing_and_none_says_too_much() -> None:
    assert odds(Senses()) == 0.0
    assert odds(Senses(99.0, 99.0, 99.0)) == CLIP and odds(Senses(-99.0, -99.0, -99.0)) == -CLIP


def test_where_sync_must_be_wrong_the_others_are_heard() -> None:
    """A film whose sound was laid two frames late: sync finds nothing, lips and LR-ASD find a speaker."""
    assert odds(Senses(4.6, 0.0, 2.5)) > odds(Senses(-2.3, 0.0, -0.9)) + 2
