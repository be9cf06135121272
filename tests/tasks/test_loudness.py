"""What the report says of loudness: tasks/loudness.py."""

from pathlib import Path

import pytest

from storage.film.probe import probe, probe_sound
from tasks.conform import lay_takes
from tasks.deliver import mux
from tasks.loudness import given_loudness, table
from tasks.programme import Mode
from tests.shoot import PAL, draw_film, draw_sound


@pytest.mark.parametrize(
    ("out", "mode", "same"),
    [
        pytest.param("out.mov", "add", [False, True, False, True], id="bit-by-bit"),
        pytest.param("out.mp4", "add", [False, False, False, False], id="encoded"),
        pytest.param("out.mov", "replace", [False, False, True], id="the-film's-sound-is-gone"),
    ],
)
def test_each_sound_is_measured_as_given_and_as_delivered(
    tmp_path: Path, out: str, mode: Mode, same: list[bool]
) -> None:
    film = probe(draw_film(tmp_path / "film.mov", 50, PAL, "libx264", sound=2.0))
    dub = probe_sound(draw_sound(tmp_path / "dub.wav", 2, channels=2))
    given = given_loudness(film, dub)
    got = mux(film, lay_takes(film, [], tmp_path.joinpath, tmp_path / "picture"), dub, tmp_path / out, mode=mode)
    rows = table(film, got, given, moved=False)["rows"]
    assert [row["same_samples"] for row in rows] == same
    for sound in ("film", "dub"):  # AAC is nearly as loud as what it was made of
        levels = [row["integrated"] for row in rows if row["sound"] == sound]
        assert max(levels) - min(levels) < 0.5 and levels[0] < -10
    assert rows[-1]["sound"] == "dub" and len([row for row in rows if row["sound"] == "film"]) == len(same) - 2


def test_a_film_without_sound_has_no_loudness(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 5, PAL))
    assert given_loudness(film, probe_sound(draw_sound(tmp_path / "dub.wav", 1))).keys() == {"dub"}
