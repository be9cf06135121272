"""Frames and labels: what storage/film/timecode.py promises."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import opentimelineio as otio
import pytest

from storage.film.timecode import FrameRange, dropped, frame_of, rate_of, timecode
from tests.shoot import FILM_24, NTSC_30, PAL

NTSC_60 = Fraction(60000, 1001)


@pytest.mark.parametrize(
    ("frame", "rate", "text"),
    [
        pytest.param(0, NTSC_30, "00:00:00;00", id="29.97-drop/the-first-frame"),
        pytest.param(1799, NTSC_30, "00:00:59;29", id="29.97-drop/last-before-the-first-drop"),
        pytest.param(1800, NTSC_30, "00:01:00;02", id="29.97-drop/labels-00-and-01-are-skipped"),
        pytest.param(3598, NTSC_30, "00:02:00;02", id="29.97-drop/and-again-a-minute-later"),
        pytest.param(17981, NTSC_30, "00:09:59;29", id="29.97-drop/last-of-ten-minutes"),
        pytest.param(17982, NTSC_30, "00:10:00;00", id="29.97-drop/tenth-minute-skips-nothing"),
        pytest.param(107892, NTSC_30, "01:00:00;00", id="29.97-drop/an-hour-is-an-hour"),
        pytest.param(3600, NTSC_60, "00:01:00;04", id="59.94-drop/four-labels-are-skipped"),
        pytest.param(1440, FILM_24, "00:01:00:00", id="23.976/never-drops"),
        pytest.param(90000, PAL, "01:00:00:00", id="25/an-hour"),
    ],
)
def test_timecode_goes_there_and_back(frame: int, rate: Fraction, text: str) -> None:
    assert timecode(frame, rate) == text
    assert frame_of(text, rate) == frame


@pytest.mark.parametrize("rate", [FILM_24, PAL, NTSC_30, NTSC_60, Fraction(24), Fraction(120)])
def test_every_frame_of_eleven_minutes_has_its_own_label(rate: Fraction) -> None:
    frames = range(0, int(661 * rate), 7)
    labels = [timecode(frame, rate) for frame in frames]
    assert len(set(labels)) == len(frames)
    assert [frame_of(label, rate) for label in labels] == list(frames)


def test_29_97_can_be_counted_without_drop() -> None:
    assert timecode(1800, NTSC_30, drop=False) == "00:01:00:00"
    assert frame_of("00:01:00:00", NTSC_30) == 1800


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        pytest.param("00:01:00;00", NTSC_30, id="a-label-that-drop-frame-skips"),
        pytest.param("00:00:00;00", PAL, id="drop-frame-where-there-is-none"),
        pytest.param("00:00:00:25", PAL, id="a-frame-too-many"),
        pytest.param("00:61:00:00", PAL, id="a-minute-too-many"),
        pytest.param("ten past nine", PAL, id="no-timecode"),
    ],
)
def test_what_is_no_label_is_refused_in_words(text: str, rate: Fraction) -> None:
    with pytest.raises(ValueError, match=r"timecode|exist"):
        frame_of(text, rate)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("23.976", FILM_24), ("23.98", FILM_24), ("29.97", NTSC_30), ("59.94", NTSC_60), ("24000/1001", FILM_24),
     ("30000:1001", NTSC_30), ("25", PAL), ("24", Fraction(24)), ("12.5", Fraction(25, 2))],
)  # fmt: skip
def test_rates_are_read_as_people_write_them(text: str, rate: Fraction) -> None:
    assert rate_of(text) == rate


def test_only_29_97_and_59_94_drop() -> None:
    assert [dropped(rate) for rate in (FILM_24, PAL, NTSC_30, NTSC_60)] == [0, 0, 2, 4]


def test_neighbouring_ranges_share_no_sample_and_leave_none_out() -> None:
    heard = [FrameRange(n, n + 1, FILM_24).samples(48000) for n in range(1000)]
    assert all(a.stop == b.start for a, b in pairwise(heard))
    assert heard[-1].stop == FrameRange(0, 1000, FILM_24).samples(48000).stop == 2002000


def test_an_empty_range_is_no_range() -> None:
    with pytest.raises(ValueError, match="holds no frame"):
        FrameRange(4, 4, PAL)


DAY = {NTSC_30: 2_589_408, NTSC_60: 5_178_816}  # frames in 24 hours of drop-frame, by SMPTE ST 12-1


def counted(rate: Fraction) -> Iterator[tuple[int, str]]:
    """Frames of 24 hours with their labels, as a clock counts that leaves out 00 and 01 (00 … 03) each minute but the
    tenth: all of the first eleven minutes, of every other the edges of its first two seconds and its last."""
    base, skip, frame = -(-rate.numerator // rate.denominator), dropped(rate), 0
    for minute in range(24 * 60):
        for second in range(60):
            first = skip if second == 0 and minute % 10 else 0
            clock = f"{minute // 60:02}:{minute % 60:02}:{second:02};"
            if minute < 11:
                yield from ((frame + ff - first, f"{clock}{ff:02}") for ff in range(first, base))
            elif second in (0, 1, 59):
                yield from ((frame + ff - first, f"{clock}{ff:02}") for ff in (first, first + 1, base - 1))
            frame += base - first


@pytest.mark.parametrize("rate", [NTSC_30, NTSC_60], ids=["29.97", "59.94"])
def test_drop_frame_names_the_frames_of_24_hours_as_a_clock_counts(rate: Fraction) -> None:
    frame = -1
    for frame, label in counted(rate):
        assert timecode(frame, rate) == label
        assert frame_of(label, rate) == frame
    assert frame == DAY[rate] - 1
    assert timecode(DAY[rate], rate) == "00:00:00;00"


@pytest.mark.parametrize("rate", [NTSC_30, NTSC_60], ids=["29.97", "59.94"])
def test_drop_frame_stays_within_four_frames_of_the_clock_on_the_wall(rate: Fraction) -> None:
    for minute in range(24 * 60):
        label = f"{minute // 60:02}:{minute % 60:02}:{'00' if minute % 10 == 0 else '01'};00"
        seconds = 60 * minute + int(label[6:8])
        assert abs(frame_of(label, rate) / rate - seconds) < (4 if rate == NTSC_30 else 6) / rate + Fraction(9, 100)


@pytest.mark.parametrize("rate", [NTSC_30, NTSC_60], ids=["29.97", "59.94"])
def test_every_label_that_drop_frame_skips_is_refused(rate: Fraction) -> None:
    for minute in range(24 * 60):
        for ff in range(dropped(rate)):
            label = f"{minute // 60:02}:{minute % 60:02}:00;{ff:02}"
            if minute % 10:
                with pytest.raises(ValueError, match="does not exist"):
                    frame_of(label, rate)
            else:
                assert timecode(frame_of(label, rate), rate) == label


@pytest.mark.parametrize("drop", [True, False], ids=["drop", "non-drop"])
@pytest.mark.parametrize(
    "rate", [FILM_24, Fraction(24), PAL, NTSC_30, Fraction(30), Fraction(50), NTSC_60, Fraction(60)],
    ids=lambda rate: f"{float(rate):.5g}",
)  # fmt: skip
def test_opentimelineio_says_the_same_at_the_edges_of_every_minute_of_a_day(rate: Fraction, drop: bool) -> None:
    if drop and not dropped(rate):
        return
    base = -(-rate.numerator // rate.denominator)
    # OpenTimelineIO 0.18.1 begins a day of non-drop-frame labels anew after 24 hours on the wall, 86 s too early.
    day = DAY.get(rate, 24 * 3600 * base)
    for minute in range(24 * 60):
        first = frame_of(f"{minute // 60:02}:{minute % 60:02}:01{';' if drop else ':'}00", rate) - base
        for frame in (first - 1, first, first + 1, first + dropped(rate), first + base):
            if not 0 <= frame < day:
                continue
            label = timecode(frame, rate, drop)
            time = otio.opentime.RationalTime(frame, float(rate))
            assert time.to_timecode(float(rate), drop) == label
            assert otio.opentime.from_timecode(label, float(rate)).value == frame
