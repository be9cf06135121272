"""The job: everything a person may ask for. One model, so that Prefect makes one form of it.

What decides the pixels stands here and in the files it names; what differs between machines is in storage/settings.py.
Files are given as whole paths or under a root, `films:ep1/film.mov` (storage/roots.py). A job holds the paths of the
machine it is on, and is written down (`model_dump(mode="json")`) as every machine understands it.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    model_validator,
)

from storage import roots
from storage.catalog import Side
from storage.errors import Refused
from storage.film.language import language_of
from storage.film.timecode import LABEL


def _here(given: object) -> object:
    """This machine's path. Errors of roots come out as they are: a DublineError is none of pydantic's."""
    if not isinstance(given, str | Path):
        return given
    text = os.fspath(given)
    if not (Path(text).is_absolute() or roots.rooted(text)):
        raise ValueError(f"'{text}' depends on where one stands; give the whole path, from / on")
    return str(roots.here(text))  # not a Path, which pydantic does not take where it reads JSON


def _offset(given: str) -> str:
    """Where a dub begins, as it was typed: see tasks/starts.py."""
    if given == "ignore" or re.fullmatch(r"[+-]?\d{1,5}(\.\d{1,9})?", given) or LABEL.fullmatch(given):
        return given
    raise ValueError("give seconds like -2 or 1.5, the timecode of the dub's first sample like 00:59:58:00, or ignore")


FarmPath = Annotated[Path, BeforeValidator(_here), PlainSerializer(roots.portable, return_type=str, when_used="json")]
Coordinate = Annotated[float, Field(allow_inf_nan=False)]  # pixels of the film
Half = Annotated[float, Field(gt=0, allow_inf_nan=False)] | None  # None: as it is measured in the picture
Priority = Literal["urgent", "default", "overnight"]  # the farm's queues; no part of any key: it changes no pixel
Place = tuple[Coordinate, Coordinate, Half]  # the middle of a mouth x, y, and half its width at rest


class EpisodeJob(BaseModel):
    """One film, one dub, and how they shall be joined."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    film: FarmPath = Field(title="Film", description="The picture file; it is read, never written to")
    dub: FarmPath = Field(title="Dub", description="The new sound: as long as the film, or laid by its timecode")
    out: FarmPath = Field(title="Out", description="The delivery; its report lies beside it in OUT.dubline")
    stems: dict[Annotated[str, Field(min_length=1, max_length=100)], FarmPath] = Field(
        default={}, title="Stems", description="Dry dialogue of one character: name → file"
    )
    voices: dict[Side, FarmPath] = Field(
        default={},
        title="Voices",
        description="Who speaks when, as a file says it (RTTM, JSON, subtitles): sound → file",
    )
    cast: FarmPath | None = Field(
        default=None, title="Cast", description="Who is who, as `dubline cast save` wrote it of the episode before"
    )
    timeline: FarmPath | None = Field(
        default=None,
        title="Cut list",
        description="The turnover: EDL, FCPXML, Final Cut 7 XML, AAF or OTIO of this cut",
    )
    name: str | None = Field(
        default=None,
        title="Episode",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        max_length=100,
        description="What to call the episode; empty: as the delivery is called",
    )
    model: str | None = Field(default=None, title="Model", description="Draws every mouth; empty: chosen shot by shot")
    variant: str = Field(default="starter", title="Variant", description="Which weights of the model")
    seed: int = Field(default=7, ge=0, lt=2**31, title="Seed", description="The same seed draws the same pixels")
    steps: int = Field(default=0, ge=0, le=1000, title="Denoising steps", description="0: the model's own default")
    prompt: str = Field(
        default="", title="Prompt", description="How the mouths shall move, in the words of the model that draws them"
    )
    mouths: dict[str, Place] = Field(
        default={},
        title="Mouths",
        description="Where the mouth of a shot is, if it is not found: shot → x, y, half its width, in pixels",
    )
    speakers: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = Field(
        default=None, title="Speakers", description="Fewest and most voices; empty: as many as are heard"
    )
    deliver: Literal["same", "ffv1", "prores"] = Field(
        default="same", title="Deliver as", description="The film's own codec, or a mezzanine"
    )
    pull: Literal["shots"] | None = Field(
        default=None, title="Pull", description="Each changed shot as files of its own beside the report"
    )
    pull_as: Literal["prores4444", "exr"] = Field(
        default="prores4444", title="Pull as", description="ProRes 4444 films, or folders of OpenEXR pictures"
    )
    handles: int = Field(
        default=8, ge=0, le=1000, title="Handles", description="Frames of the film before and after a pulled shot"
    )
    allow_length: bool = Field(
        default=False, title="Allow another length", description="Accept a dub longer or shorter than the film"
    )
    dub_offset: Annotated[str, AfterValidator(_offset)] | None = Field(
        default=None,
        title="Dub's start",
        description="Seconds after the film's first frame, a timecode, or ignore; empty: by its own timecode",
    )
    dub_mode: Literal["add", "replace"] = Field(
        default="add", title="Dub's place", description="Before the film's own sounds, or in the place of its first"
    )
    dub_language: Annotated[str, AfterValidator(language_of)] | None = Field(
        default=None, title="Dub's language", description="ISO 639, like de or deu; empty: as the dub's file says"
    )
    purpose: Literal["research", "commercial"] = Field(
        default="research", title="Purpose", description="Commercial work refuses weights that may not be used for it"
    )
    transcript: bool = Field(
        default=False, title="Transcript", description="Write down what is said (needs DUBLINE_WHISPER)"
    )
    priority: Priority = Field(
        default="default", title="Priority", description="Which queue of the farm; overnight waits for the night"
    )

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if self.speakers and self.speakers[0] > self.speakers[1]:
            raise ValueError(f"speakers: {self.speakers[0]} at least and {self.speakers[1]} at most cannot both be")
        if self.out.resolve() in {
            given.resolve()
            for given in (self.film, self.dub, *self.stems.values(), *self.voices.values(), self.cast, self.timeline)
            if given is not None
        }:
            raise ValueError(f"out: {self.out} is also an input, and inputs are never written to")
        return self

    @property
    def delivers(self) -> bool:
        """Whether somebody has said where the delivery goes. A plan needs none, and nothing is written there."""
        return self.out != nowhere(self.film)

    @property
    def called(self) -> str:
        """The episode's name as asked for, or as the delivery is called."""
        return self.name or self.out.stem


def nowhere(film: Path) -> Path:
    """What stands for the delivery in a job that only asks for the plan: under the film's root, if it has one."""
    return film.with_name(f"{film.stem}.planned.mkv")


def asked(**wishes: Any) -> EpisodeJob:
    """The job a command line asks for; Refused in words where Prefect's form would show a red field."""
    try:
        return EpisodeJob(**wishes)
    except ValidationError as error:
        wrong = "; ".join(_in_words(e) for e in error.errors(include_url=False))
        raise Refused(f"This cannot be done as asked: {wrong}. `dubline dub --help` lists what can.") from None


def _in_words(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"])
    said = error["msg"].removeprefix("Value error, ")
    return f"{where}: {said} (not {error['input']!r})" if where else said
