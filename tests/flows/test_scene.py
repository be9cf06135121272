"""The question that a face asks of a model: whose words it hears, and from which sound."""

from pathlib import Path

import pytest

from flows.scene import Painter, Scene
from storage.catalog import Character, Route, Shot, Side, Speaker, Track, Turn
from storage.film.probe import probe
from tasks.job import EpisodeJob
from tests.shoot import PAL, draw_film


@pytest.mark.parametrize(
    ("speech", "hears"),
    [
        pytest.param({"dub": "d"}, "d", id="no-stems: the dub, gated by the turns"),
        pytest.param({"dub": "d", "stem Bert": "b"}, "d", id="another's stem"),
        pytest.param({"dub": "d", "stem Anna": "a", "stem Bert": "b"}, "a", id="her own stem"),
    ],
)
def test_a_face_hears_its_own_stem_before_the_dub_and_only_its_own_turns(
    house: Path, tmp_path: Path, speech: dict[str, str], hears: str
) -> None:
    anna, bert = (Speaker(Side.DUB, name, "stem") for name in ("Anna", "Bert"))
    turns = [Turn(anna, 500_000, 1_500_000), Turn(bert, 1_000_000, 1_900_000)]
    for n, turn in enumerate(turns, start=1):
        turn.speaker.id = turn.speaker_id = n
    film = probe(draw_film(tmp_path / "film.mkv", 50, PAL))
    job = EpisodeJob(film=film.path, dub=tmp_path / "dub.wav", out=tmp_path / "out.mkv")
    her = Character(name="Anna", original_id=None, dub_id=1, overlap=1.0)
    face = Track(1, "f1", 0, 50, 50, "geometry", 200.0, 0.0, 80.0, "photoreal")
    face.character_id = her.id = 1
    chosen = Route(1, "diff2lip", "a face that speaks", {}, [[0, 50]])
    scene = Scene(job, film, "sha", speech, turns, {1: her})
    question = scene.question(Shot("sh0010", 0, 50), face, chosen, Painter("code", "weights", ()))
    assert question.speech == hears
    assert question.turns == ((500_000, 1_500_000),), "Bert's words in her turn are heard too, his others never"
