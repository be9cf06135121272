"""What may differ between machines, read once from DUBLINE_* variables.

Promises: a name nobody knows is an error with a suggestion, for a misspelt setting that is silently ignored costs a
night; no value is printed that could hold a password. What decides the pixels of one delivery is no setting but part
of the job (tasks/job.py).
"""

import difflib
import os
import re
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from storage.errors import Refused

PREFIX: Final = "DUBLINE_"
KNOWN_TO_TESTS: Final = {"DUBLINE_SHARED"}  # where the developers' media lie
ROOT_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


AbsolutePath = Annotated[Path, AfterValidator(_absolute)]


class Settings(BaseSettings):
    """One machine's settings. Frozen: changing one after it was read would split the house in two."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    home: AbsolutePath = Field(
        default=Path("~/.dubline"), validate_default=True, description="catalog, artifacts, locks, cache"
    )
    catalog: str = Field(
        default="", repr=False, description="database URL; empty: SQLite in home"
    )  # may hold a password
    artifacts: str = Field(default="", repr=False, description="fsspec URL of the artifacts; empty: a folder in home")
    roots: Annotated[dict[str, Path], NoDecode] = Field(
        default={}, description="NAME=FOLDER:NAME=FOLDER; what the farm's films lie under on this machine"
    )
    weights: AbsolutePath | None = Field(default=None, description="folder of checkpoints that are not in the package")
    ffmpeg: AbsolutePath | None = Field(
        default=None, description="the ffmpeg to run; otherwise PATH, then the one pip brought"
    )
    ffprobe: AbsolutePath | None = Field(default=None, description="the ffprobe to run; likewise")
    whisper: AbsolutePath | None = Field(
        default=None, description="Whisper checkpoint (.pt) for transcripts; none: no transcript"
    )
    routes: AbsolutePath | None = Field(
        default=None, description="table of rules by which faces are routed (.toml); none: tasks/route.toml"
    )
    farm: str = Field(default="", description="URL of the farm's Prefect API; empty: the one of `dubline up` here")
    operator: str = Field(default="", max_length=100, description="who speaks in `retry`, `hold`, …; empty: the login")
    threads: int = Field(default=0, ge=0, description="CPU threads of networks and encoders; 0: all cores")
    debug: bool = Field(default=False, description="show the traceback behind a message")

    @field_validator("catalog")
    @classmethod
    def _names_a_database(cls, url: str) -> str:
        if url and "://" not in url:
            raise ValueError("give a database URL, like sqlite:////srv/dubline.db or postgresql+psycopg://host/dubline")
        return url

    @field_validator("roots", mode="before")
    @classmethod
    def _names_folders(cls, given: object) -> object:
        return _roots(given) if isinstance(given, str) else given

    @property
    def catalog_url(self) -> str:
        return self.catalog or f"sqlite:///{self.home / 'catalog.sqlite'}"

    @property
    def artifacts_url(self) -> str:
        return self.artifacts or (self.home / "artifacts").as_uri()


def _roots(given: str) -> dict[str, Path]:
    """`films=/mnt/films:out=/srv/out` as names and folders. Each name and each folder once, or a path had two names."""
    roots: dict[str, Path] = {}
    for each in given.split(":"):
        name, equals, folder = each.partition("=")
        if not (equals and ROOT_NAME.fullmatch(name)):
            raise ValueError(f"'{each}' is not NAME=FOLDER, like films=/mnt/films; a ':' stands between two of them")
        path = Path(os.path.normpath(folder))
        if not path.is_absolute():
            raise ValueError(f"the folder '{folder}' of {name} depends on where one stands; give the whole path")
        if name in roots:
            raise ValueError(f"'{name}' is given twice")
        if twin := next((other for other, theirs in roots.items() if theirs == path), None):
            raise ValueError(f"{twin} and {name} are both {path}; a folder has one name")
        roots[name] = path
    return roots


@cache
def settings() -> Settings:
    """The settings of this process. Tests that change the environment call `settings.cache_clear()`."""
    _refuse_unknown_names()
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False))
        raise Refused(f"The environment sets what Dubline cannot use: {wrong}.") from None


def _refuse_unknown_names() -> None:
    fields = sorted(name.upper() for name in Settings.model_fields)
    known = {PREFIX + field for field in fields} | KNOWN_TO_TESTS
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name.removeprefix(PREFIX).upper(), fields, n=1)
            hint = f"Did you mean {PREFIX}{near[0]}?" if near else f"There are {', '.join(PREFIX + f for f in fields)}."
            raise Refused(f"{name} is set, and Dubline has no such setting. {hint}")
