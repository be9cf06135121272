"""The transcript: languages, words, and whose they are."""

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from flows.heard import remarks
from models.speech import transcribe
from models.speech.transcribe import Word
from storage import artifacts
from storage.catalog import Side, Speaker, Turn
from storage.film.read import recording
from storage.settings import settings
from tasks.transcript import hand_out, keep_words, write_down
from tests.shoot import draw_sound

HZ = 16_000


def test_words_go_to_the_turn_they_were_said_in() -> None:
    a, b = (Speaker(side=Side.DUB, name=name, heard_by="diarization") for name in "AB")
    first, second = Turn(a, 0, 1_000_000), Turn(b, 800_000, 2_000_000)
    said = [(0, 8000, " Where"), (8000, 12000, " were"), (13600, 16000, " Home."), (40000, 41600, " Ah.")]
    hand_out([Word(*word) for word in said], [first, second])
    assert (first.text, second.text) == ("Where were", "Home. Ah.")


def test_words_far_from_every_turn_are_nobodys() -> None:
    turn = Turn(Speaker(side=Side.DUB, name="A", heard_by="vad"), 0, 1_000_000)
    said = [Word(0, 8000, " Where"), Word(HZ * 2 - 400, HZ * 2 + 200, " here"), Word(HZ * 3, HZ * 3 + 800, " Thanks")]
    assert hand_out(said, [turn]) == 1 and turn.text == "Where here"
    nobody: list[Turn] = []
    assert hand_out([], nobody) == 0


def test_words_are_kept_with_their_times(house: Path) -> None:
    kept = artifacts.arrays(keep_words([Word(1600, 3200, " Où"), Word(3200, 4800, " ça?")]).sha)
    assert kept["text"].tolist() == [" Où", " ça?"]
    assert kept["start_us"].tolist() == [100_000, 200_000] and kept["end_us"].tolist() == [200_000, 300_000]
    assert artifacts.arrays(keep_words([]).sha)["text"].shape == (0,)


class Whisper:
    """Hears one word a second into whatever it is given, and French where it is asked."""

    is_multilingual = True
    device = "cpu"
    dims = SimpleNamespace(n_mels=80)

    def __init__(self) -> None:
        self.heard: list[int] = []

    def transcribe(self, wave: NDArray[np.float32], language: str | None, **_: object) -> dict[str, Any]:
        self.heard.append(len(wave))
        return {"segments": [{"words": [{"start": 1.0, "end": 1.5, "word": f" {language}"}]}]}

    def detect_language(self, mel: object) -> tuple[object, dict[str, float]]:
        return None, {"fr": 0.75, "en": 0.25}


def test_only_speech_is_written_down_passage_by_passage_on_the_films_clock() -> None:
    net, long = Whisper(), 650 * HZ
    spoken = [(10 * HZ, 20 * HZ), (22 * HZ, 25 * HZ), (620 * HZ, 640 * HZ)]  # ten minutes of music between them
    words = transcribe.transcribe(net, np.zeros(long, np.float32), spoken, "fr")
    assert net.heard == [16 * HZ, 21 * HZ], "with half a second around them"
    assert [word.start for word in words] == [round(10.5 * HZ), round(620.5 * HZ)] and words[1].text == " fr"


def test_somebody_who_never_stops_is_written_down_in_passages_that_do_not_overlap() -> None:
    spoken = [(n * 10 * HZ, n * 10 * HZ + 9 * HZ) for n in range(240)]  # 40 minutes
    found = transcribe.passages(spoken, 2400 * HZ)
    assert all(a[1] <= b[0] for a, b in pairwise(found)) and max(b - a for a, b in found) <= 300 * HZ
    assert all(any(a <= start and end <= b for a, b in found) for start, end in spoken)


def test_each_side_has_its_language_and_its_words(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny.pt").touch()
    monkeypatch.setenv("DUBLINE_WHISPER", str(tmp_path / "tiny.pt"))
    settings.cache_clear()
    monkeypatch.setattr("models.speech.transcribe.opened", lambda checkpoint: Whisper())
    turns = [Turn(Speaker(side=side, name="A", heard_by="vad"), 500_000, 2_000_000) for side in Side]
    sounds = {side: recording(draw_sound(tmp_path / f"{side}.wav", 3, HZ)) for side in Side}
    notes, kept = write_down(turns, sounds)
    assert notes["languages"] == {"original": "fr", "dub": "fr"} and [turn.text for turn in turns] == ["fr", "fr"]
    assert set(notes["words"]) == {"original", "dub"} and {each.sha for each in kept} == set(notes["words"].values())
    assert remarks(notes) == ["languages: original fr, dub fr", "transcript: by Whisper, tiny.pt"]


def test_a_language_that_is_a_guess_has_a_question_mark(
    house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tiny.pt").touch()
    monkeypatch.setenv("DUBLINE_WHISPER", str(tmp_path / "tiny.pt"))
    settings.cache_clear()
    monkeypatch.setattr("models.speech.transcribe.opened", lambda checkpoint: Whisper())
    monkeypatch.setattr(Whisper, "detect_language", lambda self, mel: (None, {"fr": 0.4, "en": 0.3, "de": 0.3}))
    turn = Turn(Speaker(side=Side.DUB, name="A", heard_by="vad"), 0, 2_000_000)
    notes, _ = write_down([turn], {Side.DUB: recording(draw_sound(tmp_path / "dub.wav", 3, HZ))})
    assert notes["languages"] == {"dub": "fr?"} and turn.text == "fr"
