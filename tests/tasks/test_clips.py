"""Clips of changed shots: they play, they speak, they are bounded, and they break nothing."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from storage.catalog import Shot, Take
from storage.film import clip as clip_film
from storage.film.probe import Film, probe, probe_sound
from storage.film.programs import ProgramFailed
from tasks.clips import MOST, Clips, pick
from tasks.conform import lay_takes
from tests.shoot import FILM_24, NTSC_30, PAL, draw_film, draw_sound
from tests.tasks.test_conform import draw_take


def written(film: Film, folder: Path, shots: list[Shot], frames: range) -> Clips:
    """What comes of a take on these frames."""
    dub = probe_sound(draw_sound(folder / "dub.wav", film.duration))
    take = draw_take(film, folder, frames)
    clips = Clips(film, dub, shots, [take], folder / "clips")
    lay_takes(film, [take], folder.joinpath, folder / "picture.nut", watches=[clips])
    return clips


def seen(path: Path) -> tuple[list[NDArray[np.uint8]], NDArray[np.float32], Fraction]:
    """Its pictures' luma, its first channel of sound, and its seconds a frame."""
    with av.open(str(path)) as file:
        pictures = [frame.to_ndarray()[: frame.height].astype(np.uint8) for frame in file.decode(video=0)]
        rate = Fraction(file.streams.video[0].average_rate or 0)
    with av.open(str(path)) as file:
        sound = np.concatenate([frame.to_ndarray()[0] for frame in file.decode(audio=0)])
    return pictures, np.asarray(sound, np.float32), rate


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p10le", "gbrp10le"])
def test_source_left_and_delivery_right_frame_for_frame_with_the_dub(tmp_path: Path, pix_fmt: str) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 45, NTSC_30, pix_fmt=pix_fmt, cuts=(15, 30)))
    clips = written(
        film, tmp_path, [Shot("sh0010", 0, 15), Shot("sh0020", 15, 30), Shot("sh0030", 30, 45)], range(18, 24)
    )
    assert not clips.notes
    ((name, clip),) = clips.written.items()
    pictures, sound, rate = seen(clip.path)
    assert name == "sh0020" and clip.path.name == "sh0020.mp4"
    assert len(pictures) == 15 and rate == NTSC_30
    assert pictures[0].shape == (clip.height, clip.width) == (96, 320)
    changed = [n for n, both in enumerate(pictures) if np.abs(both[:, :160].astype(int) - both[:, 160:]).max() > 40]
    assert changed == list(range(3, 9))
    assert len(sound) / 48000 == pytest.approx(15 / NTSC_30, abs=0.05)
    t = np.arange(len(sound)) / 48000
    tone = np.abs(np.mean(sound * np.exp(-2j * np.pi * 220 * t)))
    assert tone > 0.05, "the dub's own tone is heard"


def test_a_long_shot_is_shown_from_shortly_before_its_first_new_mouth(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 2, PAL))
    late = Take(1, 1, "k", "m", "w", 0, "p", "m", [[900, 0, 0], [901, 0, 0]], 1, "here", 0)
    last = Take(1, 1, "k", "m", "w", 0, "p", "m", [[1990, 0, 0]], 1, "here", 0)
    shots = [Shot("sh0010", 0, 100), Shot("sh0020", 100, 1800), Shot("sh0030", 1800, 2000)]
    assert pick(film, shots, [late, last]) == {"sh0020": range(875, 1075), "sh0030": range(1800, 2000)}


def test_a_long_film_has_so_many_clips_and_no_more(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 2, PAL))
    shots = [Shot(f"sh{n:04}", 10 * n, 10 * n + 10) for n in range(MOST + 50)]
    every = Take(1, 1, "k", "m", "w", 0, "p", "m", [[10 * n, 0, 0] for n in range(MOST + 50)], 1, "here", 0)
    assert list(pick(film, shots, [every])) == [shot.name for shot in shots[:MOST]]


def test_a_large_film_with_wide_pixels_is_shown_small_and_in_shape(tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 3, FILM_24, "libx264", (1920, 1080)))
    clips = written(film, tmp_path, [Shot("sh0010", 0, 3)], range(1, 2))
    clip = clips.written["sh0010"]
    assert (clip.width, clip.height) == (1920, 540) and len(seen(clip.path)[0]) == 3


def test_a_clip_that_fails_is_named_and_the_next_one_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = probe(draw_film(tmp_path / "film.mkv", 20, PAL))
    close, asked = clip_film.ClipFilm.close, []

    def fails_once(self: clip_film.ClipFilm, dub: object) -> None:
        asked.append(self.path)
        if len(asked) == 1:
            raise ProgramFailed("ffmpeg gave up: no space left")
        close(self, dub)  # type: ignore[arg-type]

    monkeypatch.setattr(clip_film.ClipFilm, "close", fails_once)
    clips = written(film, tmp_path, [Shot("sh0010", 0, 10), Shot("sh0020", 10, 20)], range(8, 12))
    assert clips.notes == ["The clip of sh0010 could not be written: ffmpeg gave up: no space left"]
    assert list(clips.written) == ["sh0020"]


def test_a_film_of_variable_rate_keeps_its_clock(tmp_path: Path) -> None:
    times = [0, 40, 90, 130, 200, 240, 300, 333, 400, 480]
    film = probe(draw_film(tmp_path / "film.mkv", 10, PAL, times=times))
    assert not film.steady
    clips = written(film, tmp_path, [Shot("sh0010", 0, 4), Shot("sh0020", 4, 10)], range(5, 7))
    with av.open(str(clips.written["sh0020"].path)) as file:
        shown = [frame.time for frame in file.decode(video=0)]
    assert shown == pytest.approx([(time - 200) / 1000 for time in times[4:]], abs=0.002)
