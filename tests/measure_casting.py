"""Measures what listening and casting are worth on the synthetic episode; prints, and asserts nothing.

    python tests/measure_casting.py [SHARED]        about a minute of CPU

Truth: the episode's 20 shots of 3.008 s show one GRID speaker each and are heard to speak it. GRID's word times are
not in our copy, so a shot's speech is where silero VAD hears some, and it belongs to that shot's speaker.
Three questions: how wrong diarization is; how much of the film's speech ends at the face that says it; how much of the
dub ends at the character that it was made for. And one on two GRID clips side by side, of which one speaks.
"""

import csv
import os
import sys
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

HZ = 16_000
SHOT_S = Fraction(3008, 1000)
CUTS = [0, 75, 150, 225, 301, 376, 451, 526, 601, 677, 752, 827, 902, 977, 1053, 1128, 1203, 1278, 1353, 1429, 1504]


def main(shared: Path) -> None:
    from models.speech import vad
    from storage.catalog import Shot, Side
    from storage.film.probe import probe
    from tasks.cast import cast
    from tasks.listen import keep, listen, wave_of
    from tasks.look import look

    path = shared / "media/film/synthetic_episode_grid.mp4"
    with (path.with_name("synthetic_episode_grid.shots.csv")).open() as file:
        rows = list(csv.DictReader(file))
    film = probe(path)
    wave = wave_of(keep(path))
    truth = speech_by_shot(vad.speech(wave))
    shots = numbered([Shot(name=f"sh{10 * (n + 1):04}", start=a, end=CUTS[n + 1]) for n, a in enumerate(CUTS[:-1])])
    tracks = numbered(look.fn(film, shots).tracks)
    print(f"look: {len(tracks)} tracks in {len(shots)} shots")
    right = sum((track.style == "photoreal") == (rows[track.shot_id - 1]["kind"] == "real") for track in tracks)
    print(f"look: style right for {right} of {len(tracks)} tracks")

    speakers = [row["speaker"] for row in rows]
    other = dict(zip(sorted(set(speakers)), np.roll(sorted(set(speakers)), 1), strict=True))
    dubs = {
        "the film's own sound": wave,
        "the shots' sounds moved on by 7 shots": np.roll(wave, 7 * int(SHOT_S * HZ)),
        "each speaker dubbed by another": recast(wave, speakers, other),
    }
    for what, dub in dubs.items():
        with tempfile.TemporaryDirectory() as folder:
            soundfile.write(Path(folder) / "dub.wav", dub, HZ, subtype="PCM_16")
            heard = listen.fn(film, Path(folder) / "dub.wav", {})
        ids = numbered(list({id(turn.speaker): turn.speaker for turn in heard.turns}.values()))
        found = cast.fn(film, tracks, heard.turns, {name: sound.sha for name, sound in heard.speech.items()})
        print(f"\ndub: {what}; {len(ids)} voices, {len(found.characters)} characters")
        if dub is wave:
            for collar in (0.0, 0.5):
                rate, voices = diarization_error(truth, speakers, heard.turns, collar)
                print(
                    f"listen: DER {100 * rate:.1f} %, collar ±{collar / 2} s; {voices} voices for {len(set(speakers))}"
                )
        numbered(found.characters)
        owner = {track.shot_id - 1: face.character for track, face in zip(tracks, found.faces, strict=True)}
        total = bound = mine = 0
        whose = {turn.speaker.id: turn.speaker for turn in heard.turns}
        named = name_voices(truth, speakers, [t for t in heard.turns if t.speaker.side == Side.ORIGINAL])
        for n, ranges in enumerate(truth):
            spoken = sum(end - start for start, end in ranges)
            character = owner.get(n)
            total += spoken
            bound += spoken * (character is not None)
            if character is not None and character.original_id is not None:
                mine += spoken * (named.get(whose[character.original_id].name) == speakers[n])
        print(f"cast: {100 * bound / total:.1f} % of the film's speech (by time) has a face, and "
              f"{100 * mine / total:.1f} % the face of the speaker whose voice it mostly is")  # fmt: skip
        for n, face in enumerate(found.faces):
            if face.character is None or face.confidence < 0.6:
                print(
                    f"      sh{10 * (n + 1):04} {rows[n]['speaker']} {rows[n]['kind']}: {face.confidence:.2f} {face.reason}"
                )


def speech_by_shot(stretches: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Speech cut at the shots' edges; pieces under 50 ms are the VAD's padding of a neighbour."""
    shots = []
    for n in range(len(CUTS) - 1):
        first, last = int(n * SHOT_S * HZ), int((n + 1) * SHOT_S * HZ)
        pieces = [(max(a, first), min(b, last)) for a, b in stretches]
        shots.append([(a, b) for a, b in pieces if b - a > HZ // 20])
    return shots


def recast(wave: NDArray[np.float32], speakers: Sequence[str], other: dict[str, str]) -> NDArray[np.float32]:
    """Every shot spoken by the one who dubs its speaker, in his own words from elsewhere in the episode."""
    shot = int(SHOT_S * HZ)
    sounds = [wave[n * shot : (n + 1) * shot] for n in range(len(speakers))]
    used = dict.fromkeys(set(speakers), 0)
    out = []
    for speaker in speakers:
        own = [sound for sound, name in zip(sounds, speakers, strict=True) if name == other[speaker]]
        out.append(own[used[speaker] % len(own)])
        used[speaker] += 1
    return np.concatenate(out)


def diarization_error(truth, speakers, turns, collar: float) -> tuple[float, int]:  # type: ignore[no-untyped-def]
    """(DER as pyannote.metrics counts it, overlap scored, and how many voices were heard in the film)."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    from storage.catalog import Side

    said, heard = Annotation(uri="episode"), Annotation(uri="episode")
    for n, ranges in enumerate(truth):
        for start, end in ranges:
            said[Segment(start / HZ, end / HZ), (n, start)] = speakers[n]
    for n, turn in enumerate(turn for turn in turns if turn.speaker.side == Side.ORIGINAL):
        heard[Segment(turn.start_us / 1e6, turn.end_us / 1e6), n] = turn.speaker.name
    whole = Timeline([Segment(0, float(len(truth) * SHOT_S))])
    return float(DiarizationErrorRate(collar=collar)(said, heard, uem=whole)), len(heard.labels())


def name_voices(truth, speakers, turns) -> dict[str, str]:  # type: ignore[no-untyped-def]
    """Who each voice mostly is."""
    time: dict[tuple[str, str], int] = {}
    for turn in turns:
        for n, ranges in enumerate(truth):
            for start, end in ranges:
                common = min(end * 1_000_000 // HZ, turn.end_us) - max(start * 1_000_000 // HZ, turn.start_us)
                key = (turn.speaker.name, speakers[n])
                time[key] = time.get(key, 0) + max(0, common)
    return {voice: max((s for v, s in time if v == voice), key=lambda s: time[voice, s]) for voice, _ in time}


def numbered(rows):  # type: ignore[no-untyped-def]
    """Rows as the catalog would hand them out."""
    for n, row in enumerate(rows, start=1):
        row.id = n
    return rows


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["DUBLINE_HOME"] = home
        main(Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("DUBLINE_SHARED", "../shared")))
