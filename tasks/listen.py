"""Listen: who speaks when, in the film's own sound and in the dub.

Promises: every sound is kept as a 16 kHz mono WAV whose sample 0 is the film's first frame, and is read from there
piece by piece; turns are in whole microseconds on the same clock; the same sounds give the same turns and the same
names, and one voice has one name over the whole film.
Deliberately not here: which voice of the dub belongs to which of the film (tasks/cast.py); words (tasks/transcript.py).
"""

import tempfile
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import count, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any, Final, TypeVar

import numpy as np
from prefect import task
from prefect.cache_policies import NO_CACHE

from models.speech import diarize, vad, weights
from models.speech.same import Voice
from models.speech.sound import HZ, Range
from storage import artifacts
from storage.catalog import Artifact, Side, Speaker, Turn
from storage.errors import Missing
from storage.film.probe import Film
from storage.film.read import Recording, recording, speech
from storage.settings import settings
from tasks.clock import microseconds
from tasks.misheard import put_right
from tasks.ranges import length, meet
from tasks.told import Told, read
from tasks.transcript import write_down
from tasks.voiceprints import TOLD, keep_prints, of_files, of_stems

KNOWN: Final = 0.5  # share of a dub voice's speech that the stems must hold for it to be one of theirs

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Heard:
    """What was heard."""

    turns: list[Turn]  # the film's first, then the dub's, each in the order they begin
    speech: dict[str, Artifact]  # by "original" (where the film has sound), "dub", and "stem " with the stem's name
    notes: dict[str, Any] = field(default_factory=dict)  # what told voices apart, versions, what was skipped and why
    beside: list[Artifact] = field(default_factory=list)  # what notes name by its sha: voice prints, words


def listen_to(
    film: Film, dub: Path, stems: Mapping[str, Path], speakers: Range | None = None, transcript: bool = False,
    told: Mapping[Side, Path] | None = None, leads: Mapping[str, int] | None = None,
) -> Heard:  # fmt: skip
    """The turns of both sides, in the order they begin.

    stems       dry dialogue by the character's name: each speaks for itself, and only voices in none are told apart
    speakers    fewest and most voices of a side, where somebody knows
    transcript  also write down the words and their language (DUBLINE_WHISPER)
    told        files that say who speaks in a side (tasks/told.py): nobody is told apart there by ear
    leads       by "dub" or "stem " with its name: samples of silence before it; negative: so many are cut off it
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
    leads = leads or {}
    for called, path in {"dub": dub, **{f"stem {name}": path for name, path in stems.items()}}.items():
        kept[called] = keep(path, leads.get(called, 0))
    sounds = {name: sound_of(artifact) for name, artifact in kept.items()}

    heard: dict[Side, dict[str, Voice]] = {side: {} for side in Side}  # by name, what is told apart by ear
    written = {side: read(path, int(film.duration * 1_000_000)) for side, path in (told or {}).items()}
    notes |= {f"told {side}": each.notes for side, each in written.items()}
    turns = []
    for side, each in written.items():
        spoken = vad.speech(sounds[side]) if each.to_be_read and side in sounds else []
        turns += turns_told(side, each, spoken)
    theirs = {turn.speaker.name for turn in turns if turn.speaker.side == Side.DUB}
    by_stem = {name: vad.speech(sounds[f"stem {name}"]) for name in stems if name not in theirs}
    turns += turns_of(Side.DUB, "stem", by_stem)

    how = "vad" if ears.folder is None and ears.pipeline is None else "diarization"
    alike = "original" in kept and kept["original"].sha == kept["dub"].sha
    original: list[Voice] = []
    by_ear = "original" in kept and Side.ORIGINAL not in written
    if by_ear:
        original = voices(Side.ORIGINAL, sounds, ears, speakers, notes)
        heard[Side.ORIGINAL] = named(original, ())
    if Side.DUB not in written:
        dubbed = original
        if by_ear and alike:
            notes["dub"] = "sample for sample the film's own sound, so its voices are the same"
        else:
            dubbed = voices(Side.DUB, sounds, ears, speakers, notes)
        others = [voice for voice in dubbed if share_in(voice.spoken, by_stem.values()) < KNOWN]
        heard[Side.DUB] = named(others, stems)
    for side, by_name in heard.items():
        turns += turns_of(side, how, {name: voice.spoken for name, voice in by_name.items()})
    turns, misheard = put_right(turns)
    if misheard:
        notes["voices of dub put right"] = (
            f"{misheard / 1_000_000:.1f} s were heard as a voice that is silent there in the film, and given to the "
            "one that is not"
        )
    known = {f"{side} {name}": voice.print for side, by_name in heard.items() for name, voice in by_name.items()}
    beside = keep_prints(known | of_stems(by_stem, sounds, ears) | of_files(turns, sounds, ears))
    if beside:
        notes["voice prints"] = beside[0].sha
    if transcript:
        said, words = write_down(turns, {side: sounds[side] for side in Side if side in sounds})
        notes |= said
        beside += words
    turns.sort(key=lambda turn: (turn.speaker.side != Side.ORIGINAL, turn.start_us))
    return Heard(turns, kept, notes, beside)


def keep(path: Path, lead: int = 0) -> Artifact:
    """The speech of a film, a dub or a stem, as an artifact; `lead` as in storage.film.read.speech."""
    with tempfile.TemporaryDirectory() as folder:
        return artifacts.put(speech(path, Path(folder) / "speech.wav", HZ, lead), "speech", ".wav")


def sound_of(artifact: Artifact) -> Recording:
    """The sound, to be read where it is sliced: −1 … 1 at 16 kHz."""
    return recording(artifacts.path(artifact.sha, artifact.suffix))


def voices(
    side: Side, sounds: Mapping[str, Recording], ears: weights.Weights, speakers: Range | None, notes: dict[str, Any]
) -> list[Voice]:
    """The voices of a side in the order they are first heard. Notes what is unlike what was expected."""
    try:
        found = diarize.diarize(sounds[side], ears, speakers)
    except weights.Unusable as unusable:
        raise Missing(f"The voices cannot be told apart: {unusable}.") from None
    if found.unvoiced:
        seconds = length(found.unvoiced) / HZ
        notes[f"no speech in {side}"] = (
            f"{len(found.unvoiced)} stretches, {seconds:.1f} s, sound like a voice and are none"
        )
    if not found.voices:
        notes[f"voices of {side}"] = "nobody is heard to speak"
    elif speakers and not speakers[0] <= len(found.voices) <= speakers[1]:
        notes[f"voices of {side}"] = f"{len(found.voices)} are heard, and {speakers[0]}–{speakers[1]} were asked for"
    return found.voices


def named(found: Iterable[T], taken: Container[str]) -> dict[str, T]:
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


@task(cache_policy=NO_CACHE)
def listen(
    film: Film, dub: Path, stems: Mapping[str, Path], speakers: Range | None = None, transcript: bool = False,
    told: Mapping[Side, Path] | None = None, leads: Mapping[str, int] | None = None,
) -> Heard:  # fmt: skip
    return listen_to(film, dub, stems, speakers, transcript, told, leads)
