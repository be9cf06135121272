"""Big arrays and pictures, kept under the sha256 of their bytes: a folder today, an object store tomorrow.

Promises: a name holds whole bytes or does not exist (written as `.part`, then renamed); the same bytes are kept once;
equal arrays make equal bytes, so equal names. Nothing is ever overwritten.
Deliberately not here: rows (flows write them, after the file), and deletion.
"""

import hashlib
import io
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
from fsspec.implementations.local import LocalFileSystem
from numpy.typing import NDArray

from storage.catalog.artifact import Artifact
from storage.errors import Missing
from storage.settings import settings


def put(source: Path, kind: str, suffix: str) -> Artifact:
    """Keep a copy of `source`; the file itself stays where it is.

    kind    what it is: patch, matte, speech, still, geometry
    suffix  of the kept file, with its dot: .mkv
    returns the row to add to the catalog; not added yet
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
    """Whether the store has the bytes that the row speaks of."""
    store, name = _place(artifact.sha, artifact.suffix)
    return bool(store.exists(name))


def path(sha: str, suffix: str) -> Path:
    """A local file with these bytes; from a remote store a copy in home/cache, checked on arrival."""
    store, name = _place(sha, suffix)
    if isinstance(store, LocalFileSystem):
        if not (local := Path(name)).exists():
            raise Missing(_gone(sha, suffix))
        return local
    cached = settings().home / "cache" / sha[:2] / f"{sha}{suffix}"
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        part = cached.with_name(_part(cached.name))
        try:
            store.get_file(name, str(part))
        except FileNotFoundError:
            raise Missing(_gone(sha, suffix)) from None
        with part.open("rb") as stream:
            if _sha_of(stream) != sha:
                part.unlink()
                raise Missing(
                    f"Artifact {sha}{suffix} arrived damaged from {_root_shown()}. Starting again fetches it anew."
                )
        part.replace(cached)
    return cached


def arrays(sha: str) -> dict[str, NDArray[Any]]:
    """The arrays that `put_arrays` kept."""
    with np.load(path(sha, ".npz"), allow_pickle=False) as kept:
        return {name: kept[name] for name in kept.files}


def _keep(stream: io.BytesIO | io.BufferedReader, kind: str, suffix: str) -> Artifact:
    sha = _sha_of(stream)
    length = stream.seek(0, os.SEEK_END)
    store, name = _place(sha, suffix)
    if not store.exists(name):
        store.makedirs(name.rsplit("/", 1)[0], exist_ok=True)
        part = _part(name)
        stream.seek(0)
        with store.open(part, "wb") as target:
            shutil.copyfileobj(stream, target, 1 << 20)
            if isinstance(store, LocalFileSystem):
                target.flush()
                os.fsync(target.fileno())  # the row must not outlive a power cut that the bytes do not
        store.mv(part, name)
    return Artifact(sha=sha, kind=kind, suffix=suffix, bytes=length)


def _place(sha: str, suffix: str) -> tuple[Any, str]:
    store, root = fsspec.core.url_to_fs(settings().artifacts_url)
    return store, f"{root.rstrip('/')}/{sha[:2]}/{sha}{suffix}"


def _part(name: str) -> str:
    return f"{name}.{uuid.uuid4().hex[:8]}.part"  # two processes may keep the same bytes at the same time


def _sha_of(stream: io.BytesIO | io.BufferedReader) -> str:
    return hashlib.file_digest(stream, "sha256").hexdigest()


def _root_shown() -> str:
    return settings().artifacts_url.split("@")[-1]  # without user and password


def _gone(sha: str, suffix: str) -> str:
    return (
        f"Artifact {sha}{suffix} is not in {_root_shown()}: it was deleted, or DUBLINE_ARTIFACTS names another store."
    )
