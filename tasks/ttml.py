"""Timed Text: the paragraphs of a TTML or IMSC file with their times and who speaks (ttm:agent).

Source: TTML1, third edition, https://www.w3.org/TR/ttml1/ (§10 times, §12 agents). Containers are parallel, as IMSC
demands: a time counts from the begin of what holds it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

TT: Final = "{http://www.w3.org/ns/ttml}"
TTM: Final = "{http://www.w3.org/ns/ttml#metadata}"
TTP: Final = "{http://www.w3.org/ns/ttml#parameter}"
ID: Final = "{http://www.w3.org/XML/1998/namespace}id"
CLOCK: Final = re.compile(r"(\d{2,}):(\d{2}):(\d{2})(?:\.(\d+)|:(\d{2,}))?")  # 01:02:03.5, or 01:02:03:12 with frames
OFFSET: Final = re.compile(r"(\d+(?:\.\d+)?)(h|m|s|ms|f|t)")


@dataclass(frozen=True)
class Cue:
    """One paragraph."""

    start: Fraction  # seconds
    end: Fraction
    speaker: str  # the agent's name; "" if none is given
    lines: list[str]


def cues(text: str) -> Iterator[Cue]:
    """The paragraphs in the order of the file. ValueError, in words, if it is no TTML or keeps another kind of time."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is no XML: {error}") from None
    if root.tag != f"{TT}tt":
        raise ValueError("its root is no tt of http://www.w3.org/ns/ttml")
    if root.get(f"{TTP}timeBase", "media") != "media":
        raise ValueError("its times are timecodes and not counted from the film's beginning (ttp:timeBase)")
    clock = _Clock(root)
    names = {
        each.get(ID, ""): " ".join((each.findtext(f"{TTM}name") or "").split()) for each in root.iter(f"{TTM}agent")
    }

    def within(node: Element, since: Fraction, until: Fraction | None, agent: str) -> Iterator[Cue]:
        start = since + clock.seconds(node.get("begin", "0s"))
        ends = [until] if until is not None else []
        ends += [since + clock.seconds(node.attrib["end"])] if "end" in node.attrib else []
        ends += [start + clock.seconds(node.attrib["dur"])] if "dur" in node.attrib else []
        end = min(ends, default=None)
        agent = node.get(f"{TTM}agent", agent)
        if node.tag != f"{TT}p":
            for child in node:
                yield from within(child, start, end, agent)
            return
        if end is None:
            raise ValueError(f"the paragraph at {float(start):g} s has no end")
        said = next((found for each in node.iter() if (found := each.get(f"{TTM}agent"))), agent)
        yield Cue(start, end, names.get(said) or said, _words(node).split("\n"))

    for body in root.iter(f"{TT}body"):
        yield from within(body, Fraction(0), None, "")


class _Clock:
    """How this file counts."""

    def __init__(self, root: Element) -> None:
        multiplier = [int(each) for each in root.get(f"{TTP}frameRateMultiplier", "1 1").split()]
        self.frames = int(root.get(f"{TTP}frameRate", "30")) * Fraction(*multiplier)  # a second
        self.ticks = Fraction(root.get(f"{TTP}tickRate", "1"))  # a second

    def seconds(self, said: str) -> Fraction:
        """ValueError if it is no time expression."""
        if hit := CLOCK.fullmatch(said):
            hours, minutes, seconds, fraction, frames = hit.groups()
            rest = Fraction(f"0.{fraction or 0}") + int(frames or 0) / self.frames
            return 3600 * int(hours) + 60 * int(minutes) + int(seconds) + rest
        if hit := OFFSET.fullmatch(said):
            whole = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
            return Fraction(hit[1]) * (whole | {"f": 1 / self.frames, "t": 1 / self.ticks})[hit[2]]
        raise ValueError(f"'{said}' is no time")


def _words(node: Element) -> str:
    """What stands in an element; <br/> begins a line."""
    parts = [node.text or ""]
    for child in node:
        parts += ["\n" if child.tag == f"{TT}br" else _words(child), child.tail or ""]
    return "".join(part if part == "\n" else " ".join(part.split("\n")) for part in parts)
