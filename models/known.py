"""Files of others, known by their sha256: where they lie on this machine, and whether they are the ones we mean.

Looked for, in this order: the folder of weights that a person named, `share/dubline` of this environment (`make setup`
puts it there), an installed package, of which nothing but the file is read. Nothing is ever downloaded.
"""

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class Unusable(ValueError):
    """It is not what we know, wants the network, or holds code. It is left alone."""


@dataclass(frozen=True, slots=True)
class Known:
    """One file."""

    name: str  # its path under a folder of weights; the first part is the package that carries it, if one does
    sha256: str
    again: str  # what to do if it is another file

    def find(self, given: Path | None = None) -> Path | None:
        """Where it lies. `given` is the folder of weights that a person named."""
        folders = places(given, self.name.split("/")[0])
        return next((place / self.name for place in folders if (place / self.name).is_file()), None)

    def read(self, path: Path) -> bytes:
        """What is in it. raises Unusable if that is something else."""
        data = path.read_bytes()
        if (sha := hashlib.sha256(data).hexdigest()) != self.sha256:
            raise Unusable(f"{path} has sha256 {sha}, not {self.sha256}; {self.again}")
        return data


def places(given: Path | None, package: str) -> Iterator[Path]:
    """Folders in which it may lie; `package` is the one that carries it."""
    if given is not None:
        yield given
    yield Path(sys.prefix) / "share" / "dubline"
    if (found := importlib.util.find_spec(package)) is not None:  # and never imported
        yield from (Path(place).parent for place in found.submodule_search_locations or ())
