"""Casting: voices to voices over the episode, voices to faces within a shot."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from models.speech import vad
from storage import artifacts
from storage.catalog import Shot, Side, Speaker, Turn
from storage.film.probe import probe
from tasks.cast import cast, match, voices
from tasks.geometry import Geometry
from tasks.look import look
from tasks.onscreen import choose
from tests.media import shared
from tests.pairs import HZ, Other, side_by_side

SECOND = 1_000_000
RATE = 25.0


def speaker(number: int, side: Side, name: str, heard_by: str = "diarization") -> Speaker:
    row = Speaker(side=side, name=name, heard_by=heard_by)
    row.id = number
    return row


def turns(row: Speaker, *seconds: tuple[float, float]) -> list[Turn]:
    return [Turn(speaker=row, start_us=round(a * SECOND), end_us=round(b * SECOND)) for a, b in seconds]


def triples(said: Sequence[Turn]) -> list[tuple[str, int | None, int | None]]:
    found = match(voices(said, Side.ORIGINAL), voices(said, Side.DUB))
    return [(each.name, each.original_id, each.dub_id) for each in found]


A, B = speaker(1, Side.ORIGINAL, "A"), speaker(2, Side.ORIGINAL, "B")
X, Y = speaker(3, Side.DUB, "A"), speaker(4, Side.DUB, "B")
ANNA = speaker(5, Side.DUB, "Anna", "stem")
WRITTEN_ANNA, WRITTEN_BERT = (speaker(n, Side.ORIGINAL, name, "file") for n, name in ((6, "ANNA"), (7, "BERT")))


@pytest.mark.parametrize(
    ("said", "characters"),
    [
        pytest.param(
            [*turns(A, (0, 2), (6, 8)), *turns(B, (3, 5)), *turns(X, (3, 4.8)), *turns(Y, (0.2, 2), (6, 8.4))],
            [("A", 1, 4), ("B", 2, 3)],
            id="who-speaks-in-whose-time",
        ),
        pytest.param(
            [*turns(A, (0, 4)), *turns(B, (3, 8)), *turns(X, (0, 6)), *turns(Y, (6.5, 8))],
            [("A", 1, 3), ("B", 2, 4)],
            id="the-whole-episode-decides-and-not-the-first-best",
        ),
        pytest.param(
            [*turns(A, (0, 2)), *turns(B, (3, 5)), *turns(X, (0, 2), (3, 5))],
            [("A", 1, 3), ("B", 2, 3)],
            id="one-actor-speaks-for-two",
        ),
        pytest.param([*turns(A, (0, 2)), *turns(X, (5, 7))], [("A", 1, None), ("A (dub)", None, 3)], id="strangers"),
        pytest.param([*turns(A, (0, 2)), *turns(ANNA, (0.1, 2.2))], [("Anna", 1, 5)], id="a-stem-gives-its-name"),
        pytest.param(
            [*turns(A, (0, 2)), *turns(B, (3, 5)), *turns(ANNA, (0, 2), (3, 5))],
            [("Anna", 1, 5), ("Anna 2", 2, 5)],
            id="no-name-twice",
        ),
        pytest.param(
            [*turns(WRITTEN_ANNA, (0, 2)), *turns(WRITTEN_BERT, (3, 9)), *turns(ANNA, (3, 6)), *turns(X, (0, 2))],
            [("Anna", 6, 5), ("BERT", 7, None), ("A (dub)", None, 3)],
            id="who-are-called-alike-are-one",
        ),
        pytest.param(turns(X, (5, 7)), [("A (dub)", None, 3)], id="a-silent-film"),
        pytest.param([], [], id="nobody"),
    ],
)
def test_voices_become_characters(said: list[Turn], characters: list[tuple[str, int | None, int | None]]) -> None:
    assert triples(said) == characters


def test_overlap_is_the_share_of_the_shorter_voice() -> None:
    said = [*turns(A, (0, 4)), *turns(X, (1, 2), (9, 10))]
    assert match(voices(said, Side.ORIGINAL), voices(said, Side.DUB))[0].overlap == pytest.approx(0.5)


LOUD = (np.abs(np.sin(np.arange(75) / 3)) * 30 - 40).astype(np.float32)


def face(first: int = 0, last: int = 75, speaks: Sequence[tuple[int, int]] = ()) -> Geometry:
    """A face in [first, last) whose lips move with LOUD where it speaks and rest elsewhere."""
    frames = np.arange(first, last, dtype=np.int32)
    moves = np.zeros(len(frames), bool)
    for start, end in speaks:
        moves |= (frames >= start) & (frames < end)
    none = np.zeros(len(frames), np.float32)
    opening = np.where(moves, 0.05 + LOUD[frames] / 1000, 0.01).astype(np.float32)
    points = np.zeros((len(frames), 468, 2), np.float32)
    motion = np.where(moves, 0.02, 0).astype(np.float32)
    box, mouth = np.zeros((2, len(frames), 4), np.float32)
    return Geometry(frames, box, points, mouth, none, opening, motion, none, none, none)


def test_a_drawn_face_is_known_by_its_lips_however_its_head_shakes() -> None:
    """As the demo's robot was measured: a nodding head with strong outlines, and no mesh to hold it still."""

    def shaken(one: Geometry) -> Geometry:
        return replace(one, points=one.points[:, :0], motion=one.motion - np.float32(0.25))

    talks, listens = shaken(face(speaks=[(0, 75)])), shaken(face())
    said, heard = choose([talks, listens], [LOUD, LOUD], {1: [(0, 75)]}, RATE)
    assert said.voice == 1 and said.confidence > 0.6
    assert heard.voice is None


@pytest.mark.parametrize(
    ("faces", "speaking", "bound"),
    [
        pytest.param([face(speaks=[(10, 60)])], {1: [(10, 60)]}, [1], id="the-only-one"),
        pytest.param([face()], {1: [(10, 60)]}, [None], id="a-voice-from-off-screen"),
        pytest.param([face(speaks=[(10, 60)])], {}, [None], id="nobody-is-heard"),
        pytest.param([face(), face(speaks=[(10, 60)])], {1: [(10, 60)]}, [None, 1], id="one-speaks-one-listens"),
        pytest.param(
            [face(speaks=[(5, 30)]), face(speaks=[(40, 70)])], {1: [(40, 70)], 2: [(5, 30)]}, [2, 1], id="a-dialogue"
        ),
        pytest.param(
            [face(0, 30, [(5, 30)]), face(45, 75, [(45, 70)])], {1: [(5, 70)]}, [1, 1], id="turns-away-and-back"
        ),
        pytest.param([face(speaks=[(5, 70)])], {1: [(5, 45)], 2: [(50, 57)]}, [1], id="a-short-word-by-another"),
    ],
)
def test_faces_find_their_voices(
    faces: list[Geometry], speaking: dict[int, list[tuple[int, int]]], bound: list[int | None]
) -> None:
    found = choose(faces, [LOUD[one.frames] for one in faces], speaking, RATE)
    assert [one.voice for one in found] == bound
    assert all((one.confidence > 0.6) == (one.voice is not None) and one.reason for one in found)


def test_two_who_move_alike_are_not_certain() -> None:
    both = [face(speaks=[(10, 60)]), face(speaks=[(10, 60)])]
    found = choose(both, [LOUD, LOUD], {1: [(10, 60)]}, RATE)
    assert sorted(one.confidence for one in found) == [0.0, 0.5]
    assert [one.reason for one in found if one.voice is None] == ["another face speaks with the voice that is heard"]


@pytest.mark.parametrize("how", ["still", "listens"])
@pytest.mark.parametrize("left", [True, False], ids=["left", "right"])
def test_of_two_real_faces_the_one_that_speaks_is_bound(house: Path, tmp_path: Path, how: Other, left: bool) -> None:
    sound = side_by_side(
        tmp_path / "film.mp4",
        shared("media/eval/grid_s31_bbai6n.mp4"),
        shared("media/eval/grid_s33_bbac2p.mp4"),
        how,
        left,
    )
    film = probe(tmp_path / "film.mp4")
    shot = Shot(name="sh0010", start=0, end=film.frames)
    shot.id = 1
    tracks = look.fn(film, [shot]).tracks
    soundfile.write(tmp_path / "speech.wav", sound, HZ)
    speech = artifacts.put(tmp_path / "speech.wav", "speech", ".wav")
    said = turns(A, *((a / HZ, b / HZ) for a, b in vad.speech(sound)))
    found = cast.fn(film, tracks, said, {"original": speech.sha})
    speaks, other = found.faces if left else reversed(found.faces)
    assert speaks.character is found.characters[0] and speaks.confidence > 0.8
    assert other.character is None and other.reason
