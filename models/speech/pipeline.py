"""pyannote's diarization pipeline: the user's own, or one put together from segmentation-3.0 and CAM++.

Promises: nothing is downloaded, nothing is reported to anyone, no code in a checkpoint runs, and no file name ever
reaches pyannote (its own decoder needs FFmpeg's libraries).
"""

import dataclasses
import io
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from models.speech.campplus import VOICE, CamPlusPlus
from models.speech.prints import SHORTEST, network, voice
from models.speech.sound import HZ
from models.speech.torchaudio_cpu import ensure_torchaudio
from models.speech.weights import SEGMENTATION, Unusable, Weights

SECONDS: Final = 5.0  # a window, not the 10 s of training: a window knows three voices, and films change them quickly
STEP: Final = 0.25  # of a window
THRESHOLD: Final = 0.57  # mean cosine distance between the windows of two voices; .52 … .62 agree
CLUSTERING: Final = {"method": "average", "min_cluster_size": 3, "threshold": THRESHOLD}
FORCE: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # torch's own switch; it wins over pyannote's weights_only=False


def assembled(weights: Weights) -> Any:
    """pyannote's pipeline on segmentation-3.0 and CAM++."""
    from pyannote.audio import Model
    from pyannote.audio.core.plda import PLDA
    from pyannote.audio.pipelines import SpeakerDiarization

    with weights_only():
        segmentation: Any = Model.from_pretrained(weights.known(SEGMENTATION))
    segmentation.specifications = dataclasses.replace(segmentation.specifications, duration=SECONDS)
    pipeline = SpeakerDiarization(
        segmentation=segmentation,
        segmentation_step=STEP,
        segmentation_batch_size=8,
        embedding=voice_model(network(weights)),
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
            """(B, 1, N) and masks (B, M) → (B, 192) of length 1; a row of NaN, which pyannote skips, for too little."""
            voices = []
            for row, wave in enumerate(waveforms[:, 0]):
                if weights is not None:
                    wave = wave[F.interpolate(weights[row][None, None].float(), size=len(wave))[0, 0] > 0.5]
                if len(wave) < SHORTEST:
                    voices.append(torch.full((VOICE,), torch.nan, device=waveforms.device))
                    continue
                voices.append(voice(self.net, wave))
            return torch.stack(voices)

    return Voice()


@contextmanager
def quiet() -> Iterator[None]:
    """pyannote without its telemetry, its downloads, and warnings that concern nobody here."""
    os.environ["PYANNOTE_METRICS_ENABLED"] = "0"  # read at import; on by default since pyannote.audio 4
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    ensure_torchaudio()
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # its clustering prints advice about its settings
        warnings.filterwarnings("ignore", r"\s*torchcodec is not installed correctly")  # we hand over waveforms
        warnings.filterwarnings(
            "ignore", r"TensorFloat-32 \(TF32\) has been disabled"
        )  # as it should, to repeat itself
        warnings.filterwarnings("ignore", r"\s*The detected number of speakers")  # who asks counts them himself
        for nobody in ("Mean of empty slice", "invalid value encountered"):  # no window has enough of a voice
            warnings.filterwarnings("ignore", nobody, RuntimeWarning)
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
