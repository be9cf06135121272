"""The cast of one episode, carried to the next of a series: a JSON file of names, faces and voices.

Promises: what is in the file says nothing of the numbers and letters that an episode gives its faces and voices, only
what these are known again by; a file that is damaged, or something else, is refused in words.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from storage.errors import Refused
from storage.film.probe import fingerprint

SCHEMA: Final = 1
LARGEST: Final = 64 << 20  # bytes; a cast of a thousand faces has a few
ALIKE: Final = 0.6  # cosine of two prints: two of one GRID speaker have 0.92 at least, of two speakers 0.48 at most

Number = Annotated[float, Field(allow_inf_nan=False)]
Filmed = Annotated[list[Number], Field(min_length=128, max_length=128)]
Drawn = Annotated[list[Number], Field(min_length=256, max_length=256)]
Print = Annotated[list[Number], Field(min_length=192, max_length=192)]
Prints = Mapping[str, NDArray[Any]]  # (192,) each, named by side and voice: `original A`


class Person(BaseModel):
    """One character, and what is known again of them."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=100)
    by: str = Field(default="dubline", max_length=100)  # who bound them, and why, in the episode before
    why: str = ""
    faces: list[Filmed | Drawn] = []
    voice: Print | None = None  # in the film


class CastFile(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schema_: Literal[1] = Field(alias="schema")
    episode: str = Field(min_length=1, max_length=200)
    characters: list[Person]
    nobody: list[Filmed | Drawn] = []  # faces that have no voice, as persons said

    @property
    def source(self) -> str:
        """What a report calls it."""
        return f"the cast of {self.episode}"


def read(path: Path) -> CastFile:
    """raises Refused if this is no cast that `write` wrote"""
    try:
        if path.stat().st_size > LARGEST:
            raise Refused(f"{path} is no cast: it is larger than {LARGEST >> 20} MB. `dubline cast save` writes one.")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise Refused(f"The cast {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Refused(f"{path} is no cast: it is no JSON ({error}). `dubline cast save` writes one.") from None
    if isinstance(found, dict) and found.get("schema", SCHEMA) != SCHEMA:
        raise Refused(f"{path} is a cast of schema {found['schema']}, and this Dubline reads schema {SCHEMA}.")
    try:
        cast = CastFile.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Refused(f"{path} is no whole cast: {where}: {first['msg']}. `dubline cast save` writes one.") from None
    twice = sorted({one.name for one in cast.characters if sum(o.name == one.name for o in cast.characters) > 1})
    if twice:
        raise Refused(f"{path} has {', '.join(twice)} more than once. Give each character a name of its own.")
    return cast


def write(path: Path, cast: CastFile) -> str:
    """The file, whole or not at all; its sha. raises Refused if it cannot be written there"""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(json.dumps(cast.model_dump(by_alias=True), ensure_ascii=False) + "\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise Refused(f"The cast cannot be written to {path}: {error.strerror}.") from None
    return fingerprint(path)


def known_voices(cast: CastFile, voices: Sequence[str], prints: Prints) -> dict[str, str]:
    """Which voices of the film are whose: voice → the character's name, the most alike first, each once.

    voices  their names
    prints  of this episode
    """
    before = [(one.name, np.array(one.voice)) for one in cast.characters if one.voice is not None]
    found = [
        (cosine(prints[f"original {voice}"], known), voice, name)
        for voice in voices
        if f"original {voice}" in prints
        for name, known in before
    ]
    named: dict[str, str] = {}
    for alike, voice, name in sorted(found, reverse=True):
        if alike >= ALIKE and voice not in named and name not in named.values():
            named[voice] = name
    return named


def cosine(one: NDArray[Any], other: NDArray[Any]) -> float:
    """−1 … 1."""
    return float(one @ other / max(1e-9, float(np.linalg.norm(one) * np.linalg.norm(other))))
