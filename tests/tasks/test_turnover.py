"""Shots from a cut list: what tasks/turnover.py and storage/lists promise."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import opentimelineio as otio
import pytest

from storage.errors import Refused
from storage.film.probe import Colour, Film
from storage.film.timecode import dropped, frame_of, timecode
from tasks.turnover import Cut, read
from tests.shoot import FILM_24, NTSC_30, PAL

NTSC_60 = Fraction(60000, 1001)
RATES = [FILM_24, Fraction(24), PAL, NTSC_30, Fraction(30), Fraction(50), NTSC_60, Fraction(60)]
LONGS = [40, 25, 61, 9, 165]
CUTS = [0, 40, 65, 126, 135, 300]
FRAMES = 300


def film_of(rate: Fraction, start: str | None = "01:00:00:00", frames: int = FRAMES) -> Film:
    """As `probe` would have measured it; no list opens its film."""
    return Film(
        path=Path("ep03.mov"), container="mov", picture=0, codec="prores", tag="apch", profile="HQ",
        pix_fmt="yuv422p10le", bits=10, width=160, height=96, sar=Fraction(1), rate=rate, steady=True,
        time_base=1 / rate, pts=np.arange(frames), duration=frames / rate, head=Fraction(0),
        colour=Colour(None, None, None, None), mastering={}, interlaced=False, rotation=0, start_timecode=start,
        streams=(), tags={}, chapters=0, missing="",
    )  # fmt: skip


def edl_of(
    rate: Fraction, start: str = "01:00:00:00", longs: Sequence[int] = LONGS, mark: str = ":", fcm: str | None = None
) -> str:
    """An EDL of cuts, as an editing system writes it; `mark` stands before the frames of its labels."""
    drop = ";" in start
    said = ["TITLE: EP03", *([f"FCM: {fcm}"] if fcm else []), ""]
    at = frame_of(start, rate)
    for number, long in enumerate(longs, 1):
        labels = [timecode(at, rate, drop), timecode(at + long, rate, drop)]
        first, last = (label[:8] + mark + label[9:] for label in labels)
        said += [
            f"{number:03}  A{number:03}C001 V     C        {first} {last} {first} {last}",
            f"* FROM CLIP NAME: clip {number}",
        ]
        at += long
    return "\n".join(said)


def timeline_of(rate: Fraction, start: str | None, longs: Sequence[int] = LONGS) -> Any:
    """The same cut in OpenTimelineIO."""
    timeline = otio.schema.Timeline("EP03")
    if start is not None:
        timeline.global_start_time = otio.opentime.RationalTime(frame_of(start, rate), float(rate))
    track = otio.schema.Track("V1", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    for number, long in enumerate(longs, 1):
        track.append(clip_of(f"clip {number}", long, rate, 1000 + number))
    return timeline


def clip_of(name: str, long: int, rate: Fraction, start: int = 0) -> Any:
    media = otio.schema.ExternalReference(f"file:///{name}.mov".replace(" ", ""), span(0, 5000, rate))
    umid = "urn:smpte:umid:060a2b34.01010105.01010f20.13000000.00000000.00000000.00000000.0000{:04}"
    media.metadata["AAF"] = {"MobID": umid.format(start), "SourceID": umid.format(start)}
    return otio.schema.Clip(name, media, span(start, long, rate), metadata={"AAF": dict(media.metadata["AAF"])})


def span(start: int, long: int, rate: Fraction) -> Any:
    return otio.opentime.TimeRange(*(otio.opentime.RationalTime(n, float(rate)) for n in (start, long)))


def fcpxml_of(rate: Fraction, start: str, longs: Sequence[int] = LONGS) -> str:
    """As Final Cut Pro writes it."""

    def time(frames: int) -> str:
        seconds = frames / rate
        return f"{seconds.numerator}/{seconds.denominator}s"

    first = at = frame_of(start, rate)
    clips = []
    for number, long in enumerate(longs, 1):
        clips.append(
            f'<asset-clip ref="r2" name="clip {number}" offset="{time(at)}" start="{time(1000)}" '
            f'duration="{time(long)}"><audio lane="-1" ref="r2" offset="0s" duration="{time(9)}"/></asset-clip>'
        )
        at += long
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml version="1.9"><resources>'
        f'<format id="r1" frameDuration="{time(1)}"/><asset id="r2" name="A001" format="r1" hasVideo="1"/></resources>'
        f'<library><event name="e"><project name="EP03"><sequence format="r1" tcStart="{time(first)}">'
        f"<spine>{''.join(clips)}</spine></sequence></project></event></library></fcpxml>"
    )


def edges(cuts: Sequence[Cut]) -> list[int]:
    """The frames at which the shots begin, and the end; that they are contiguous is asserted."""
    assert all(before.end == after.start for before, after in pairwise(cuts))
    return [*(cut.start for cut in cuts), cuts[-1].end]


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("rate", RATES, ids=lambda rate: f"{float(rate):.5g}")
@pytest.mark.parametrize("kind", ["edl", "fcpxml", "xml", "otio", "aaf"])
def test_the_shots_are_the_cuts_of_the_list(tmp_path: Path, kind: str, rate: Fraction) -> None:
    start = "01:00:00:00"
    path = tmp_path / f"ep03.{kind}"
    if kind == "edl":
        path.write_text(edl_of(rate, start, fcm="NON-DROP FRAME"))
    elif kind == "fcpxml":
        path.write_text(fcpxml_of(rate, start))
    else:
        adapter = {"xml": "fcp_xml", "otio": "otio_json", "aaf": "AAF"}[kind]
        otio.adapters.write_to_file(timeline_of(rate, start), str(path), adapter_name=adapter)
    got = read(path, film_of(rate))
    assert edges(got.cuts) == CUTS
    assert [cut.clip for cut in got.cuts] == [f"clip {n}" for n in range(1, 6)]
    assert got.notes == (f"5 shots from ep03.{kind}.",)
    assert [shot.name for shot in got.shots()] == ["sh0010", "sh0020", "sh0030", "sh0040", "sh0050"]


@pytest.mark.parametrize("rate", [NTSC_30, NTSC_60], ids=["29.97", "59.94"])
@pytest.mark.parametrize(("mark", "fcm"), [(";", None), (";", "DROP FRAME"), (":", "DROP FRAME")])
@pytest.mark.parametrize("start", ["00:58:59;20", "01:00:00;00", "23:59:58;00"])
def test_drop_frame_lists_say_so_in_one_way_or_another(
    tmp_path: Path, rate: Fraction, mark: str, fcm: str | None, start: str
) -> None:
    path = write(tmp_path, "ep03.edl", edl_of(rate, start, mark=mark, fcm=fcm))
    assert edges(read(path, film_of(rate, start)).cuts) == CUTS
    assert dropped(rate)


@pytest.mark.parametrize("kind", ["fcpxml", "xml", "otio"])
def test_drop_frame_starts_are_counted_in_frames_elsewhere(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"ep03.{kind}"
    if kind == "fcpxml":
        path.write_text(fcpxml_of(NTSC_30, "01:00:00;00"))
    else:
        adapter = {"xml": "fcp_xml", "otio": "otio_json"}[kind]
        otio.adapters.write_to_file(timeline_of(NTSC_30, "01:00:00;00"), str(path), adapter_name=adapter)
    assert edges(read(path, film_of(NTSC_30, "01:00:00;00")).cuts) == CUTS


def test_names_reels_and_source_timecodes_come_along(tmp_path: Path) -> None:
    got = read(write(tmp_path, "ep03.edl", edl_of(PAL)), film_of(PAL))
    first = got.cuts[0]
    assert (first.clip, first.reel, first.source_in) == ("clip 1", "A001C001", "01:00:00:00")
    row = got.shots()[1]
    assert (row.name, row.clip, row.reel, row.source_in) == ("sh0020", "clip 2", "A002C001", "01:00:01:15")


@pytest.mark.parametrize(
    ("label", "start", "note"),
    [
        pytest.param("01:00:00:00", "01:00:00:00", None, id="both-say-one-hour"),
        pytest.param("00:00:00:00", "01:00:00:00", "counts from 0", id="the-list-counts-from-0"),
        pytest.param("00:00:00:00", None, None, id="neither-has-a-timecode"),
        pytest.param("10:00:00:00", None, "no start timecode", id="the-film-has-none"),
    ],
)
def test_where_a_list_begins(tmp_path: Path, label: str, start: str | None, note: str | None) -> None:
    got = read(write(tmp_path, "ep03.edl", edl_of(PAL, label)), film_of(PAL, start))
    assert edges(got.cuts) == CUTS
    assert (note is None and len(got.notes) == 1) or any(note in said for said in got.notes if note)


def test_gaps_and_black_are_shots_and_a_missing_last_frame_is_none(tmp_path: Path) -> None:
    lines = edl_of(PAL).splitlines()
    del lines[4:6]  # the second event: a gap
    lines[2] = lines[2].replace("A001C001", "BL      ")
    del lines[3]
    got = read(write(tmp_path, "ep03.edl", "\n".join(lines)), film_of(PAL, frames=FRAMES + 1))
    assert edges(got.cuts) == [*CUTS[:-1], FRAMES + 1]
    assert [cut.clip for cut in got.cuts] == ["", "", "clip 3", "clip 4", "clip 5"]


def test_a_dissolve_is_cut_in_its_middle(tmp_path: Path) -> None:
    text = """TITLE: EP03
001  A001     V     C        00:00:00:00 00:00:04:00 01:00:00:00 01:00:04:00
* FROM CLIP NAME: before
002  A001     V     C        00:00:04:00 00:00:04:00 01:00:04:00 01:00:04:00
002  A002     V     D    024 00:00:00:00 00:00:08:00 01:00:04:00 01:00:12:00
* FROM CLIP NAME: before
* TO CLIP NAME: after
003  A002     AA/V  W001 010 00:00:00:00 00:00:00:00 01:00:12:00 01:00:12:00
"""
    got = read(write(tmp_path, "ep03.edl", text), film_of(PAL))
    assert edges(got.cuts) == [0, 112, 300]
    assert [cut.clip for cut in got.cuts] == ["before", "after"]
    timeline = timeline_of(PAL, None, [100, 200])
    move = otio.schema.Transition("d", "SMPTE_Dissolve", *(otio.opentime.RationalTime(n, 25) for n in (0, 24)))
    timeline.tracks[0].insert(1, move)
    otio.adapters.write_to_file(timeline, str(tmp_path / "ep03.otio"))
    assert edges(read(tmp_path / "ep03.otio", film_of(PAL)).cuts) == [0, 112, 300]


def test_sound_titles_and_what_is_switched_off_make_no_cuts(tmp_path: Path) -> None:
    edl = (
        edl_of(PAL)
        + "\n001  A001     A     C        01:00:00:00 01:00:02:00 01:00:00:00 01:00:02:00\nM2   A001  025.0\n"
    )
    assert edges(read(write(tmp_path, "ep03.edl", edl), film_of(PAL)).cuts) == CUTS
    timeline = timeline_of(PAL, None)
    title = otio.schema.GeneratorReference("title", "Text", span(0, 50, PAL))
    above = otio.schema.Track(
        "V2", [otio.schema.Gap(source_range=span(0, 10, PAL)), otio.schema.Clip("t", title, span(0, 20, PAL))]
    )
    off = otio.schema.Track("V3", [clip_of("off", 33, PAL)])
    off.enabled = False
    sound = otio.schema.Track("A1", [clip_of("heard", 77, PAL)], kind=otio.schema.TrackKind.Audio)
    timeline.tracks.extend([above, off, sound])
    otio.adapters.write_to_file(timeline, str(tmp_path / "ep03.otio"))
    assert edges(read(tmp_path / "ep03.otio", film_of(PAL)).cuts) == CUTS


def test_the_topmost_picture_is_seen_and_nested_sequences_are_opened(tmp_path: Path) -> None:
    timeline = otio.schema.Timeline("EP03")
    inner = otio.schema.Stack("reel", [otio.schema.Track("V1", [clip_of(n, 50, PAL) for n in ("a", "b", "c")])])
    inner.append(otio.schema.Track("V2", [otio.schema.Gap(source_range=span(0, 60, PAL)), clip_of("inset", 10, PAL)]))
    inner.source_range = span(25, 100, PAL)
    low = otio.schema.Track("V1", [clip_of("first", 100, PAL), inner, clip_of("last", 100, PAL)])
    high = otio.schema.Track("V2", [otio.schema.Gap(source_range=span(0, 10, PAL)), clip_of("over", 20, PAL)])
    timeline.tracks.extend([low, high])
    otio.adapters.write_to_file(timeline, str(tmp_path / "ep03.otio"))
    cuts = read(tmp_path / "ep03.otio", film_of(PAL)).cuts
    assert edges(cuts) == [0, 10, 30, 100, 125, 135, 145, 175, 200, 300]
    assert [cut.clip for cut in cuts] == ["first", "over", "first", "a", "b", "inset", "b", "c", "last"]
    assert [cut.source_in for cut in cuts][:4] == ["00:00:00:00", "00:00:00:00", "", ""]  # where a clip itself begins


def test_a_compound_clip_of_final_cut_is_opened(tmp_path: Path) -> None:
    text = fcpxml_of(PAL, "00:00:00:00")
    inside = (
        '<media id="r9"><sequence format="r1" tcStart="0s"><spine>'
        '<asset-clip ref="r2" name="a" offset="0s" duration="60/25s">'
        '<asset-clip ref="r2" lane="1" name="above" offset="20/25s" duration="10/25s"/></asset-clip>'
        '<asset-clip ref="r2" name="b" offset="60/25s" duration="60/25s"/></spine></sequence></media></resources>'
    )
    text = text.replace("</resources>", inside).replace(
        '<asset-clip ref="r2" name="clip 3" offset="13/5s" start="40/1s"',
        '<ref-clip ref="r9" name="clip 3" offset="65/25s" start="10/25s"',
    )
    third = text.index('<ref-clip ref="r9"')
    text = text[:third] + text[third:].replace("</asset-clip>", "</ref-clip>", 1)
    cuts = read(write(tmp_path, "ep03.fcpxml", text), film_of(PAL, "00:00:00:00")).cuts
    assert edges(cuts) == [0, 40, 65, 75, 85, 115, 126, 135, 300]
    assert [cut.clip for cut in cuts][2:6] == ["a", "above", "a", "b"]


def test_connected_clips_of_final_cut_cover_what_is_below(tmp_path: Path) -> None:
    text = fcpxml_of(FILM_24, "01:00:00:00").replace(
        '<audio lane="-1" ref="r2"', '<video lane="1" name="over" ref="r2" start="0s"', 1
    ).replace('offset="0s" duration', f'offset="{1010 * 1001}/24000s" duration', 1)  # fmt: skip
    cuts = read(write(tmp_path, "ep03.fcpxml", text), film_of(FILM_24)).cuts
    assert edges(cuts) == [0, 10, 19, *CUTS[1:]]
    assert cuts[1].clip == "over"


def test_sound_of_final_cut_makes_no_picture_in_a_gap(tmp_path: Path) -> None:
    text = fcpxml_of(PAL, "00:00:00:00")
    first = text.index('<asset-clip ref="r2" name="clip 2"')
    heard = (
        '<asset id="r3" name="A2" hasAudio="1"/></resources>',
        '<gap offset="40/25s" start="3600s" duration="25/25s">'
        '<clip lane="-1" name="heard" offset="3600s" duration="9/25s">'
        '<gap offset="0s" duration="9s"><audio lane="-1" ref="r3" offset="0s" duration="9s"/></gap></clip>'
        '<asset-clip lane="1" ref="r3" name="too" offset="3600s" duration="9/25s"/></gap>',
    )
    text = text[:first] + heard[1] + text[text.index("</asset-clip>", first) + len("</asset-clip>") :]
    cuts = read(
        write(tmp_path, "ep03.fcpxml", text.replace("</resources>", heard[0])), film_of(PAL, "00:00:00:00")
    ).cuts
    assert edges(cuts) == CUTS
    assert [cut.clip for cut in cuts] == ["clip 1", "", "clip 3", "clip 4", "clip 5"]


def test_frames_that_media_do_not_have_are_told_of(tmp_path: Path) -> None:
    timeline = timeline_of(PAL, None)
    timeline.tracks[0][0].source_range = span(4990, 40, PAL)
    timeline.tracks[0][1].source_range = span(4975, 25, PAL)  # its last frame is the medium's last
    otio.adapters.write_to_file(timeline, str(tmp_path / "ep03.otio"))
    got = read(tmp_path / "ep03.otio", film_of(PAL))
    assert edges(got.cuts) == CUTS
    assert any("1 of the list's clips use frames" in note for note in got.notes)


@pytest.mark.parametrize(
    ("text", "rate", "why"),
    [
        pytest.param(edl_of(PAL, longs=[40, 25, 400]), PAL, "165 frames after", id="longer-than-the-film"),
        pytest.param(edl_of(PAL, "03:00:00:00"), PAL, "frames after it", id="of-another-hour"),
        pytest.param(edl_of(PAL, "00:30:00:00"), PAL, "frames before it", id="of-an-earlier-hour"),
        pytest.param(edl_of(PAL, longs=[100]), PAL, "100 of the film's 300 frames", id="of-another-film"),
        pytest.param(edl_of(Fraction(30), longs=[29, 271]), PAL, "another rate", id="labels-of-another-rate"),
        pytest.param(edl_of(NTSC_30, "01:00:00;00", fcm="DROP FRAME"), PAL, "drop-frame", id="drop-frame-at-25"),
        pytest.param("", PAL, "no picture", id="empty"),
        pytest.param("TITLE: EP03\nFCM: NON-DROP FRAME\n", PAL, "no picture", id="no-event"),
        pytest.param(
            "001 A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:06:00\n"
            "002 B V C 00:00:00:00 00:00:02:00 01:00:05:00 01:00:12:00",
            PAL, "overlap by 25 frames", id="overlapping-events",
        ),
        pytest.param("001 A V C 00:00:00:00 00:00:02:00 01:00:06:00 01:00:02:00", PAL, "line 1 ends", id="backwards"),
        pytest.param("001 A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:00:00", PAL, "no picture", id="zero-length"),
        pytest.param("001 A V C 00:00:00:00 00:00:02:00 01:00:00:00 01:00:61:00", PAL, "line 1", id="no-such-second"),
        pytest.param(
            "001 A V C 00:00:00;02 00:00:02;00 01:00:00;00 01:01:00;01", NTSC_30, "does not exist", id="dropped-label"
        ),
        pytest.param("001 A V X 00:00:00:00 00:00:02:00 01:00:00:00 01:00:12:00", PAL, "no event", id="unknown-edit"),
    ],
)  # fmt: skip
def test_an_edl_that_does_not_fit_is_refused_with_the_place_or_the_numbers(
    tmp_path: Path, text: str, rate: Fraction, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        read(write(tmp_path, "ep03.edl", text), film_of(rate, "01:00:00:00"))
    assert "ep03.edl" in str(refused.value)


@pytest.mark.parametrize("kind", ["fcpxml", "xml", "otio", "aaf"])
def test_a_list_of_another_rate_is_refused_with_both(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"ep03.{kind}"
    if kind == "fcpxml":
        path.write_text(fcpxml_of(PAL, "01:00:00:00"))
    else:
        adapter = {"xml": "fcp_xml", "otio": "otio_json", "aaf": "AAF"}[kind]
        otio.adapters.write_to_file(timeline_of(PAL, "01:00:00:00"), str(path), adapter_name=adapter)
    with pytest.raises(Refused, match=r"cut at 25 .* has 23\.976"):
        read(path, film_of(FILM_24))


def test_a_film_of_no_steady_rate_takes_no_list(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no steady rate"):
        read(write(tmp_path, "ep03.edl", edl_of(PAL)), replace(film_of(PAL), steady=False))


def test_an_edl_of_24_is_one_of_23_976(tmp_path: Path) -> None:
    path = write(tmp_path, "ep03.edl", edl_of(Fraction(24)))
    assert edges(read(path, film_of(FILM_24)).cuts) == edges(read(path, film_of(Fraction(24))).cuts) == CUTS


# pyaaf2 1.7.1 leaves a file that it gives up on to the garbage collector.
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["edl", "aaf", "otio", "fcpxml", "xml"])
@pytest.mark.parametrize(
    "junk",
    [
        pytest.param(np.random.default_rng(7).bytes(20_000), id="noise"),
        pytest.param(b"\0" * 5000, id="zeros"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\1" * 3000, id="torn-compound-file"),
        pytest.param(b'{"OTIO_SCHEMA": "Clip.1"}', id="something-else"),
        pytest.param(b"[" * 100_000, id="nested-without-end"),
        pytest.param(b"<a>" * 100_000, id="markup-without-end"),
        pytest.param(b'<?xml version="1.0" encoding="UTF-1e999"?><fcpxml/>', id="unknown-encoding"),
    ],
)
def test_whatever_bears_the_name_of_a_list_is_read_or_refused(tmp_path: Path, kind: str, junk: bytes) -> None:
    path = tmp_path / f"ep03.{kind}"
    path.write_bytes(junk)
    with pytest.raises(Refused, match=f"ep03.{kind}"):
        read(path, film_of(PAL))


@pytest.mark.parametrize("name", ["ep03.xml", "ep03.fcpxml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_are_read(tmp_path: Path, name: str, encoding: str) -> None:
    bomb = '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">'
    text = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE xmeml [{bomb}]><xmeml version="5">&b;</xmeml>'
    (tmp_path / name).write_bytes(text.encode(encoding))
    with pytest.raises(Refused, match="entities"):
        read(tmp_path / name, film_of(PAL))


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        pytest.param('duration="1001/600s"', 'duration="1e999999999s"', "is no time", id="a-number-without-end"),
        pytest.param('duration="1001/600s"', 'duration="1/0s"', "is no time", id="divided-by-nothing"),
        pytest.param('lane="-1"', 'lane="up"', "is no lane", id="no-lane"),
        pytest.param('frameDuration="1001/24000s"', "", "no frameDuration", id="no-rate"),
        pytest.param("<project ", "<project><sequence/></project><project ", "2 projects", id="two-projects"),
    ],
)
def test_an_fcpxml_that_cannot_be_is_refused(tmp_path: Path, was: str, becomes: str, why: str) -> None:
    text = fcpxml_of(FILM_24, "01:00:00:00")
    assert was in text
    with pytest.raises(Refused, match=why):
        read(write(tmp_path, "ep03.fcpxml", text.replace(was, becomes, 1)), film_of(FILM_24))


def test_lists_that_are_no_files_or_of_no_known_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.edl").mkdir()
    for name, why in (("ep03.pdf", "EDL|edl"), ("folder.edl", "folder"), ("absent.edl", "no such file")):
        with pytest.raises(Refused, match=why):
            read(tmp_path / name, film_of(PAL))


def test_a_list_has_no_say_in_which_code_runs(tmp_path: Path) -> None:
    """An OTIO file may name schemas, linkers and effects as it likes: unknown ones are kept as words."""
    timeline = timeline_of(PAL, None)
    timeline.metadata["hooks"] = {"post_adapter_read": ["os.system"], "thing": otio.schema.MissingReference()}
    text = otio.adapters.write_to_string(timeline, "otio_json").replace("MissingReference.1", "os_system.1")
    assert "os_system.1" in text
    assert edges(read(write(tmp_path, "ep03.otio", text), film_of(PAL)).cuts) == CUTS
