"""Listening: sounds in, turns on the film's clock out."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from models.speech.transcribe import Word
from models.speech.weights import find
from storage.catalog import Side, Speaker, Turn
from storage.errors import Missing
from storage.film.probe import probe
from storage.settings import settings
from tasks.listen import hand_out, listen, microseconds, named, share_in
from tests.shoot import PAL, draw_film, draw_sound, wrap

HZ = 16_000


@pytest.fixture(scope="module")
def talk() -> NDArray[np.float32]:
    """Two people for thirty seconds: pyannote's own sample. One of them speaks alone from 22 to 27.5 s."""
    if find().folder is None:
        pytest.skip("segmentation-3.0 and CAM++ are not here; `make setup` installs requirements-data.txt")
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None and spec.origin is not None
    wave: NDArray[np.float32] = soundfile.read(Path(spec.origin).parent / "sample/sample.wav", dtype="float32")[0]
    return wave


def test_a_films_own_sound_as_dub_is_heard_once(house: Path, tmp_path: Path, talk: NDArray[np.float32]) -> None:
    soundfile.write(tmp_path / "talk.wav", talk[15 * HZ :], HZ)
    silent = draw_film(tmp_path / "silent.mkv", 375, PAL)
    film = wrap(
        ["-i", str(silent), "-i", str(tmp_path / "talk.wav"), "-map", "0:v", "-map", "1:a", "-c", "copy"],
        tmp_path / "film.mkv",
    )
    heard = listen.fn(probe(film), film, {})
    times = {side: [(t.start_us, t.end_us, t.speaker.name) for t in heard.turns if t.speaker.side == side]
             for side in Side}  # fmt: skip
    assert times[Side.ORIGINAL] == times[Side.DUB] and heard.speech["original"].sha == heard.speech["dub"].sha
    assert {name for _, _, name in times[Side.DUB]} == {"A", "B"} and times[Side.DUB][0][2] == "A"
    assert times[Side.DUB] == sorted(times[Side.DUB]) and 0 <= times[Side.DUB][0][0] < times[Side.DUB][-1][1] <= 15e6
    assert heard.turns[0].speaker.heard_by == "diarization" and "same" in heard.notes["dub"]
    assert (
        heard.notes["back_end"] == "pyannote segmentation-3.0 + CAM++" and "pyannote.audio" in heard.notes["versions"]
    )


def test_a_films_own_sound_as_dub_is_heard_once_though_nobody_speaks_in_it(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    def nobody(sound: object, *_: object) -> dict[int, object]:
        heard.append(sound)
        return {}

    monkeypatch.setattr("tasks.listen.voices", nobody)
    film = draw_film(tmp_path / "film.mkv", 48, PAL, sound=2.0)
    assert "same" in listen.fn(probe(film), film, {}).notes["dub"] and len(heard) == 1


def test_stems_speak_for_themselves_and_only_the_others_are_told_apart(
    house: Path, tmp_path: Path, talk: NDArray[np.float32]
) -> None:
    alone = np.zeros_like(talk)
    alone[round(21.8 * HZ) : round(27.6 * HZ)] = talk[round(21.8 * HZ) : round(27.6 * HZ)]
    dub = np.concatenate([talk[11 * HZ : 14 * HZ], np.zeros(4 * HZ, np.float32), alone[18 * HZ :]])  # her, then him
    stem = np.concatenate([np.zeros(7 * HZ, np.float32), alone[18 * HZ :]])
    for name, wave in (("dub", dub), ("stem", stem)):
        soundfile.write(tmp_path / f"{name}.wav", wave, HZ)
    film = probe(draw_film(tmp_path / "silent.mkv", 48, PAL))
    heard = listen.fn(film, tmp_path / "dub.wav", {"A": tmp_path / "stem.wav"})
    assert set(heard.speech) == {"dub", "stem A"} and "no sound" in heard.notes["original"]
    assert all(turn.speaker.side == Side.DUB for turn in heard.turns)
    by = {turn.speaker.name: turn.speaker.heard_by for turn in heard.turns}
    assert by == {"A": "stem", "B": "diarization"}, "a letter that a stem bears is not given again"
    assert all(turn.start_us > 10_000_000 for turn in heard.turns if turn.speaker.name == "A")
    assert all(turn.end_us < 5_000_000 for turn in heard.turns if turn.speaker.name == "B")


def test_a_dub_in_which_nobody_speaks_has_no_turns(house: Path, tmp_path: Path) -> None:
    film = probe(draw_film(tmp_path / "silent.mkv", 48, PAL))
    heard = listen.fn(film, draw_sound(tmp_path / "tone.wav", 2, HZ), {}, None, True)
    assert heard.turns == [] and heard.notes["transcript"].startswith("skipped: DUBLINE_WHISPER")


def test_what_is_written_down_is_not_listened_for(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.listen.voices", lambda *_: pytest.fail("it listens"))
    (tmp_path / "film.json").write_text('[{"speaker": "ANNA", "start": 0.25, "end": 1.5, "text": "Well?"}]')
    (tmp_path / "dub.rttm").write_text("SPEAKER ep 1 0.3 1.1 <NA> <NA> Anna <NA> <NA>\n")
    sound = draw_sound(tmp_path / "tone.wav", 2, HZ)
    silent = draw_film(tmp_path / "silent.mkv", 48, PAL)
    film = wrap(
        ["-i", str(silent), "-i", str(sound), "-map", "0:v", "-map", "1:a", "-c", "copy"], tmp_path / "film.mkv"
    )
    told = {Side.ORIGINAL: tmp_path / "film.json", Side.DUB: tmp_path / "dub.rttm"}
    heard = listen.fn(probe(film), sound, {"Anna": sound}, told=told)
    assert [(t.speaker.name, t.speaker.side, t.start_us, t.end_us, t.text) for t in heard.turns] == [
        ("ANNA", Side.ORIGINAL, 250_000, 1_500_000, "Well?"), ("Anna", Side.DUB, 300_000, 1_400_000, None),
    ]  # fmt: skip
    assert set(heard.speech) == {"original", "dub", "stem Anna"}
    assert heard.notes["told dub"] == "1 turns of 1 speakers from dub.rttm"


def test_a_subtitle_lasts_no_longer_than_what_is_heard_while_it_stands(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.speech.vad.speech", lambda wave: [(0, 8_000), (12_800, 16_000), (17_600, 19_200)])
    cues = "1\n00:00:00,250 --> 00:00:01,050\nANNA: Well? Well?\n\n2\n00:00:01,300 --> 00:00:01,900\nBERT: No.\n"
    (tmp_path / "dub.srt").write_text(cues)
    film = probe(draw_film(tmp_path / "silent.mkv", 48, PAL))
    sound = draw_sound(tmp_path / "tone.wav", 2, HZ)
    heard = listen.fn(film, sound, {}, told={Side.DUB: tmp_path / "dub.srt"})
    assert [(t.speaker.name, t.start_us, t.end_us) for t in heard.turns] == [
        ("ANNA", 250_000, 1_000_000), ("BERT", 1_300_000, 1_900_000),
    ]  # fmt: skip


def test_a_whisper_that_is_not_there_is_missing(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUBLINE_WHISPER", str(tmp_path / "base.pt"))
    settings.cache_clear()
    film = probe(draw_film(tmp_path / "silent.mkv", 48, PAL))
    with pytest.raises(Missing, match="no such file"):
        listen.fn(film, draw_sound(tmp_path / "tone.wav", 2, HZ), {}, None, True)


def test_times_are_whole_microseconds() -> None:
    assert [microseconds(n) for n in (0, 1, 2, 16_000, 57_600_000 + 1)] == [0, 62, 125, 1_000_000, 3_600_000_062]


def test_voices_are_lettered_past_z_and_around_the_stems() -> None:
    names = list(named([[(0, 1)]] * 28, {"B"}))
    assert names[:2] == ["A", "C"] and names[24:] == ["Z", "AA", "AB", "AC"]


def test_how_much_of_a_voice_the_stems_hold() -> None:
    assert share_in([(0, 10), (20, 30)], [[(5, 22)], [(40, 50)]]) == pytest.approx(7 / 20)
    assert share_in([(0, 10)], []) == 0


def test_words_go_to_the_turn_they_were_said_in() -> None:
    a, b = (Speaker(side=Side.DUB, name=name, heard_by="diarization") for name in "AB")
    first, second = Turn(a, 0, 1_000_000), Turn(b, 800_000, 2_000_000)
    said = [(0, 8000, " Where"), (8000, 12000, " were"), (13600, 16000, " Home."), (40000, 41600, " Ah.")]
    hand_out([Word(*word) for word in said], [first, second])
    assert (first.text, second.text) == ("Where were", "Home. Ah.")
