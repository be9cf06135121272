"""Casting: voices to voices over the episode, and real faces to what they say."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from models.speech import vad
from storage import artifacts
from storage.catalog import Shot, Side, Speaker, Turn
from storage.catalog.binding import Binding
from storage.film.probe import probe
from tasks.cast import cast, match, voices
from tasks.geometry import Geometry
from tasks.look import look
from tasks.onscreen import meetings
from tasks.words import voiced
from tests.media import shared
from tests.pairs import HZ, Other, side_by_side
from tests.shoot import PAL, draw_film

SECOND = 1_000_000


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


def test_a_drawn_face_is_known_by_its_lips_however_its_head_shakes(house: Path, tmp_path: Path) -> None:
    """As the demo's robot was measured: a nodding head with strong outlines, and no mesh to hold it still."""
    film = probe(draw_film(tmp_path / "film.mkv", 75, PAL, "ffv1"))
    frames = np.arange(75, dtype=np.int32)
    loud = np.abs(np.sin(frames / 3))
    wave = (np.repeat(loud, HZ // 25) * np.sin(np.arange(75 * HZ // 25) / 9)).astype(np.float32)
    soundfile.write(tmp_path / "speech.wav", wave, HZ)
    sound = artifacts.put(tmp_path / "speech.wav", "speech", ".wav").sha
    still, none = np.zeros((75, 4), np.float32), np.zeros(75, np.float32)
    shaken = np.full(75, -0.25, np.float32)

    def drawn(opening: NDArray[np.float32]) -> Geometry:
        return Geometry(frames, still, np.zeros((75, 0, 2), np.float32), still, none, opening, shaken, none, none, none)

    talks, listens = drawn((0.05 + loud * 0.03).astype(np.float32)), drawn(np.full(75, 0.01, np.float32))
    said, heard = meetings(film, sound, [talks, listens], [None, None], {1: [(0, 75)]}, None, [True, True])
    assert said.odds > 0.5 and heard.odds < -1 and said.senses.there == ("drawn",)


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


def said_of_voices(
    said: Sequence[Turn], words: dict[str, Binding]
) -> tuple[list[tuple[str, int | None, int | None]], Sequence[str]]:
    original, dub = (voices(said, side) for side in Side)
    spoken_of = voiced(words, [each.speaker.name for each in original], [each.speaker.name for each in dub])
    return [(each.name, each.original_id, each.dub_id) for each in match(original, dub, spoken_of)], spoken_of.notes


TWO = [*turns(A, (0, 2)), *turns(B, (3, 5)), *turns(X, (0, 2)), *turns(Y, (3, 5))]
HIRED_TWICE = [*turns(A, (0, 2)), *turns(B, (3, 5)), *turns(X, (0, 2), (3, 5))]


@pytest.mark.parametrize(
    ("said", "words", "characters"),
    [
        pytest.param(TWO, {"ANNA": Binding("eva", original="B")}, [("A", 1, 3), ("ANNA", 2, 4)], id="a-voice-is-named"),
        pytest.param(
            TWO, {"ANNA": Binding("eva", original="A", dub="B")},
            [("ANNA", 1, 4), ("B", 2, None), ("A (dub)", None, 3)],
            id="a-dub-voice-is-given-and-is-nobody-elses",
        ),
        pytest.param(
            TWO, {"A": Binding("eva", original="A", dub="B"), "B": Binding("eva", original="B", dub="A")},
            [("A", 1, 4), ("B", 2, 3)], id="two-are-swapped",
        ),
        pytest.param(
            TWO, {name: Binding("eva", original=name, dub="A") for name in ("A", "B")},
            [("A", 1, 3), ("B", 2, 3), ("B (dub)", None, 4)], id="one-voice-is-given-to-both",
        ),
        pytest.param(TWO, {"A": Binding("eva", original="B")}, [("A 2", 1, 3), ("A", 2, 4)], id="a-name-moves"),
        pytest.param(
            HIRED_TWICE, {"ANNA": Binding("eva", dub="A")}, [("ANNA", 1, 3), ("B", 2, 3)], id="a-name-for-a-dub-voice"
        ),
        pytest.param(
            [*turns(WRITTEN_ANNA, (0, 2)), *turns(WRITTEN_BERT, (3, 5)), *turns(ANNA, (0, 2))],
            {"BERT": Binding("eva", original="BERT", dub="Anna")}, [("ANNA", 6, None), ("BERT", 7, 5)],
            id="a-word-wins-over-names-that-are-alike",
        ),
    ],
)  # fmt: skip
def test_what_a_person_says_of_voices_wins(
    said: list[Turn], words: dict[str, Binding], characters: list[tuple[str, int | None, int | None]]
) -> None:
    assert said_of_voices(said, words) == (characters, [])


def test_a_word_about_a_voice_that_is_no_more_is_told() -> None:
    found, notes = said_of_voices(TWO, {"ANNA": Binding("eva", original="C", dub="B")})
    assert notes == ["eva gave ANNA the voice C of the film, and none is called so now"]
    assert found == [("A", 1, 3), ("ANNA", 2, 4)]  # the other half of it counts
