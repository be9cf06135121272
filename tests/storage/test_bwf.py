"""The labels of Broadcast Waves: what storage/film/bwf.py promises."""

import struct
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
import soundfile

from storage.film.bwf import labels_of
from tests.broadcast import at, bext, label
from tests.shoot import draw_sound, tone, wrap

HOUR = 3600 * 48000
IXML = b"""<?xml version="1.0" encoding="UTF-8"?><BWFXML><PROJECT>The Night</PROJECT><SPEED>
<TIMESTAMP_SAMPLE_RATE>48048</TIMESTAMP_SAMPLE_RATE><TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>0</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_HI>
<TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO>172972800</TIMESTAMP_SAMPLES_SINCE_MIDNIGHT_LO></SPEED></BWFXML>"""


def test_every_label_of_a_broadcast_wave_is_read(tmp_path: Path) -> None:
    said = bext(HOUR, "Episode 3, German", "Desk 1", "A=PCM,F=48000,W=24,M=stereo,T=Desk 1\r\n")
    path = label(draw_sound(tmp_path / "a.wav", 1, channels=6), (b"bext", said), behind=((b"iXML", IXML + bytes(5)),))
    labels = labels_of(path)
    assert labels is not None
    assert (labels.bext["description"], labels.bext["originator"]) == ("Episode 3, German", "Desk 1")
    assert (labels.bext["originator_ref"], labels.bext["originator_date"]) == ("REF0001", "2026-11-22")
    assert labels.bext["coding_history"] == "A=PCM,F=48000,W=24,M=stereo,T=Desk 1\r\n"
    assert (labels.bext["loudness_value"], labels.bext["max_true_peak"]) == (-23.0, -1.25)
    assert labels.bext["umid"] == bytes(range(64)).hex()
    assert labels.ixml == IXML and not labels.damaged


@pytest.mark.parametrize(
    ("time", "hz", "seconds"),
    [
        pytest.param(HOUR, 48000, Fraction(3600), id="an-hour"),
        pytest.param(172972800, 48000, Fraction(36036, 10), id="an-hour-at-23.976"),
        pytest.param(44100 * 60 + 1, 44100, 60 + Fraction(1, 44100), id="a-sample-more-than-a-minute"),
        pytest.param(0, 48000, None, id="zero-says-nothing"),
        pytest.param(25 * HOUR, 48000, None, id="more-than-a-day"),
        pytest.param(2**63, 48000, None, id="absurd"),
        pytest.param(2**64 - 1, 48000, None, id="all-ones"),
    ],
)
def test_the_time_reference_is_seconds_since_midnight(
    tmp_path: Path, time: int, hz: int, seconds: Fraction | None
) -> None:
    labels = labels_of(at(draw_sound(tmp_path / "a.wav", 0.1, hz), time))
    assert labels is not None and labels.begins(hz) == seconds


def test_ixml_says_in_which_rate_its_time_counts(tmp_path: Path) -> None:
    labels = labels_of(label(draw_sound(tmp_path / "a.wav", 0.1), behind=((b"iXML", IXML),)))
    assert labels is not None and labels.begins(48000) == 3600


@pytest.mark.parametrize("form", ["rf64", "bw64"])
def test_big_files_are_read_like_small_ones(tmp_path: Path, form: str) -> None:
    small = at(draw_sound(tmp_path / "small.wav", 0.5, channels=2), HOUR)
    how = ["-c", "copy", "-write_bext", "1", "-rf64", "always", "-metadata", f"time_reference={HOUR}"]
    big = wrap(["-i", str(small), *how], tmp_path / "big.wav")
    if form == "bw64":
        big.write_bytes(b"BW64" + big.read_bytes()[4:])
    labels = labels_of(big)
    assert labels is not None and labels.begins(48000) == 3600


@pytest.mark.parametrize(
    ("chunk", "words"),
    [
        pytest.param((b"bext", bytes(100)), "bext", id="too-short"),
        pytest.param((b"bext", b""), "bext", id="empty"),
        pytest.param((b"bext", b"\xff" * 602), "", id="all-ones"),
        pytest.param((b"iXML", b"<BWFXML><unclosed"), "", id="xml-that-never-ends"),
    ],
)
def test_a_damaged_label_is_named_and_counts_as_none(tmp_path: Path, chunk: tuple[bytes, bytes], words: str) -> None:
    labels = labels_of(label(draw_sound(tmp_path / "a.wav", 0.1), chunk))
    assert labels is not None and words in labels.damaged and bool(words) == bool(labels.damaged)
    assert labels.begins(48000) is None


def test_a_chunk_that_promises_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = draw_sound(tmp_path / "a.wav", 0.1)
    whole = path.read_bytes()
    path.write_bytes(whole[:12] + b"bext" + struct.pack("<I", 0xF0000000) + whole[12:])
    tracemalloc.start()
    labels = labels_of(path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert labels is not None and "damaged" in labels.damaged and most < 1 << 20


def test_letters_beyond_ascii_are_read(tmp_path: Path) -> None:
    latin = bext(HOUR).replace(bytes(20), "Größe".encode("latin-1") + bytes(15), 1)
    for said, want in ((bext(HOUR, "Größe"), "Größe"), (latin, "Größe")):
        labels = labels_of(label(draw_sound(tmp_path / "a.wav", 0.1), (b"bext", said)))
        assert labels is not None and labels.bext["description"] == want


def test_what_is_no_broadcast_wave_bears_no_labels(tmp_path: Path) -> None:
    soundfile.write(str(tmp_path / "a.w64"), tone(0.1), 48000, format="W64")
    (tmp_path / "short").write_bytes(b"RIFF")
    (tmp_path / "empty").write_bytes(b"")
    cut = tmp_path / "never-finished.wav"  # a recorder that was switched off: behind the data lie samples, no chunks
    whole = draw_sound(cut, 0.1).read_bytes()
    where = whole.index(b"data") + 4
    cut.write_bytes(whole[:where] + bytes(4) + b"bext\x00\x00\x00\x00" * 100)
    for path in (tmp_path / "a.w64", draw_sound(tmp_path / "a.flac", 0.1), draw_sound(tmp_path / "plain.wav", 0.1)):
        assert labels_of(path) is None
    assert all(labels_of(tmp_path / name) is None for name in ("short", "empty", "never-finished.wav"))
