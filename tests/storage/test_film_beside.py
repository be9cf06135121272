"""What pictures carry beside their pixels: what storage/film/beside.py promises."""

from pathlib import Path

import numpy as np
import pytest

from storage.film.encoders import encoder_for
from storage.film.probe import probe
from storage.film.read import frames
from storage.film.write import PictureWriter
from tests.captions import captions_of, draw_captioned_film, triplets
from tests.shoot import draw_film, number_on


@pytest.mark.parametrize(
    ("codec", "options"),
    [
        pytest.param("libx264", {"bf": "3", "g": "10"}, id="h264-with-b-frames"),
        pytest.param("libx264", {"g": "1"}, id="h264-all-intra"),
        pytest.param("libx264", {"color_range": "pc"}, id="h264-full-range"),
        pytest.param("libx265", {}, id="hevc"),
    ],
)
def test_captions_stay_on_their_own_frames_when_every_picture_is_encoded_again(
    tmp_path: Path, codec: str, options: dict[str, str]
) -> None:
    film = probe(draw_captioned_film(tmp_path / "film.mp4", 24, codec, options=options))
    said = [triplets(n) for n in range(24)]
    assert captions_of(film.path) == said, "the test's own film"
    out = tmp_path / "again.mov"
    with PictureWriter(out, film, encoder_for(film)) as writer:
        for frame in frames(film):
            planes = frame.planes
            if frame.index % 3 == 0:  # a changed frame: other pixels, the same captions
                planes = (255 - planes[0], *planes[1:])
            writer.write(frame.index, planes, frame.decoded)
    again = list(frames(probe(out)))
    assert captions_of(out) == said
    assert writer.lost == frozenset()
    assert [number_on(frame.planes[0]) for frame in again if frame.index % 3] == [n for n in range(24) if n % 3]
    for was, now in zip(frames(film), again, strict=True):
        meant = 255 - was.planes[0].astype(int) if was.index % 3 == 0 else was.planes[0].astype(int)
        assert np.abs(now.planes[0] - meant).mean() < 3


def test_captions_that_an_encoder_does_not_write_are_named(tmp_path: Path) -> None:
    film = probe(draw_captioned_film(tmp_path / "film.mp4", 6))
    with PictureWriter(tmp_path / "again.nut", film, encoder_for(film, "ffv1")) as writer:
        for frame in frames(film):
            writer.write(frame.index, frame.planes, frame.decoded)
    assert writer.lost == {"A53_CC"}
    assert captions_of(tmp_path / "again.nut") == [b""] * 6


def test_a_film_without_captions_gets_none_and_loses_none(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mp4", 6, codec="libx264"))
    with PictureWriter(tmp_path / "again.mov", film, encoder_for(film)) as writer:
        for frame in frames(film):
            writer.write(frame.index, frame.planes, frame.decoded)
    assert writer.lost == frozenset() and captions_of(tmp_path / "again.mov") == [b""] * 6
