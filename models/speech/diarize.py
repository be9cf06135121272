"""Who speaks when, over a whole film: stretch by stretch, each voice known again in all of them.

On whatever networks this machine has, in this order: a whole pyannote pipeline that the user was given access to
(community-1); segmentation-3.0 with CAM++ voices; silero VAD, which hears speech but takes everybody for one speaker.
`back_end` says which it will be.

Promises: the same sound gives the same turns; memory does not grow with the sound; one person has one number from the
first minute to the last; what the VAD hears no speech in is nobody's turn.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from models.speech import vad
from models.speech.pipeline import THRESHOLD, assembled, quiet, whole
from models.speech.prints import network, print_of
from models.speech.same import Voice, joined
from models.speech.sound import HZ as HZ
from models.speech.sound import LONGEST, Range, Sound, stretches
from models.speech.weights import Weights

SLIVER: Final = HZ // 4  # samples: what the VAD never calls speech, however it sounds


class Heard(NamedTuple):
    """One stretch of one voice. Voices are numbered by their first appearance; samples at 16 kHz, half open."""

    voice: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Voices:
    """Who was heard in a sound."""

    voices: list[Voice]  # in the order they are first heard; without CAM++ they have no prints
    unvoiced: list[Range]  # a quarter of a second and more that only the VAD hears no speech in: music, effects

    @property
    def turns(self) -> list[Heard]:
        """In the order they begin; those of two voices may overlap."""
        turns = [Heard(n, start, end) for n, each in enumerate(self.voices) for start, end in each.spoken]
        return sorted(turns, key=lambda turn: (turn.start, turn.end))


def back_end(weights: Weights) -> str:
    """The name of what `diarize` will use."""
    if weights.pipeline is not None:
        return f"pyannote pipeline {weights.pipeline.name}"
    return "pyannote segmentation-3.0 + CAM++" if weights.folder is not None else "silero VAD, one speaker"


def diarize(sound: Sound, weights: Weights, speakers: Range | None = None, longest: int = LONGEST) -> Voices:
    """The voices of a sound.

    sound     (N,) −1 … 1 at 16 kHz, an array or something that is read as it is sliced
    speakers  fewest and most voices, where somebody knows
    longest   samples of a stretch. A pipeline without CAM++ beside it hears the whole sound at once, for nothing
              would know its voices again
    raises    Unusable if a network's file is not the known one, or is code
    source    pyannote.audio 4.0 SpeakerDiarization (Bredin, Interspeech 2023), agglomerative clustering
    """
    spoken = vad.speech(sound)
    if weights.pipeline is None and weights.folder is None:
        return Voices([Voice(spoken, None)] if spoken else [], [])
    if weights.folder is None:
        longest = max(longest, len(sound))
    pieces = [piece for piece in stretches(len(sound), spoken, longest) if meets(piece, spoken)]
    fewest, most = speakers or (1, None)
    bounds = {"min_speakers": fewest if len(pieces) == 1 else 1, "max_speakers": most}
    found: list[Voice] = []
    if pieces:  # clustering nobody ends in an error
        with quiet():
            pipeline = whole(weights.pipeline) if weights.pipeline is not None else assembled(weights)
            pipeline.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
            for piece in pieces:
                found += heard(pipeline, sound, piece, bounds)
            if weights.pipeline is not None and weights.folder is not None:  # its own prints are of another kind
                net = network(weights)
                found = [replace(each, print=print_of(net, sound, each.spoken)) for each in found]
    unvoiced = sorted(
        turn for each in found for turn in each.spoken if not meets(turn, spoken) and turn[1] - turn[0] >= SLIVER
    )
    voiced = [replace(each, spoken=[turn for turn in each.spoken if meets(turn, spoken)]) for each in found]
    voices = joined([each for each in voiced if each.spoken], THRESHOLD, fewest, most) if len(pieces) > 1 else voiced
    whole_turns = [replace(each, spoken=healed(each.spoken)) for each in voices if each.spoken]
    return Voices(sorted(whole_turns, key=lambda each: each.spoken[0]), unvoiced)


def heard(pipeline: Any, sound: Sound, piece: Range, bounds: Mapping[str, int | None]) -> list[Voice]:
    """The voices of a piece, in samples of the whole sound, with the pipeline's own prints."""
    start, end = piece
    wave = torch.from_numpy(np.ascontiguousarray(sound[start:end]))[None]
    out = pipeline({"waveform": wave, "sample_rate": HZ, "uri": "film"}, **bounds)
    voices = []
    for row, name in enumerate(out.speaker_diarization.labels()):
        times = [(turn.start, turn.end) for turn in out.speaker_diarization.label_timeline(name)]
        turns = [(start + max(0, round(a * HZ)), min(end, start + round(b * HZ))) for a, b in times]
        vector = None if out.speaker_embeddings is None else np.asarray(out.speaker_embeddings[row], np.float32)
        known = vector is not None and np.isfinite(vector).all() and vector.any()
        voices.append(Voice([(a, b) for a, b in turns if a < b], vector if known else None))
    return voices


def healed(turns: Sequence[Range]) -> list[Range]:
    """Turns of one voice, rising, those that touch made one."""
    whole: list[Range] = []
    for start, end in turns:
        if whole and start <= whole[-1][1]:
            start, end = whole[-1][0], max(end, whole.pop()[1])
        whole.append((start, end))
    return whole


def meets(turn: Range, spoken: Sequence[Range]) -> bool:
    """Whether any of the stretches, which rise, has a sample in common with the turn."""
    after = bisect_right(spoken, turn[0], key=lambda each: each[1])
    return after < len(spoken) and spoken[after][0] < turn[1]
