"""A sound moved against the film: what storage/film/place.py and the offset of storage/film/read.py promise."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from storage.film import place as placing
from storage.film.place import place
from storage.film.probe import probe_sound
from storage.film.read import speech
from tests.shoot import draw_sound, wrap

HZ = 48000


def noise(path: Path, samples: int, channels: int = 1, subtype: str = "PCM_24", hz: int = HZ) -> NDArray[np.float64]:
    """Every sample of every channel is another one, so a slip by one cannot hide. What the file then holds."""
    wave = np.random.default_rng(seed=channels).standard_normal((samples, channels)) * 0.2
    soundfile.write(str(path), wave, hz, subtype=subtype)
    return read(path)


def read(path: Path) -> NDArray[np.float64]:
    return np.asarray(soundfile.read(str(path), always_2d=True)[0])


@pytest.mark.parametrize("lead", [1, 700, 65537, -1, -777, -47999])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "PCM_U8"])
def test_the_samples_that_stay_are_the_same_and_the_rest_is_silence(tmp_path: Path, subtype: str, lead: int) -> None:
    before = noise(tmp_path / "dub.wav", HZ, 2, subtype)
    placed = place(probe_sound(tmp_path / "dub.wav"), lead, tmp_path / "placed.wav")
    after = read(placed.path)
    assert placed.samples == len(after) == HZ + lead
    assert np.array_equal(after[max(lead, 0) :], before[max(-lead, 0) :])
    assert not after[: max(lead, 0)].any()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dub.wav", "placed.wav"]


@pytest.mark.parametrize(
    ("channels", "layout"), [(1, "mono"), (2, "stereo"), (6, "5.1"), (6, "5.1(side)"), (8, "7.1"), (32, None)]
)
def test_channels_keep_their_order_and_their_names(tmp_path: Path, channels: int, layout: str | None) -> None:
    before = noise(tmp_path / "a.wav", 5000, channels)
    order = "|".join(map(str, range(channels)))
    how = ["-af", f"channelmap={order}:{layout}", "-c:a", "pcm_s24le"] if layout else ["-c", "copy"]
    dub = probe_sound(wrap(["-i", str(tmp_path / "a.wav"), *how], tmp_path / "dub.wav"))
    assert dub.layout == layout
    placed = place(dub, 300, tmp_path / "placed.wav")
    assert np.array_equal(read(placed.path)[300:], before)
    again = probe_sound(placed.path)
    assert (again.channels, again.layout, again.codec) == (channels, dub.layout, "pcm_s24le")


def test_every_form_of_a_studios_wave_can_be_moved(tmp_path: Path) -> None:
    before = noise(tmp_path / "a.wav", 9000, 2)
    forms: dict[str, list[str]] = {
        "rf64.wav": ["-c", "copy", "-rf64", "always"],
        "a.w64": ["-c", "copy"],
        "a.aiff": ["-c:a", "pcm_s24be"],
        "a.flac": ["-c:a", "flac"],
        "a.mov": ["-c", "copy"],
        "a.mka": ["-c", "copy"],
    }
    for name, how in forms.items():
        wrap(["-i", str(tmp_path / "a.wav"), *how], tmp_path / name)
    (tmp_path / "bw64.wav").write_bytes(b"BW64" + (tmp_path / "rf64.wav").read_bytes()[4:])
    for name in (*forms, "bw64.wav"):
        dub = probe_sound(tmp_path / name)
        assert (dub.samples, dub.channels) == (9000, 2), name
        assert np.array_equal(read(place(dub, -123, tmp_path / "placed.wav").path), before[123:]), name


def test_lossy_sound_is_moved_too(tmp_path: Path) -> None:
    draw_sound(tmp_path / "a.wav", 1, channels=2)
    dub = probe_sound(wrap(["-i", str(tmp_path / "a.wav"), "-c:a", "aac"], tmp_path / "a.m4a"))
    placed = place(dub, 480, tmp_path / "placed.wav")
    assert placed.samples == len(read(placed.path)) and not read(placed.path)[:480].any()


def test_silence_and_sound_of_any_length_take_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    laid: Any = placing._laid

    def watched(*given: Any) -> Iterator[bytes]:
        for block in laid(*given):
            written.append(len(block))
            yield block

    monkeypatch.setattr(placing, "_laid", watched)
    noise(tmp_path / "dub.wav", 5 * HZ, 2)
    place(probe_sound(tmp_path / "dub.wav"), 40 * HZ, tmp_path / "placed.wav")
    assert sum(written) == 45 * HZ * 6 and max(written) <= placing.BLOCK * 6


@pytest.mark.parametrize(
    "late", [Fraction(2), Fraction(-3, 2), Fraction(1001, 24000), Fraction(-1001, 24000), Fraction(1, 50)]
)
@pytest.mark.parametrize("hz", [48000, 44100])
def test_speech_is_heard_where_the_sound_is_laid(tmp_path: Path, late: Fraction, hz: int) -> None:
    """Sample 0 of the speech is the film's first frame: a click is heard there, to the millisecond."""
    wave = np.zeros((5 * hz, 2), np.int16)
    wave[2 * hz : 2 * hz + 48] = 20000
    soundfile.write(str(tmp_path / "dub.wav"), wave, hz)
    heard, rate = soundfile.read(str(speech(tmp_path / "dub.wav", tmp_path / "heard.wav", 16000, late)))
    loud = np.abs(heard) > 0.5 * np.abs(heard).max()
    assert rate == 16000
    assert abs(int(np.flatnonzero(loud)[0]) - float((2 + late) * 16000)) < 16
    assert abs(len(heard) - float((5 + late) * 16000)) <= 16
