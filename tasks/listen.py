"""Listen: who speaks when, in the film's own sound and in the dub.

Promises: every sound is kept as a 16 kHz mono WAV whose sample 0 is the film's first frame; turns are in whole
microseconds on the same clock; the same sounds give the same turns and the same names.
Deliberately not here: which voice of the dub belongs to which of the film (tasks/cast.py).
"""

import tempfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import count, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray
from prefect import task
from prefect.cache_policies import NO_CACHE

from models.speech import diarize, vad, weights
from models.speech.transcribe import Word, transcribe
from storage import artifacts
from storage.catalog import Artifact, Side, Speaker, Turn
from storage.errors import Missing
from storage.film.probe import Film
from storage.film.read import speech
from storage.settings import settings
from tasks.ranges import meet
from tasks.told import Told, read

HZ: Final = diarize.HZ
TOLD: Final = "file"  # who was told apart by what somebody has written down
KNOWN: Final = 0.5  # share of a dub voice's speech that the stems must hold for it to be one of theirs
Range = tuple[int, int]  # samples, half open


@dataclass(frozen=True, eq=False)
class Heard:
    """What was heard."""

    turns: list[Turn]  # the film's first, then the dub's, each in the order they begin
    speech: dict[str, Artifact]  # by "original" (where the film has sound), "dub", and "stem " with the stem's name
    notes: dict[str, Any] = field(default_factory=dict)  # what told voices apart, versions, what was skipped and why


def listen_to(
    film: Film, dub: Path, stems: Mapping[str, Path], speakers: Range | None = None, transcript: bool = False,
    told: Mapping[Side, Path] | None = None,
) -> Heard:  # fmt: skip
    """The turns of both sides, in the order they begin.

    stems       dry dialogue by the character's name: each speaks for itself, and only voices in none are told apart
    speakers    fewest and most voices of a side, where somebody knows
    transcript  also write down the words (DUBLINE_WHISPER)
    told        files that say who speaks in a side (tasks/told.py): nobody is told apart there by ear
    raises      Refused if a sound or such a file cannot be read; Missing if the networks' files are damaged
    """
    ears = weights.find(settings().weights)
    notes: dict[str, Any] = {
        "back_end": diarize.back_end(ears),
        "versions": {name: version(name) for name in ("pyannote.audio", "silero-vad", "openai-whisper")},
    }
    kept: dict[str, Artifact] = {}
    if film.sounds:
        kept["original"] = keep(film.path)
    else:
        notes["original"] = "the film has no sound, so nobody is heard in it"
    kept["dub"] = keep(dub)
    kept |= {f"stem {name}": keep(path) for name, path in stems.items()}

    written = {side: read(path, int(film.duration * 1_000_000)) for side, path in (told or {}).items()}
    notes |= {f"told {side}": each.notes for side, each in written.items()}
    turns = []
    for side, each in written.items():
        heard = vad.speech(wave_of(kept[side])) if each.to_be_read and side in kept else []
        turns += turns_told(side, each, heard)
    theirs = {turn.speaker.name for turn in turns if turn.speaker.side == Side.DUB}
    by_stem = {name: vad.speech(wave_of(kept[f"stem {name}"])) for name in stems if name not in theirs}
    turns += turns_of(Side.DUB, "stem", by_stem)

    how = "vad" if ears.folder is None and ears.pipeline is None else "diarization"
    original: dict[int, list[Range]] = {}
    by_ear = "original" in kept and Side.ORIGINAL not in written
    if by_ear:
        original = voices(kept["original"], ears, speakers)
        turns += turns_of(Side.ORIGINAL, how, named(original.values(), ()))
    if Side.DUB not in written:
        dubbed = original
        if by_ear and kept["original"].sha == kept["dub"].sha:
            notes["dub"] = "sample for sample the film's own sound, so its voices are the same"
        else:
            dubbed = voices(kept["dub"], ears, speakers)
        others = {name: ranges for name, ranges in dubbed.items() if share_in(ranges, by_stem.values()) < KNOWN}
        turns += turns_of(Side.DUB, how, named(others.values(), stems))
    if transcript:
        notes["transcript"] = write_down(turns, kept)
    return Heard(sorted(turns, key=lambda turn: (turn.speaker.side != Side.ORIGINAL, turn.start_us)), kept, notes)


def keep(path: Path) -> Artifact:
    """The speech of a film, a dub or a stem, as an artifact."""
    with tempfile.TemporaryDirectory() as folder:
        return artifacts.put(speech(path, Path(folder) / "speech.wav", HZ), "speech", ".wav")


def wave_of(artifact: Artifact) -> NDArray[np.float32]:
    """(N,) −1 … 1 at 16 kHz."""
    wave: NDArray[np.float32] = soundfile.read(artifacts.path(artifact.sha, artifact.suffix), dtype="float32")[0]
    return wave


def voices(sound: Artifact, ears: weights.Weights, speakers: Range | None) -> dict[int, list[Range]]:
    """Where each voice speaks, voices in the order they are first heard."""
    try:
        heard = diarize.diarize(wave_of(sound), ears, speakers)
    except weights.Unusable as unusable:
        raise Missing(f"The voices cannot be told apart: {unusable}.") from None
    found: dict[int, list[Range]] = {}
    for voice, start, end in heard:
        if end > start:
            found.setdefault(voice, []).append((start, end))
    return found


def named(found: Iterable[list[Range]], taken: Container[str]) -> dict[str, list[Range]]:
    """Voices called A, B, … in the order they are first heard; letters that a stem bears are left out."""
    letters = ("".join(letter) for length in count(1) for letter in product(ascii_uppercase, repeat=length))
    free = (name for name in letters if name not in taken)
    return dict(zip(free, found, strict=False))


def share_in(ranges: list[Range], others: Iterable[list[Range]]) -> float:
    """How much of this speech, 0 … 1, lies where one of the others speaks too."""
    last = max(end for _, end in ranges)
    spoken = np.zeros(last, bool)
    for start, end in (stretch for other in others for stretch in other):
        spoken[start:end] = True
    return float(sum(spoken[start:end].sum() for start, end in ranges) / sum(end - start for start, end in ranges))


def turns_of(side: Side, heard_by: str, found: Mapping[str, list[Range]]) -> list[Turn]:
    turns = []
    for name, ranges in found.items():
        speaker = Speaker(side=side, name=name, heard_by=heard_by)
        turns += [
            Turn(speaker=speaker, start_us=microseconds(start), end_us=microseconds(end)) for start, end in ranges
        ]
    return turns


def turns_told(side: Side, told: Told, heard: list[Range]) -> list[Turn]:
    """As somebody has written them down; each no longer than what is heard in it, if anything is."""
    speakers = {each.name: Speaker(side=side, name=each.name, heard_by=TOLD) for each in told.turns}
    spoken = [(microseconds(start), microseconds(end)) for start, end in heard]
    turns = []
    for each in told.turns:
        inside = meet([(each.start_us, each.end_us)], spoken) or [(each.start_us, each.end_us)]
        turns.append(Turn(speakers[each.name], inside[0][0], inside[-1][1], each.text or None))
    return turns


def microseconds(sample: int) -> int:
    """When a sample is heard, to the microsecond before it: 62.5 µs a sample."""
    return sample * 1_000_000 // HZ


def write_down(turns: list[Turn], kept: Mapping[str, Artifact]) -> str:
    """Give each turn its words; says what was done, or why not."""
    checkpoint = settings().whisper
    if checkpoint is None:
        return "skipped: DUBLINE_WHISPER names no Whisper checkpoint"
    if not checkpoint.is_file():
        raise Missing(f"DUBLINE_WHISPER names {checkpoint}, and there is no such file. Correct or unset it.")
    for side in Side:
        mine = [turn for turn in turns if turn.speaker.side == side]
        if mine:
            hand_out(transcribe(wave_of(kept[side.value]), checkpoint), mine)
    return f"by Whisper, {checkpoint.name}"


def hand_out(words: list[Word], turns: list[Turn]) -> None:
    """Each word to the turn its middle lies in, or the nearest; where two overlap, to the one that began later."""
    said: dict[int, list[str]] = {}
    for word in words:
        middle = microseconds((word.start + word.end) // 2)
        away = [max(turn.start_us - middle, middle - turn.end_us, 0) for turn in turns]
        nearest = min(range(len(turns)), key=lambda n: (away[n], -turns[n].start_us))
        said.setdefault(nearest, []).append(word.text)
    for number, texts in said.items():
        turns[number].text = "".join(texts).strip()


@task(cache_policy=NO_CACHE)
def listen(
    film: Film, dub: Path, stems: Mapping[str, Path], speakers: Range | None = None, transcript: bool = False,
    told: Mapping[Side, Path] | None = None,
) -> Heard:  # fmt: skip
    return listen_to(film, dub, stems, speakers, transcript, told)
