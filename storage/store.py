"""Where artifacts lie: a folder, or a bucket of an object store (`s3://bucket/dubline`), and what its errors mean.

Key, secret and endpoint of an object store are no settings of ours, so that none can get into a catalog or a log:
they are read where every S3 client reads them, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, or the
files of AWS_PROFILE. A store that is not there is found out within seconds; whoever called decides about trying again.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import fsspec
from fsspec.implementations.local import LocalFileSystem

from storage.errors import DublineError, Missing, Refused, Unreachable
from storage.settings import settings

KINDS: Final = ("file", "local", "s3", "s3a", "memory")  # stores in which a name appears when its bytes are whole
OPTIONS: Final[dict[str, Any]] = {
    "use_listings_cache": False,  # another machine may have written meanwhile
    "max_concurrency": 4,  # parts of 50 MB of one file that are in memory at once
    "config_kwargs": {
        "connect_timeout": 5,  # seconds
        "read_timeout": 15,  # seconds without a byte of the answer
        "retries": {"total_max_attempts": 2, "mode": "standard"},
        "user_agent_extra": "dubline",
    },
}
AGAIN: Final = "Another try helps once it is back; `dubline doctor` asks it."
# By name, for botocore is there only where s3fs is.
NO_KEY: Final = {"NoCredentialsError", "PartialCredentialsError", "ProfileNotFound", "CredentialRetrievalError"}
NO_SENSE: Final = {"InvalidEndpointURLError", "ParamValidationError", "SSLError", "ValueError"}
BROKEN_LINE: Final = {
    "ConnectionError", "HTTPClientError", "TimeoutError", "ResponseParserError", "IncompleteReadError",
    "ClientPayloadError",
}  # fmt: skip
BUSY: Final = {errno.EBUSY, errno.EIO, errno.EREMOTEIO}  # 503, what s3fs does not know, 500
AWAY: Final = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENOTCONN}  # of a network file system


@dataclass(frozen=True)
class Store:
    """An opened store and the name of its root in it."""

    files: Any  # fsspec's AbstractFileSystem
    root: str

    @property
    def local(self) -> bool:
        return isinstance(self.files, LocalFileSystem)

    def name(self, sha: str, suffix: str) -> str:
        return f"{self.root}/{sha[:2]}/{sha}{suffix}"

    def size(self, name: str) -> int | None:
        """Bytes that lie under the name; None if there are none. Asks the store each time."""
        try:
            return int(self.files.info(name)["size"])
        except FileNotFoundError as error:
            if _code(error) == "NoSuchBucket":
                raise
            return None


def shown() -> str:
    """Where the store is, without user and password."""
    scheme, separator, rest = settings().artifacts_url.rpartition("://")
    return scheme + separator + rest.rpartition("@")[2] if separator else rest


def opened() -> Store:
    """The store of the settings. fsspec keeps one connection a process and thread."""
    url = settings().artifacts_url
    kind = url.partition("://")[0] if "://" in url else "file"
    if kind not in KINDS:
        raise Refused(f"DUBLINE_ARTIFACTS is {kind}://, and artifacts lie in a folder or under s3://bucket/folder.")
    try:
        files, root = fsspec.core.url_to_fs(url, **(OPTIONS if kind.startswith("s3") else {}))
    except ImportError as error:
        raise Missing(f"Artifacts in {shown()} need s3fs: {error}. `pip install 'dubline[farm]'`.") from None
    if kind.startswith("s3"):
        files.retries = 1  # s3fs would repeat what botocore has repeated
    return Store(files, root.rstrip("/"))


@contextmanager
def spoken_to() -> Iterator[Store]:
    """The store, for one deed; what it has to complain about comes out in words.

    raises  Unreachable if it does not answer, answers that it cannot now, or is full; Missing for a wrong key, a
            forbidden or absent bucket. FileNotFoundError of a single name is left to the caller.
    """
    store = opened()
    try:
        yield store
    except DublineError:
        raise
    except Exception as error:
        if (said := _in_words(error, store)) is None:
            raise
        raise said from error


def look() -> str:
    """Asks the store for a name that nothing has, and says where it is. raises  what `spoken_to` raises"""
    with spoken_to() as store:
        store.size(store.name("0" * 64, ".npz"))
    return shown()


def _in_words(error: Exception, store: Store) -> DublineError | None:
    """What the error means for a person; None if it is not the store's."""
    number = getattr(error, "errno", None)
    if store.local:
        return _of_a_folder(error, number, store)
    where = f"The object store {shown()}"
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & NO_KEY:
        return Missing(f"{where} needs a key. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.")
    if _code(error) == "NoSuchBucket":
        return Missing(f"{where}: there is no such bucket. Make it, or set DUBLINE_ARTIFACTS to another.")
    if isinstance(error, PermissionError):
        return Missing(
            f"{where} refuses this machine: {error}. Look at AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, at the "
            "machine's clock, and whether the key may list, read and write there."
        )
    if kinds & NO_SENSE:
        return Missing(f"{where} cannot be asked: {error}. Look at AWS_ENDPOINT_URL and DUBLINE_ARTIFACTS.")
    if number in BUSY or kinds & BROKEN_LINE:
        return Unreachable(f"{where} does not answer: {str(error).strip() or type(error).__name__}. {AGAIN}")
    return None


def _of_a_folder(error: Exception, number: int | None, store: Store) -> DublineError | None:
    if isinstance(error, PermissionError) or number == errno.EROFS:
        return Missing(f"{error}: artifacts cannot be kept there. Change its permissions, or set DUBLINE_ARTIFACTS.")
    if number in AWAY:
        return Unreachable(f"The folder {store.root} of the artifacts is not there: {error}. {AGAIN}")
    return None


def _code(error: Exception) -> str:
    """The object store's own word for it, or nothing."""
    response = getattr(error.__cause__, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))
