"""Turns that somebody has written down already: a diarization as RTTM or JSON, or subtitles that name who speaks.

Promises: what cannot be meant is refused with its line; a name is never guessed, so what nobody said is left out and
counted; turns of several speakers may overlap, as people do.
Deliberately not here: whether the names are right, and which of two names is whose voice in the dub (tasks/cast.py).
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from storage.errors import Refused
from tasks import ttml
from tasks.marks import marked

PLAIN: Final = (".srt", ".vtt")
SUBTITLES: Final = (*PLAIN, ".ttml", ".xml", ".dfxp", ".itt")
KINDS: Final = (".rttm", ".json", *SUBTITLES)
BEYOND: Final = 0.1  # share of the speech behind the film's end: more, and the file is another film's
LONGEST_NAME: Final = 40
NAMED: Final = re.compile(
    r"""\s*[-–—]?\s*(?:
        <v(?:\.[^ >]*)?\s+(?P<voice>[^>]+)>       # WebVTT's voice
        | [\[(](?P<set>[^\])]+)[\])]\s*:?         # [ANNA] or (ANNA), with a colon or without
        | (?P<said>[^\W\d_][^:<>]*?)\s*:(?=\s)    # ANNA: and a space, so that 12:30 is none
    )\s*(?P<text>.*)""",
    re.VERBOSE,
)
HOW: Final = "A line names its speaker as `ANNA: …`, `[ANNA] …`, `<v Anna>…` or by ttm:agent."
SOUND: Final = re.compile(r"\s*[-–—]?\s*[\[(][^\])]*[\])]\s*")  # [door slams]
TAG: Final = re.compile(r"<[^>]*>|\{\\[^}]*\}")


@dataclass(frozen=True)
class Said:
    """One turn, as it is written down."""

    name: str
    start_us: int  # microseconds after the film's first frame
    end_us: int
    text: str = ""


@dataclass(frozen=True)
class Told:
    """What a file says."""

    turns: list[Said]  # in the order they begin
    notes: str  # what was left out, for a person
    to_be_read: bool = False  # subtitles: a line stands longer than it is said


def read(file: Path, film_us: int) -> Told:
    """The turns that a file holds.

    film_us  how long the film is
    raises   Refused where the file cannot be read, names nobody, or belongs to another film
    """
    kind = file.suffix.lower()
    if kind not in KINDS:
        raise Refused(f"{file.name}: voices are read from {', '.join(KINDS)}.")
    if not file.is_file():
        raise Refused(f"There is no file {file} that says who speaks.")
    text = _text(file)
    if kind == ".rttm":
        turns, nameless = list(_rttm(file, text)), 0
    elif kind == ".json":
        turns, nameless = list(_json(file, text)), 0
    else:
        turns, nameless = _subtitles(file, text)
    if not turns:
        raise Refused(f"{file.name} names nobody who speaks. {HOW if kind in SUBTITLES else ''}".strip())
    _check_length(file, turns, film_us)
    kept = [each for each in turns if each.start_us < film_us]
    left = [f"{nameless} lines without a name left out"] * bool(nameless)
    left += [f"{len(turns) - len(kept)} turns behind the film's end left out"] * (len(kept) < len(turns))
    whole = [Said(each.name, each.start_us, min(each.end_us, film_us), each.text) for each in kept]
    told = f"{len(whole)} turns of {len({each.name for each in whole})} speakers from {file.name}"
    whole.sort(key=lambda each: (each.start_us, each.end_us, each.name))
    return Told(whole, "; ".join([told, *left]), kind in SUBTITLES)


def _text(file: Path) -> str:
    """The words of a file in UTF-8, or UTF-16 that says so."""
    given = file.read_bytes()
    wide = given[:2] in (b"\xff\xfe", b"\xfe\xff")
    try:
        return given.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = given[: error.start].count(b"\n") + 1
        raise Refused(
            f"{file.name}, line {line}: this is no UTF-8. Save the file as UTF-8, for names must not be guessed."
        ) from None


def _rttm(file: Path, text: str) -> Iterator[Said]:
    """NIST's Rich Transcription Time Marked: `SPEAKER file channel start duration <NA> <NA> name …`, seconds."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0] != "SPEAKER":
            continue
        try:
            start, long, name = float(words[3]), float(words[4]), words[7]
        except (ValueError, IndexError):
            raise Refused(
                f"{file.name}, line {number}: a turn is `SPEAKER file 1 start duration <NA> <NA> name <NA> <NA>`."
            ) from None
        yield _said(file, f"line {number}", name, start, start + long)


def _json(file: Path, text: str) -> Iterator[Said]:
    """A list of {"speaker", "start", "end"} in seconds, alone or as "segments", as WhisperX and others write it."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise Refused(f"{file.name} is no JSON: {error}.") from None
    segments = given.get("segments", given.get("diarization")) if isinstance(given, dict) else given
    if not isinstance(segments, list):
        raise Refused(f'{file.name} holds no list of turns: [{{"speaker": "ANNA", "start": 1.5, "end": 3.0}}, …].')
    for number, each in enumerate(segments, start=1):
        name = each.get("speaker") if isinstance(each, dict) else None
        if isinstance(each, dict) and name is None:
            continue  # a segment of a transcript that no voice was found for
        try:
            start, end = float(each["start"]), float(each["end"])
        except (KeyError, TypeError, ValueError):
            raise Refused(f"{file.name}, turn {number}: it has no speaker, start and end in seconds.") from None
        yield _said(file, f"turn {number}", str(name), start, end, str(each.get("text") or ""))


def _subtitles(file: Path, text: str) -> tuple[list[Said], int]:
    """The cues that name somebody, and how many lines do not."""
    try:
        cues = list(_plain(file, text) if file.suffix.lower() in PLAIN else ttml.cues(text))
    except ValueError as error:
        raise Refused(f"{file.name} cannot be read as subtitles: {error}.") from None
    written = Counter(name for cue in cues for line in cue.lines for name, words in [_called(line)] if words)
    found, nameless = [], 0
    for cue in cues:
        name = cue.speaker
        for line in cue.lines:
            called, words = _called(line)
            if called and (written[called] > 1 or (words and (called.isupper() or "<v" in line))):
                name = called
            elif SOUND.fullmatch(line):
                continue
            else:
                words = line
            words = TAG.sub("", words).strip()
            if words and name:
                where = f"the line at {float(cue.start):.3f} s"
                found.append(_said(file, where, name, float(cue.start), float(cue.end), words))
            nameless += bool(words and not name)
    return _joined(found), nameless


def _called(line: str) -> tuple[str, str]:
    """The name with which a line begins, if it may be one, and the rest."""
    hit = NAMED.fullmatch(line)
    if hit is None or (hit["set"] and marked(f"[{hit['set']}]")):
        return "", line
    name = " ".join((hit["voice"] or hit["set"] or hit["said"]).split())
    one = hit["voice"] or all(word[:1].isupper() or not word[:1].isalpha() for word in name.split())
    return (name, hit["text"]) if one and len(name) <= LONGEST_NAME else ("", line)


def _joined(turns: Iterable[Said]) -> list[Said]:
    """Lines of one cue that one speaker says are one turn."""
    whole: dict[tuple[str, int, int], list[str]] = {}
    for each in turns:
        whole.setdefault((each.name, each.start_us, each.end_us), []).append(each.text)
    return [Said(*key, " ".join(texts)) for key, texts in whole.items()]


def _plain(file: Path, text: str) -> Iterator[ttml.Cue]:
    """The cues of SRT or WebVTT. ValueError if there is none in it."""
    import pysubs2

    try:
        read = pysubs2.SSAFile.from_string(text, format_=file.suffix.lower()[1:], keep_html_tags=True)
    except pysubs2.exceptions.Pysubs2Error as error:
        raise ValueError(str(error)) from None
    for cue in read:
        yield ttml.Cue(Fraction(cue.start, 1000), Fraction(cue.end, 1000), "", cue.text.split("\\N"))


def _said(file: Path, where: str, name: str, start: float, end: float, text: str = "") -> Said:
    """Refused where the times cannot be a turn's."""
    if not (math.isfinite(start) and math.isfinite(end)) or start < 0 or end <= start:
        raise Refused(f"{file.name}, {where}: a turn cannot last from {start:g} to {end:g} s.")
    return Said(name[:100], round(start * 1e6), round(end * 1e6), text.strip())


def _check_length(file: Path, turns: list[Said], film_us: int) -> None:
    """Refused if too much is said when the film is over."""
    spoken = sum(each.end_us - each.start_us for each in turns)
    beyond = sum(each.end_us - max(film_us, each.start_us) for each in turns if each.end_us > film_us)
    if beyond > BEYOND * spoken:
        last = max(each.end_us for each in turns)
        raise Refused(
            f"{file.name} speaks until {_clock(last)}, and the film ends at {_clock(film_us)}: it belongs to another "
            "film or another cut."
        )


def _clock(us: int) -> str:
    seconds = us // 1_000_000
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
