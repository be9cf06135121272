"""Big arrays and pictures, kept under the sha256 of their bytes: a folder today, an object store tomorrow.

Promises: a name holds whole bytes or does not exist: in a folder they are written as `.part`, then renamed; an object
store shows an object when all of it has arrived (ADR 19). The same bytes are kept once; equal arrays make equal bytes,
so equal names. Nothing whole is ever overwritten, and what comes from afar is counted and hashed before it is used.
Deliberately not here: rows (flows write them, after the file), and deletion.
"""

import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from storage.catalog.artifact import Artifact
from storage.errors import Missing
from storage.room import room
from storage.settings import settings
from storage.store import Store, shown, spoken_to

FETCHES: Final = 2  # of a file that arrives damaged: the second time it is the store's copy that is


def put(source: Path, kind: str, suffix: str) -> Artifact:
    """Keep a copy of `source`; the file itself stays where it is.

    kind    what it is: patch, matte, speech, still, geometry
    suffix  of the kept file, with its dot: .mkv
    returns the row to add to the catalog; not added yet
    raises  Missing or Unreachable if the store is not to be had; then nothing is under the name
    """
    with source.open("rb") as stream:
        return _keep(stream, kind, suffix)


def put_arrays(kind: str, arrays: Mapping[str, NDArray[np.generic]]) -> Artifact:
    """Keep named arrays as one .npz. Uncompressed: how zlib packs differs between machines, the hash must not."""
    if unkeepable := [name for name, array in arrays.items() if array.dtype.hasobject]:
        raise ValueError(f"{unkeepable} hold Python objects, which only a pickle could keep")
    stream = io.BytesIO()
    np.savez(stream, **{name: np.asarray(arrays[name], order="C") for name in sorted(arrays)})  # type: ignore[arg-type]
    stream.seek(0)
    return _keep(stream, kind, ".npz")


def holds(artifact: Artifact) -> bool:
    """Whether the store has the bytes that the row speaks of, by their number."""
    with spoken_to() as store:
        return store.size(store.name(artifact.sha, artifact.suffix)) == artifact.bytes


def path(sha: str, suffix: str) -> Path:
    """A local file with these bytes; from a remote store a copy in home/cache, checked on arrival."""
    with spoken_to() as store:
        if store.local:
            if not (local := Path(store.name(sha, suffix))).exists():
                raise Missing(_gone(sha, suffix))
            return local
        cached = settings().home / "cache" / sha[:2] / f"{sha}{suffix}"
        if not cached.exists():
            with room(cached.parent):
                cached.parent.mkdir(parents=True, exist_ok=True)
                _fetch(store, sha, suffix, cached)
        return cached


def arrays(sha: str) -> dict[str, NDArray[Any]]:
    """The arrays that `put_arrays` kept."""
    with np.load(path(sha, ".npz"), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def _keep(stream: BinaryIO, kind: str, suffix: str) -> Artifact:
    sha = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # all it asks is readinto
    length = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    with spoken_to() as store:
        name = store.name(sha, suffix)
        if store.size(name) != length:
            if store.local:
                _copy(stream, Path(name))
            elif isinstance(stream, io.BytesIO):
                store.files.pipe_file(name, stream.getvalue())
            else:
                store.files.put_file(stream.name, name)  # an opened object would be closed, half, by an error
    return Artifact(sha=sha, kind=kind, suffix=suffix, bytes=length)


def _copy(stream: BinaryIO, kept: Path) -> None:
    part = _part(kept)
    with room(kept.parent):
        kept.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as target:
                shutil.copyfileobj(stream, target, 1 << 20)
                target.flush()
                os.fsync(target.fileno())  # the row must not outlive a power cut that the bytes do not
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)


def _fetch(store: Store, sha: str, suffix: str, cached: Path) -> None:
    part = _part(cached)
    try:
        for _ in range(FETCHES):
            try:
                store.files.get_file(store.name(sha, suffix), str(part))
            except FileNotFoundError:
                store.size(store.name(sha, suffix))  # complains if it is the bucket that is not there
                raise Missing(_gone(sha, suffix)) from None
            with part.open("rb") as arrived:
                if hashlib.file_digest(arrived, "sha256").hexdigest() == sha:
                    part.replace(cached)
                    return
    finally:
        part.unlink(missing_ok=True)
    raise Missing(
        f"Artifact {sha}{suffix} is damaged in {shown()}: its bytes are not those of its name. Delete it there; a take "
        "is then drawn anew."
    )


def _part(name: Path) -> Path:
    return name.with_name(f"{name.name}.{uuid.uuid4().hex[:8]}.part")  # two processes may keep the same bytes at once


def _gone(sha: str, suffix: str) -> str:
    return f"Artifact {sha}{suffix} is not in {shown()}: it was deleted, or DUBLINE_ARTIFACTS names another store."
