"""A sound moved against the film: what storage/film/place.py and the offset of storage/film/read.py promise."""

from collections.abc import Iterator
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


@pytest.mark.parametrize("lead", [96000, -72000, 2002, -2002, 1, -1, 7])
@pytest.mark.parametrize("form", ["wav", "mka", "m4a"])
def test_what_is_listened_to_is_what_will_be_laid_in(tmp_path: Path, lead: int, form: str) -> None:
    """Sample 0 of the speech is the film's first frame; not even what was cut off can be heard in it."""
    noise(tmp_path / "a.wav", 3 * HZ, 2)
    how = ["-c:a", "aac"] if form == "m4a" else ["-c", "copy"]
    dub = wrap(["-i", str(tmp_path / "a.wav"), *how], tmp_path / f"dub.{form}")
    heard = read(speech(dub, tmp_path / "heard.wav", 16000, lead))
    placed = place(probe_sound(dub), lead, tmp_path / "placed.wav")
    laid = read(speech(placed.path, tmp_path / "laid.wav", 16000))
    if form == "m4a" or 0 < lead < 48:  # a resampler closes no gap of less than a millisecond
        assert abs(len(heard) - len(laid)) <= 16
        heard, laid = heard[: len(laid)], laid[: len(heard)]
        heavy = np.abs(np.fft.irfft(np.fft.rfft(heard[:, 0]) * np.conj(np.fft.rfft(laid[:, 0]))))
        shift = int(np.argmax(heavy))
        assert min(shift, len(heavy) - shift) <= 16
        return
    assert np.array_equal(heard, laid)
