"""What listening and casting are worth; prints, and asserts nothing. About two minutes of CPU.

Truth of the synthetic episode: each of its 20 shots of 3.008 s shows one GRID speaker, who is heard to speak. GRID's
word times are not in our copy, so a shot's speech is where silero VAD hears some, and it belongs to that shot's
speaker. Asked are: how wrong diarization is; how much of the film's speech ends at the face that says it; whether
characters get the dub voice that was made for them. Then two GRID clips side by side, of which one speaks.
"""

import csv
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import soundfile
from numpy.typing import NDArray

from models.speech import vad
from storage import artifacts
from storage.catalog import Shot, Side, Speaker, Turn
from storage.film.probe import probe
from storage.settings import settings
from tasks.cast import cast
from tasks.clock import microseconds
from tasks.listen import keep, listen, sound_of
from tasks.look import look
from tests.pairs import Other, side_by_side

HZ = 16_000
SHOT_S = Fraction(3008, 1000)
CUTS = [0, 75, 150, 225, 301, 376, 451, 526, 601, 677, 752, 827, 902, 977, 1053, 1128, 1203, 1278, 1353, 1429, 1504]

Wave = NDArray[np.float32]
Truth = list[list[tuple[int, int]]]  # by shot: where there is speech, in samples


def episode(path: Path) -> None:
    with path.with_name("synthetic_episode_grid.shots.csv").open() as file:
        rows = list(csv.DictReader(file))
    speakers = [row["speaker"] for row in rows]
    film, wave = probe(path), sound_of(keep(path))[:]
    truth = by_shot(vad.speech(wave))
    shots = numbered([Shot(name=f"sh{10 * (n + 1):04}", start=a, end=CUTS[n + 1]) for n, a in enumerate(CUTS[:-1])])
    tracks = numbered(look.fn(film, shots).tracks)
    right = sum((t.style == "photoreal") == (rows[t.shot_id - 1]["kind"] == "real") for t in tracks)
    print(f"look: {len(tracks)} tracks in {len(shots)} shots; style right for {right}")
    people = sorted(set(speakers))
    other = dict(zip(people, [people[-1], *people[:-1]], strict=True))
    dubs = {
        "the film's own sound": (wave, dict(zip(people, people, strict=True))),
        "the shots' sounds moved on by 7 shots": (np.roll(wave, 7 * int(SHOT_S * HZ)), {}),
        "each speaker dubbed by another": (recast(wave, speakers, other), other),
    }
    for what, (dub, dubber) in dubs.items():
        with tempfile.TemporaryDirectory() as folder:
            soundfile.write(Path(folder) / "dub.wav", dub, HZ, subtype="PCM_16")
            heard = listen.fn(film, Path(folder) / "dub.wav", {})
        numbered(list({id(turn.speaker): turn.speaker for turn in heard.turns}.values()))
        original = [turn for turn in heard.turns if turn.speaker.side == Side.ORIGINAL]
        found = cast.fn(film, tracks, heard.turns, {name: sound.sha for name, sound in heard.speech.items()})
        print(f"\ndub: {what}: {len(found.characters)} characters")
        if dub is wave:
            for collar in (0.0, 0.5):
                print(f"listen: DER {100 * error(truth, speakers, original, collar):.1f} % with ±{collar / 2} s collar")
        voice_of = whose_voice(truth, speakers, original)
        total = sum(end - start for ranges in truth for start, end in ranges)
        bound = mine = 0
        for track, face in zip(tracks, found.faces, strict=True):
            n = track.shot_id - 1
            spoken = sum(end - start for start, end in truth[n])
            if face.character is not None:
                bound += spoken
                mine += spoken * (voice_of.get(face.character.original_id or 0) == speakers[n])
        print(f"cast: {100 * bound / total:.1f} % of the speech has a face, {100 * mine / total:.1f} % the right one")
        if dubber:
            spoken_by = [dubber[speaker] for speaker in speakers]
            dub_of = whose_voice(truth, spoken_by, [turn for turn in heard.turns if turn.speaker.side == Side.DUB])
            fit = sum(dub_of.get(each.dub_id or 0) == dubber.get(voice_of.get(each.original_id or 0, ""))
                      for each in found.characters)  # fmt: skip
            print(f"cast: {fit} of {len(found.characters)} characters have the voice that was made for them")


def pairs(media: Path) -> None:
    people: dict[str, Path] = {}
    for clip in sorted([*media.glob("eval/grid_*.mp4"), *media.glob("train/grid_*.mp4")]):
        people.setdefault(clip.name.split("_")[1], clip)
    clips = list(people.values())
    for how in get_args(Other):
        verdicts: Counter[str] = Counter()
        for n, speaking in enumerate(clips):
            with tempfile.TemporaryDirectory() as folder:
                verdicts[pair(Path(folder), speaking, clips[(n + 5) % len(clips)], how, n % 2 == 0)] += 1
        print(f"side by side, the other {how}: {dict(verdicts)}")


def pair(folder: Path, speaking: Path, other: Path, how: Other, left: bool) -> str:
    try:
        sound = side_by_side(folder / "film.mp4", speaking, other, how, left)
    except (IndexError, ValueError):
        return "clips of different size or length, not asked"
    soundfile.write(folder / "speech.wav", sound, HZ)
    film, speaker = probe(folder / "film.mp4"), Speaker(side=Side.ORIGINAL, name="A", heard_by="vad")
    numbered([speaker])
    tracks = look.fn(film, numbered([Shot(name="sh0010", start=0, end=film.frames)])).tracks
    turns = [Turn(speaker, microseconds(start), microseconds(end)) for start, end in vad.speech(sound)]
    speech = artifacts.put(folder / "speech.wav", "speech", ".wav")
    found = cast.fn(film, tracks, turns, {"original": speech.sha})
    if not turns:
        return "no speech heard, not asked"
    bound = [
        bool(np.median(artifacts.arrays(track.geometry)["points"][:, 1, 0]) < film.width / 2)
        for track, face in zip(tracks, found.faces, strict=True)
        if face.character is not None
    ]
    return "nobody bound" if not bound else "right" if bound == [left] else "wrong"


def by_shot(stretches: Sequence[tuple[int, int]]) -> Truth:
    """Speech cut at the shots' edges; pieces under 50 ms are the VAD's padding of a neighbour."""
    shots = []
    for n in range(len(CUTS) - 1):
        first, last = int(n * SHOT_S * HZ), int((n + 1) * SHOT_S * HZ)
        pieces = [(max(a, first), min(b, last)) for a, b in stretches]
        shots.append([(a, b) for a, b in pieces if b - a > HZ // 20])
    return shots


def recast(wave: Wave, speakers: Sequence[str], other: dict[str, str]) -> Wave:
    """Every shot spoken by the one who dubs its speaker, in words from that one's own shots in turn."""
    shot = int(SHOT_S * HZ)
    used: Counter[str] = Counter()
    out = []
    for speaker in speakers:
        own = [n for n, name in enumerate(speakers) if name == other[speaker]]
        n = own[used[speaker] % len(own)]
        used[speaker] += 1
        out.append(wave[n * shot : (n + 1) * shot])
    return np.concatenate(out)


def error(truth: Truth, speakers: Sequence[str], turns: Sequence[Turn], collar: float) -> float:
    """DER as pyannote.metrics counts it, overlap scored."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    said, heard = Annotation(uri="episode"), Annotation(uri="episode")
    for n, ranges in enumerate(truth):
        for start, end in ranges:
            said[Segment(start / HZ, end / HZ), (n, start)] = speakers[n]
    for n, turn in enumerate(turns):
        heard[Segment(turn.start_us / 1e6, turn.end_us / 1e6), n] = turn.speaker.name
    whole = Timeline([Segment(0, float(len(truth) * SHOT_S))])
    return float(DiarizationErrorRate(collar=collar)(said, heard, uem=whole))


def whose_voice(truth: Truth, speakers: Sequence[str], turns: Sequence[Turn]) -> dict[int, str]:
    """By speaker id: who a voice mostly is."""
    time: dict[int, Counter[str]] = {}
    for turn in turns:
        for n, ranges in enumerate(truth):
            for start, end in ranges:
                common = min(microseconds(end), turn.end_us) - max(microseconds(start), turn.start_us)
                time.setdefault(turn.speaker.id, Counter())[speakers[n]] += max(0, common)
    return {voice: names.most_common(1)[0][0] for voice, names in time.items()}


def numbered(rows: list[Any]) -> list[Any]:
    """Rows as the catalog would hand them out."""
    for n, row in enumerate(rows, start=1):
        row.id = n
    return rows


def main(shared: Path) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["DUBLINE_HOME"] = home
        settings.cache_clear()
        episode(shared / "media/film/synthetic_episode_grid.mp4")
        print()
        pairs(shared / "media")
    settings.cache_clear()
