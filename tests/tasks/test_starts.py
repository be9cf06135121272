"""Where a dub begins: what tasks/starts.py promises, by labels that are counted by hand."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from storage.errors import Refused
from storage.film.bwf import Broadcast
from storage.film.probe import Film, Sound
from tasks.starts import Start, start
from tests.shoot import FILM_24, NTSC_30, PAL

HZ = 48000
HOUR = 3600 * HZ


def film(timecode: str | None, rate: Fraction = PAL, seconds: Fraction | int = 60) -> Film:
    facts = {"start_timecode": timecode, "rate": rate, "duration": Fraction(seconds), "path": Path("film.mov")}
    return cast(Film, SimpleNamespace(**facts))


def dub(seconds: Fraction | int = 60, hz: int = HZ) -> Sound:
    return Sound(Path("dub.wav"), 0, "pcm_s24le", hz, 2, "stereo", int(seconds * hz), True)


def said(samples: int) -> Broadcast:
    return Broadcast({"time_reference": samples}, b"")


@pytest.mark.parametrize(
    ("timecode", "rate", "samples", "lead"),
    [
        pytest.param("10:00:00:00", PAL, 10 * HOUR, 0, id="the-film's-own-start"),
        pytest.param("10:00:00:00", PAL, 10 * HOUR + 1919, 0, id="less-than-a-frame-later"),
        pytest.param("10:00:00:00", PAL, 10 * HOUR + 1920, 1920, id="a-frame-later"),
        pytest.param("10:00:00:00", PAL, 10 * HOUR - 2 * HZ, -2 * HZ, id="two-seconds-of-leader"),
        pytest.param("10:00:00:00", PAL, 10 * HOUR + 5 * HZ + 7, 5 * HZ + 7, id="five-seconds-and-seven-samples"),
        pytest.param("01:00:00:00", FILM_24, 172972800, 0, id="23.976/an-hour-of-labels-is-3603.6-s"),
        pytest.param("01:00:00:00", FILM_24, 172972800 - 96096, -96096, id="23.976/48-frames-of-leader"),
        pytest.param("01:00:00;00", NTSC_30, 172799827, 0, id="29.97-drop/an-hour-of-labels-is-3599.9964-s"),
        pytest.param("01:00:00:00", NTSC_30, 172972800, 0, id="29.97-non-drop"),
        pytest.param("00:59:59;28", NTSC_30, 172799827, 3203, id="29.97-drop/two-frames-later"),
        pytest.param("00:00:00:00", PAL, 24 * HOUR - 2 * HZ, -2 * HZ, id="leader-before-midnight"),
        pytest.param("23:59:58:00", PAL, HZ, 3 * HZ, id="a-reel-over-midnight"),
        pytest.param("00:00:00:00", FILM_24, round(Fraction("86486.4") * HZ) - 96096, -96096, id="23.976/midnight"),
        pytest.param("10:00:00:00", PAL, 0, 0, id="zero-says-nothing"),
        pytest.param("00:00:00:00", PAL, 0, 0, id="zero-is-the-start"),
        pytest.param(None, PAL, 10 * HOUR, 0, id="a-film-without-timecode"),
        pytest.param("10:00:00:30", PAL, 10 * HOUR, 0, id="a-timecode-that-is-none"),
        pytest.param("10:00:00:00", PAL, 2**63, 0, id="absurd"),
    ],
)
def test_a_dub_is_laid_where_its_time_reference_says(
    timecode: str | None, rate: Fraction, samples: int, lead: int
) -> None:
    got = start(film(timecode, rate), dub(), "dub", said(samples))
    assert got.lead == lead


@pytest.mark.parametrize(
    ("wish", "lead"),
    [
        pytest.param("-2", -2 * HZ, id="seconds-before"),
        pytest.param("1.5", 72000, id="seconds-after"),
        pytest.param("0.000020833", 1, id="one-sample"),
        pytest.param("0", 0, id="with-the-film"),
        pytest.param("09:59:58:00", -2 * HZ, id="a-timecode"),
        pytest.param("ignore", 0, id="ignored"),
    ],
)
def test_a_persons_word_overrules_the_time_reference(wish: str, lead: int) -> None:
    got = start(film("10:00:00:00"), dub(), "dub", said(10 * HOUR + 7 * HZ), wish)
    assert got.lead == lead and ("--dub-offset" in got.words or not lead)


def test_it_is_said_in_words_where_a_dub_begins() -> None:
    words = start(film("10:00:00:00"), dub(), "dub", said(10 * HOUR - 2 * HZ)).words
    assert words == (
        "The dub begins 2.000 s before the film (10:00:00:00), by its time reference, 09:59:58:00: "
        "96000 samples are cut off its head."
    )
    words = start(film("10:00:00:00"), dub(), "stem ANNA", None, "1").words
    assert "stem ANNA begins 1.000 s after the film" in words and "48000 samples of silence precede it" in words
    assert "ignored" in start(film("10:00:00:00"), dub(), "dub", said(HOUR), "ignore").words
    assert start(film("10:00:00:00"), dub(), "dub", said(10 * HOUR)) == Start()


@pytest.mark.parametrize(
    ("labels", "of", "words"),
    [
        pytest.param(said(2**63), "10:00:00:00", "no time of a day", id="absurd"),
        pytest.param(said(HOUR), None, "no timecode", id="no-timecode"),
        pytest.param(Broadcast({}, b"", "its bext chunk is damaged"), "10:00:00:00", "damaged", id="damaged"),
    ],
)
def test_it_is_said_in_words_why_a_time_reference_does_not_count(labels: Broadcast, of: str | None, words: str) -> None:
    got = start(film(of), dub(), "dub", labels)
    assert got.lead == 0 and words in got.words


@pytest.mark.parametrize(
    ("samples", "wish", "words"),
    [
        pytest.param(11 * HOUR, None, r"behind the film: by its time reference, 11:.* 10:00:00:00", id="later"),
        pytest.param(9 * HOUR, None, r"before the film: by its time reference, 09:.* 10:00:00:00", id="earlier"),
        pytest.param(10 * HOUR + 60 * HZ, None, r"begins 0\.000 s after the film's end", id="just-behind"),
        pytest.param(10 * HOUR - 60 * HZ, None, r"ends 0\.000 s before it", id="just-before"),
        pytest.param(0, "-61", "before the film: as --dub-offset says", id="asked-for"),
        pytest.param(0, "11:00:00:00", "behind the film: as --dub-offset says", id="asked-for-by-timecode"),
        pytest.param(0, "10:00:00:25", "--dub-offset: .*no timecode at 25", id="a-label-of-another-rate"),
        pytest.param(0, "10:00:00;02", "--dub-offset: .*drop-frame", id="drop-frame-at-25"),
    ],
)  # fmt: skip
def test_a_dub_of_another_reel_is_refused_with_both_times(samples: int, wish: str | None, words: str) -> None:
    with pytest.raises(Refused, match=words) as refused:
        start(film("10:00:00:00"), dub(), "dub", said(samples), wish)
    assert wish or "--dub-offset ignore" in str(refused.value)


def test_a_timecode_needs_a_film_that_has_one() -> None:
    with pytest.raises(Refused, match=r"none to count from.*seconds"):
        start(film(None), dub(), "dub", None, "10:00:00:00")


def test_each_rate_of_sound_counts_its_own_samples() -> None:
    for hz in (44100, 96000, 192000):
        got: Any = start(film("10:00:00:00"), dub(hz=hz), "dub", said(10 * 3600 * hz + hz // 2))
        assert got.lead == hz // 2
