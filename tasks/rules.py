"""The table by which faces are routed (tasks/route.toml, or a studio's own): read, checked to the last word, asked.

Promises: a table that is wrong anywhere is refused in words that name the rule; nothing in a table is run, for rules
compare one measure with one number or word, and sentences only fill in measures. A rule that asks for what is not known
of a face, as of one routed by an older Dubline, does not fit it.
"""

import difflib
import hashlib
import math
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from storage.catalog import HELD, PASS_THROUGH
from storage.errors import Refused
from storage.settings import settings

OURS: Final = Path(__file__).with_name("route.toml")

NUMBERS: Final = (
    "height_px", "mouth_px", "sharpness", "yaw", "pitch", "confidence", "frames",
)  # fmt: skip
WORDS: Final[Mapping[str, tuple[str | bool, ...]]] = {
    "style": ("photoreal", "stylised", "uncertain"),
    "mesh": (True, False),
    **dict.fromkeys(("sings", "laughs", "crowd"), (True, False)),
}
TOLD: Final = ("character", "face")  # what sentences may say beside the measures: a name, the person's number
OPERATORS: Final = ("under", "over")
PLACE: Final = re.compile(r"\{(\w+)(?::([^{}]*))?\}")  # {yaw} or {yaw:.0f}

Measures = Mapping[str, Any]


class Rule(BaseModel):
    """When it fits, and what is then said."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    when: dict[str, Any] = {}  # measure → {"under": 48}, {"over": 60}, a word, or true or false
    say: str = Field(min_length=1)

    @field_validator("when")
    @classmethod
    def _asks_what_is_measured(cls, when: dict[str, Any]) -> dict[str, Any]:
        for measure, asked in when.items():
            _check_condition(measure, asked)
        return when

    @model_validator(mode="after")
    def _says_what_is_measured(self) -> Self:
        _check_sentence(self.say, self.limit)
        return self

    @property
    def limit(self) -> float | None:
        """The number that decides, if it is one."""
        bounds = [bound for asked in self.when.values() if isinstance(asked, Mapping) for bound in asked.values()]
        return bounds[0] if len(bounds) == 1 else None

    def fits(self, measures: Measures) -> bool:
        return all(_holds(asked, measures.get(name)) for name, asked in self.when.items())

    def words(self, measures: Measures) -> str:
        """The sentence, with what was measured."""
        return _filled(self.say, {**measures, "limit": self.limit})


class Choice(Rule):
    """Who draws the faces that it fits."""

    model: str  # a name of models.registry, "pass-through" or "held"


class Limit(Rule):
    """What these models do not draw."""

    models: list[str] = Field(min_length=1)
    then: Literal["pass-through", "held"] = "pass-through"
    final: bool = False  # cannot be overruled


class Table(BaseModel):
    """All rules, in the order in which they are asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    choice: list[Choice] = Field(min_length=1)
    limit: list[Limit] = []

    @field_validator("choice")
    @classmethod
    def _leaves_no_face_out(cls, choice: list[Choice]) -> list[Choice]:
        if choice[-1].when:
            raise ValueError("the last one has a `when`; without it, every face has a choice")
        return choice

    @property
    def models(self) -> list[str]:
        """The models that may be chosen, each once."""
        return list(dict.fromkeys(each.model for each in self.choice if each.model not in (PASS_THROUGH, HELD)))

    @property
    def sha(self) -> str:
        """Of what the rules say; a comment changes nothing."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def limits(self, model: str, measures: Measures) -> list[Limit]:
        """All limits of a model that fit, the final ones first."""
        fitting = [each for each in self.limit if model in each.models and each.fits(measures)]
        return sorted(fitting, key=lambda each: not each.final)


def rules() -> Table:
    """The table of this machine: DUBLINE_ROUTES, or ours.

    raises  Refused if it is not there, or anything in it is wrong
    """
    return read(settings().routes or OURS)


def read(path: Path) -> Table:
    """The table in a file.

    raises  Refused if it is not there, or anything in it is wrong
    """
    from models import registry  # torch takes seconds, and who asks a table that is read needs none

    try:
        found = Table.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise Refused(f"The table of rules {path} cannot be read: {error.strerror}. DUBLINE_ROUTES names it.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Refused(f"The table of rules {path} is no TOML: {error}.") from None
    except ValidationError as error:
        wrong = "; ".join(_in_words(each) for each in error.errors(include_url=False))
        raise Refused(f"The table of rules {path} cannot be used: {wrong}. tasks/route.toml is an example.") from None
    named = [(f"choice {n}", [each.model]) for n, each in enumerate(found.choice, 1)]
    named += [(f"limit {n}", each.models) for n, each in enumerate(found.limit, 1)]
    for where, models in named:
        known = [*registry.names(), *((PASS_THROUGH, HELD) if where.startswith("choice") else ())]
        for model in models:
            if model not in known:
                raise Refused(
                    f"The table of rules {path} cannot be used: {where}: there is no model '{model}'; there are "
                    f"{', '.join(known)}."
                )
    return found


def _holds(asked: Any, found: Any) -> bool:
    if found is None:
        return False
    if isinstance(asked, Mapping):
        return all(found < bound if operator == "under" else found > bound for operator, bound in asked.items())
    return bool(found == asked)


def _filled(say: str, measures: Measures) -> str:
    """The sentence; a measure that is not known is a question mark."""

    def fill(place: re.Match[str]) -> str:
        found = measures.get(place[1])
        return "?" if found is None else format(found, place[2] or "")

    return PLACE.sub(fill, say)


def _check_condition(measure: str, asked: object) -> None:
    """raises ValueError"""
    if measure in WORDS:
        if not any(asked is word or (isinstance(asked, str) and asked == word) for word in WORDS[measure]):
            listed = " or ".join(str(word).lower() for word in WORDS[measure])
            raise ValueError(f"{measure} is {listed}, not {asked!r}")
    elif measure in NUMBERS:
        if not isinstance(asked, Mapping) or not asked:
            raise ValueError(f"{measure} is a number: {measure} = {{ under = … }} or {{ over = … }}")
        for operator, bound in asked.items():
            if operator not in OPERATORS:
                raise ValueError(f"{measure} cannot be compared by '{operator}'; there are {', '.join(OPERATORS)}")
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
                raise ValueError(f"{measure} is compared with a number, not with {bound!r}")
    else:
        raise ValueError(f"there is no measure '{measure}'. {_nearest(measure, [*NUMBERS, *WORDS])}")


def _check_sentence(say: str, limit: float | None) -> None:
    """raises ValueError"""
    sample: dict[str, Any] = dict.fromkeys(NUMBERS, 0.5) | {"frames": 1}
    sample |= {name: known[0] for name, known in WORDS.items()}
    sample |= {"character": "Anna", "face": 1} | ({} if limit is None else {"limit": limit})
    for place in PLACE.finditer(say):
        if place[1] == "limit" and limit is None:
            raise ValueError("'{limit}' needs a rule that compares one measure with one number")
        if place[1] not in sample:
            raise ValueError(f"'{place[0]}' stands for nothing. {_nearest(place[1], sample)}")
        try:
            format(sample[place[1]], place[2] or "")
        except ValueError:
            raise ValueError(f"'{place[0]}': {place[1]} cannot be written as '{place[2]}'") from None
    if set("{}") & set(PLACE.sub("", say)):
        raise ValueError(f"a brace is left over in '{say}'")


def _nearest(word: str, known: Iterable[str]) -> str:
    listed = sorted(known)
    near = difflib.get_close_matches(word, listed, n=1)
    return f"Did you mean {near[0]}?" if near else f"There are {', '.join(listed)}"


def _in_words(error: Any) -> str:
    """`limit 3, when: …`: rules are counted from one, as people do."""
    kind, *inside = error["loc"]
    where = f"{kind} {inside.pop(0) + 1}" if inside else str(kind)
    said = error["msg"].removeprefix("Value error, ")
    return f"{', '.join([where, *map(str, inside)])}: {said[:1].lower() + said[1:]}"
