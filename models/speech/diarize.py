"""Who speaks when: pyannote's diarization, on whatever networks this machine has.

In this order: a whole pyannote pipeline that the user was given access to (community-1); segmentation-3.0 with CAM++
voices; silero VAD, which hears speech but takes everybody for one speaker. `back_end` says which it will be.

Promises: the same sound gives the same turns. Nothing is downloaded, nothing is reported to anyone, no code in a
checkpoint runs, and no file name ever reaches pyannote (its own decoder needs FFmpeg's libraries).
"""

import dataclasses
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from models.speech import vad
from models.speech.campplus import MELS, VOICE, CamPlusPlus
from models.speech.torchaudio_cpu import ensure_torchaudio
from models.speech.weights import SEGMENTATION, VOICES, Unusable, Weights

HZ: Final = vad.HZ
SHORTEST: Final = 4_800  # samples: CAM++ is not asked about less than 0.3 s
SECONDS: Final = 5.0  # a window, not the 10 s of training: a window knows three voices, and films change them quickly
STEP: Final = 0.25  # of a window
CLUSTERING: Final = {"method": "average", "min_cluster_size": 3, "threshold": 0.57}  # cosine distance; .52 … .62 agree
FORCE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # torch's own switch; it wins over pyannote's weights_only=False


class Heard(NamedTuple):
    """One stretch of one voice. Voices are numbered by their first appearance; samples at 16 kHz, half open."""

    voice: int
    start: int
    end: int


def back_end(weights: Weights) -> str:
    """The name of what `diarize` will use."""
    if weights.pipeline is not None:
        return f"pyannote pipeline {weights.pipeline.name}"
    return "pyannote segmentation-3.0 + CAM++" if weights.folder is not None else "silero VAD, one speaker"


def diarize(wave: NDArray[np.float32], weights: Weights, speakers: tuple[int, int] | None = None) -> list[Heard]:
    """Stretches of speech in the order they begin; two voices may overlap.

    wave      (N,) −1 … 1 at 16 kHz
    speakers  fewest and most voices, where somebody knows
    raises    Unusable if a network's file is not the known one, or is code
    source    pyannote.audio 4.0 SpeakerDiarization (Bredin, Interspeech 2023), agglomerative clustering
    """
    if weights.pipeline is None and weights.folder is None:
        return [Heard(0, start, end) for start, end in vad.speech(wave)]
    if not vad.speech(wave):  # clustering nobody ends in an error, and music is not a voice
        return []
    bounds = {} if speakers is None else {"min_speakers": speakers[0], "max_speakers": speakers[1]}
    with quiet():
        pipeline = whole(weights.pipeline) if weights.pipeline is not None else assembled(weights)
        pipeline.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
        sound = {"waveform": torch.from_numpy(np.ascontiguousarray(wave))[None], "sample_rate": HZ, "uri": "film"}
        found = pipeline(sound, **bounds).speaker_diarization
    stretches = sorted((turn.start, turn.end, name) for turn, _, name in found.itertracks(yield_label=True))
    voices: dict[str, int] = {}
    return [
        Heard(voices.setdefault(name, len(voices)), max(0, round(start * HZ)), min(len(wave), round(end * HZ)))
        for start, end, name in stretches
    ]


def assembled(weights: Weights) -> Any:
    """pyannote's pipeline on segmentation-3.0 and CAM++."""
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    net = CamPlusPlus()
    net.load_state_dict(torch.load(weights.known(VOICES), map_location="cpu", weights_only=True))
    with weights_only():
        segmentation: Any = Model.from_pretrained(weights.known(SEGMENTATION))
    segmentation.specifications = dataclasses.replace(segmentation.specifications, duration=SECONDS)
    pipeline = SpeakerDiarization(
        segmentation=segmentation,
        segmentation_step=STEP,
        segmentation_batch_size=8,
        embedding=voice_model(net),
        embedding_batch_size=8,
        embedding_exclude_overlap=True,
        clustering="AgglomerativeClustering",
        plda=PLDA.__new__(PLDA),  # 4.0.7 wants one though this clustering never looks at it
    )
    return pipeline.instantiate({"segmentation": {"min_duration_off": 0.0}, "clustering": CLUSTERING})


def whole(folder: Path) -> Any:
    """The user's own pipeline. Its config may name only pyannote's diarization, and only files beside it."""
    import yaml
    from pyannote.audio import Pipeline

    wanted = yaml.safe_load((folder / "config.yaml").read_text())["pipeline"]
    if wanted["name"] != "pyannote.audio.pipelines.SpeakerDiarization":
        raise Unusable(f"{folder}/config.yaml asks for {wanted['name']}; only local diarization is run")
    for part in ("segmentation", "embedding", "plda"):
        if not str(wanted["params"].get(part, "$model/")).startswith("$model/"):
            raise Unusable(
                f"{folder}/config.yaml takes its {part} from {wanted['params'][part]}; nothing is downloaded"
            )
    try:
        with weights_only():
            return Pipeline.from_pretrained(folder)
    except pickle.UnpicklingError as error:
        raise Unusable(f"a checkpoint in {folder} holds more than tensors: {error}") from None


def voice_model(net: CamPlusPlus) -> Any:
    """CAM++ as pyannote wants its `embedding`."""
    import torchaudio.compliance.kaldi as kaldi
    from pyannote.audio import Model
    from pyannote.audio.core.task import Problem, Resolution, Specifications

    class Voice(Model):
        dimension = VOICE

        def __init__(self) -> None:
            super().__init__(sample_rate=HZ, num_channels=1)
            self.net = net.eval()
            self.specifications = Specifications(
                problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0
            )

        def forward(self, waveforms: Tensor, weights: Tensor | None = None, **_: Any) -> Tensor:
            """(B, 1, N) and masks (B, M) → (B, 192); a row of NaN, which pyannote skips, for too little speech."""
            voices = []
            for row, wave in enumerate(waveforms[:, 0]):
                if weights is not None:
                    wave = wave[F.interpolate(weights[row][None, None].float(), size=len(wave))[0, 0] > 0.5]
                if len(wave) < SHORTEST:
                    voices.append(torch.full((VOICE,), torch.nan, device=waveforms.device))
                    continue
                mel = kaldi.fbank(wave[None], num_mel_bins=MELS, sample_frequency=HZ, dither=0.0)
                voices.append(self.net((mel - mel.mean(0, keepdim=True))[None])[0])
            return torch.stack(voices)

    return Voice()


@contextmanager
def quiet() -> Iterator[None]:
    """pyannote without its telemetry, its downloads, and three warnings that concern nobody here."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # read at import; on by default since pyannote.audio 4
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    ensure_torchaudio()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*torchcodec is not installed correctly")  # we hand over waveforms
        warnings.filterwarnings(
            "ignore", r"TensorFloat-32 \(TF32\) has been disabled"
        )  # as it should, to repeat itself
        warnings.filterwarnings("ignore", r"std\(\): degrees of freedom is <= 0")  # a voice heard in one column
        yield


@contextmanager
def weights_only() -> Iterator[None]:
    """In here a checkpoint may hold tensors and pyannote's description of them, and nothing that runs."""
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from torch.torch_version import TorchVersion

    before = os.environ.get(FORCE)
    os.environ[FORCE] = "1"
    try:
        with torch.serialization.safe_globals([Problem, Resolution, Specifications, TorchVersion]):
            yield
    finally:
        os.environ.pop(FORCE) if before is None else os.environ.update({FORCE: before})
