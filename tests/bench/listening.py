"""What listening is worth and what it costs; prints, and asserts nothing. About seven minutes of CPU.

Made dialogues: six people of GRID, their sentences at random with pauses of 0.1 … 2 s, so the same voices come back
over the whole film. Where in a clip its sentence lies nobody has written down; so what is asked there is not the error
rate, but how much of what is heard in a clip was given to another voice than the rest of its speaker's.

Each figure of cost is of a process of its own: `python -m tests.bench.listening WAV BACK_END` prints it.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from models.speech import diarize, vad
from models.speech.pipeline import assembled, quiet
from models.speech.prints import Print
from models.speech.weights import Weights, find
from storage.catalog import Side, Speaker, Turn
from storage.film.read import recording, speech
from tasks.clock import microseconds
from tests.bench import casting
from tests.noises import NOISES

HZ: Final = 16_000
PEOPLE: Final = ("s1", "s2", "s3", "s4", "s5", "s30")
MINUTES: Final = (10, 40)
BACK_ENDS: Final[dict[str, Callable[[], Weights]]] = {"networks": find, "vad": Weights}

Wave = NDArray[np.float32]
Clips = list[tuple[str, int, int]]  # who, from sample, to sample


def dialogue(media: Path, minutes: float, to: Path) -> Clips:
    """A WAV of that length, and whose clip lies where."""
    rng, said = np.random.default_rng(3), []
    bank = {name: [_sound(clip) for clip in sorted(media.glob(f"train/grid_{name}_*.mp4"))[:14]] for name in PEOPLE}
    wave, at = np.zeros(round(minutes * 60 * HZ), np.float32), HZ // 2
    while True:
        name = PEOPLE[rng.integers(len(PEOPLE))]
        clip = bank[name][rng.integers(len(bank[name]))] * rng.uniform(0.6, 1.0)
        if at + len(clip) >= len(wave):
            break
        wave[at : at + len(clip)] = clip
        said.append((name, at, at + len(clip)))
        at += len(clip) + round(rng.choice([0.1, 0.3, 0.8, 2.0]) * HZ)
    soundfile.write(to, wave, HZ, subtype="PCM_16")
    return said


def costs(media: Path) -> None:
    print("dialogue of six | back end | voices | given to another voice | CPU-s a minute | peak of the process, MiB")
    with tempfile.TemporaryDirectory() as folder:
        for minutes in MINUTES:
            said = dialogue(media, minutes, Path(folder) / "film.wav")
            for name in BACK_ENDS:
                command = [sys.executable, "-m", "tests.bench.listening", str(Path(folder) / "film.wav"), name]
                ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
                cost = json.loads(ended.stdout)
                other = f"{100 * strayed(said, cost['turns']):.1f} %" if name == "networks" else "not asked"
                print(
                    f"{minutes} min | {cost['back end']} | {cost['voices']} | {other} | "
                    f"{cost['cpu'] / minutes:.1f} | {cost['peak']:.0f}"
                )


def cost(wav: Path, back_end: str) -> dict[str, Any]:
    """Of this process, which has done nothing else."""
    weights = BACK_ENDS[back_end]()
    began = time.process_time()
    heard = diarize.diarize(recording(wav), weights)
    return {
        "back end": diarize.back_end(weights),
        "voices": len(heard.voices),
        "cpu": time.process_time() - began,
        "peak": _peak(),
        "turns": heard.turns,
    }


def _peak() -> float:
    """MiB. Not getrusage: what a process was before it became another program counts there too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def strayed(said: Clips, turns: list[list[int]]) -> float:
    """The share of what is heard in the clips that is not the voice of most of its speaker's clips."""
    spoken = np.full(max([end for *_, end in said] + [end for *_, end in turns]), -1, np.int16)
    for voice, start, end in turns:
        spoken[start:end] = voice
    by: dict[str, Counter[int]] = {}
    for name, start, end in said:
        found, samples = np.unique(spoken[start:end], return_counts=True)
        by.setdefault(name, Counter()).update(
            {int(voice): int(n) for voice, n in zip(found, samples, strict=True) if voice >= 0}
        )
    heard = sum(voices.total() for voices in by.values())
    return 1 - sum(voices.most_common(1)[0][1] for voices in by.values()) / heard


def errors(shared: Path) -> None:
    """DER, overlap scored, ±0.25 s around each edge not counted."""
    spec = importlib.util.find_spec("pyannote.audio")
    assert spec is not None and spec.origin is not None
    sample = Path(spec.origin).parent / "sample"
    wave: Wave = soundfile.read(sample / "sample.wav", dtype="float32")[0]
    lines = [line.split() for line in (sample / "sample.rttm").read_text().splitlines()]
    with quiet():
        from pyannote.core import Annotation, Segment, Timeline
        from pyannote.metrics.diarization import DiarizationErrorRate
    said, found = Annotation(uri="sample"), Annotation(uri="sample")
    for start, long, name in ((float(words[3]), float(words[4]), words[7]) for words in lines):
        said[Segment(start, start + long), start] = name
    heard = diarize.diarize(wave, find())
    for n, (voice, first, last) in enumerate(heard.turns):
        found[Segment(first / HZ, last / HZ), n] = str(voice)
    rate = DiarizationErrorRate(collar=0.5)(said, found, uem=Timeline([Segment(0, len(wave) / HZ)]))
    print(f"pyannote's sample (30 s, 2 people): DER {100 * rate:.1f} %, {len(heard.voices)} voices")
    film = shared / "media/film/synthetic_episode_grid.mp4"
    names = [line.split(",") for line in film.with_name("synthetic_episode_grid.shots.csv").read_text().split()]
    speakers = [row[names[0].index("speaker")] for row in names[1:]]
    wave = _sound(film)
    rows = [Speaker(side=Side.ORIGINAL, name=str(n), heard_by="diarization") for n in range(40)]
    heard = diarize.diarize(wave, find())
    turns = [Turn(rows[voice], microseconds(start), microseconds(end)) for voice, start, end in heard.turns]
    der = casting.error(casting.by_shot(vad.speech(wave)), speakers, turns, 0.5)
    people = len(set(speakers))
    print(
        f"synthetic episode ({len(wave) / HZ:.0f} s, {people} people): DER {100 * der:.1f} %, "
        f"{len(heard.voices)} voices"
    )


def known_again(media: Path) -> None:
    """Prints of the same six in two films, heard apart: how near are the same, how near are others?"""
    by_film: list[dict[str, Print]] = []
    with tempfile.TemporaryDirectory() as folder:
        said = dialogue(media, 6, Path(folder) / "film.wav")
        wave = recording(Path(folder) / "film.wav")[:]
    for first, last in ((0, 3 * 60 * HZ), (3 * 60 * HZ, 6 * 60 * HZ)):
        named: dict[str, Print] = {}
        for voice in diarize.diarize(wave[first:last], find()).voices:
            time_of = Counter[str]()
            for name, start, end in said:
                time_of[name] += sum(max(0, min(end - first, b) - max(start - first, a)) for a, b in voice.spoken)
            if voice.print is not None:
                named[time_of.most_common(1)[0][0]] = voice.print / np.linalg.norm(voice.print)
        by_film.append(named)
    one, other = by_film
    same = [float(one[name] @ other[name]) for name in one if name in other]
    apart = [float(one[a] @ other[b]) for a in one for b in other if a != b]
    print(f"voice prints of two films of 3 min: the same person's cosine {min(same):.2f} … {max(same):.2f}, "
          f"another's {min(apart):.2f} … {max(apart):.2f} ({len(same)} and {len(apart)} pairs)")  # fmt: skip


def noises() -> None:
    with quiet():
        pipeline = assembled(find())
    for name, noise in NOISES.items():
        wave = noise(30)
        with quiet():
            voiced = sum(each.samples for each in diarize.heard(pipeline, wave, (0, len(wave)), {"min_speakers": 1}))
        detected = sum(end - start for start, end in vad.speech(wave))
        print(f"{name}, 30 s: the VAD takes {detected / HZ:.1f} s for speech, segmentation-3.0 {voiced / HZ:.1f} s")


def _sound(clip: Path) -> Wave:
    with tempfile.TemporaryDirectory() as folder:
        return recording(speech(clip, Path(folder) / "speech.wav"))[:]


def main(shared: Path) -> None:
    errors(shared)
    print()
    costs(shared / "media")
    print()
    known_again(shared / "media")
    print()
    noises()


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    print(json.dumps(cost(Path(sys.argv[1]), sys.argv[2])))
