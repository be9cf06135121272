"""FCPXML 1.x, read and written, with times as they stand there: fractions of a second.

The project's spine is the cut; connected clips and secondary storylines lie above it by their lane, titles and sound
are passed over. A transition lies over two clips that meet in its middle, and there is the cut. A compound clip is
opened, an audition shows its first choice.

This is not OpenTimelineIO's adapter (otio-fcpx-xml-adapter 1.0), which makes whole numbers of rates and cuts frames off
after floating point, so that at 23.976, 29.97 and 59.94 no range comes back. Where the rate is whole, it reads what is
written here (tests/tasks/test_timeline.py).
Source: developer.apple.com, FCPXML reference.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from storage.errors import Refused
from storage.film.timecode import timecode
from storage.lists.events import MOST, CutList, Event, placed

Element = ElementTree.Element

CLIPS: Final = ("clip", "asset-clip", "video", "ref-clip", "sync-clip", "mc-clip")
TIME: Final = re.compile(r"(-?\d{1,18}(?:/\d{1,18}|\.\d{1,9})?)s?")
NAMED: Final = {
    "2398": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "2997": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "5994": Fraction(60000, 1001),
    "60": Fraction(60),
}  # the ends of Apple's names of progressive formats: FFVideoFormat1080p2398
FOREVER: Final = Fraction(10**9)  # frames
DEPTH: Final = 20  # compound clips within compound clips
REELS: Final = ("com.apple.proapps.studio.reel", "com.apple.proapps.mio.ingestReelName")


def read(root: Element) -> CutList:
    """The cut of the one project in the file.

    raises  Refused if there is none, or more than one, or a time cannot be read
    """
    if root.tag != "fcpxml":
        raise Refused(f"its root is <{root.tag}>, not <fcpxml>")
    sequences = root.findall(".//project/sequence")
    if len(sequences) != 1:
        raise Refused(f"it holds {len(sequences)} projects; export the one that was cut")
    return _Reader(root).read(sequences[0])


class _Reader:
    def __init__(self, root: Element) -> None:
        self.resources = {each.get("id", ""): each for each in root.findall("./resources/*")}

    def read(self, sequence: Element) -> CutList:
        self.rate = self._rate(sequence.get("format", ""))
        self.count = 0
        events = self._sequence(sequence, 0)
        start = sequence.get("tcStart")
        began = None if start is None else round(_seconds(start) * self.rate)
        return CutList(tuple(events), self.rate, began or 0)

    def _rate(self, format_id: str) -> Fraction:
        found = self.resources.get(format_id)
        if found is not None and (long := _seconds(found.get("frameDuration", "0s"))) > 0:
            return 1 / long
        named = "" if found is None else found.get("name", "").rpartition("p")[2]
        if named not in NAMED:
            raise Refused(f"its sequence has the format '{format_id}', of which no frameDuration is said")
        return NAMED[named]

    def _sequence(self, sequence: Element, depth: int) -> list[Event]:
        """Its events in frames from its own start."""
        if depth > DEPTH:
            raise Refused(f"its compound clips lie more than {DEPTH} deep")
        spine = sequence.find("./spine")
        return [] if spine is None else self._spine(spine, _seconds(sequence.get("tcStart", "0s")), 0, depth)

    def _spine(self, spine: Element, zero: Fraction, layer: int, depth: int) -> list[Event]:
        """zero  what the first frame is called by the children's offsets, where they follow the rules"""
        events: list[Event] = []
        children = [_chosen(each) for each in spine if each.tag in (*CLIPS, "gap", "title", "audition")]
        firsts = [_seconds(each.get("offset", "0s")) for each in children if each.get("offset")]
        if firsts and min(firsts) < zero:  # writers that count a sequence from 0 whatever its timecode
            zero = Fraction(0)
        at = Fraction(0)
        for each in children:
            long = _seconds(each.get("duration", "0s"))
            if each.get("offset"):
                at = _seconds(each.get("offset", "0s")) - zero
            events += self._placed(each, at, long, layer, depth)
            at += long
        return events

    def _placed(self, clip: Element, at: Fraction, long: Fraction, layer: int, depth: int) -> list[Event]:
        """A clip's own events and those that are connected to it. at, long  in seconds."""
        self.count += 1
        if self.count > MOST:
            raise Refused(f"it has more than {MOST} events")
        events: list[Event] = []
        inner = _seconds(clip.get("start", "0s"))
        start, end = at * self.rate, (at + long) * self.rate
        if end > start and clip.tag in CLIPS and self._seen(clip):
            events += self._nested(clip, start, end, inner, layer, depth) or [
                Event(start, end, clip.get("name", "") or "clip", self._reel(clip), self._label(clip, inner),
                      (layer,), f"clip '{clip.get('name', '')}'")
            ]  # fmt: skip
        for child in clip:
            if (lane := child.get("lane")) is None:
                continue
            if not re.fullmatch(r"-?\d{1,4}", lane):
                raise Refused(f"'{lane[:40]}' is no lane")
            above, there = layer + int(lane), at + _seconds(child.get("offset", "0s")) - inner
            if child.tag == "spine":
                shift = there * self.rate
                inside = self._spine(child, Fraction(0), above, depth)
                events += placed(inside, shift, shift, shift + FOREVER)
            elif (shown := _chosen(child)).tag in CLIPS:
                events += self._placed(shown, there, _seconds(shown.get("duration", "0s")), above, depth)
        return events

    def _seen(self, clip: Element) -> bool:
        """Whether it is switched on and has a picture: files of sound are clips too."""
        if clip.get("enabled", "1") == "0" or clip.get("srcEnable", "all") == "audio":
            return False
        if clip.tag == "clip":
            return any(each.tag in (*CLIPS, "spine") for each in clip if "lane" not in each.attrib)
        asset = self.resources.get(clip.get("ref", ""))
        return asset is None or asset.get("hasVideo") == "1" or asset.get("hasAudio") != "1"

    def _nested(self, clip: Element, start: Fraction, end: Fraction, inner: Fraction, layer: int, depth: int) -> (
        list[Event]
    ):  # fmt: skip
        media = self.resources.get(clip.get("ref", "")) if clip.tag == "ref-clip" else None
        sequence = media.find("./sequence") if media is not None else None
        if sequence is None:
            return []
        inside = self._sequence(sequence, depth + 1)
        began = (inner - _seconds(sequence.get("tcStart", "0s"))) if clip.get("start") else Fraction(0)
        return placed(inside, start - began * self.rate, start, end, (layer,))

    def _reel(self, clip: Element) -> str:
        asset = self.resources.get(clip.get("ref", ""))
        said = {
            md.get("key"): md.get("value", "") for part in (clip, asset) if part is not None for md in part.iter("md")
        }
        return next((said[key] for key in REELS if said.get(key)), asset.get("name", "") if asset is not None else "")

    def _label(self, clip: Element, inner: Fraction) -> str:
        drop = clip.get("tcFormat") == "DF"
        try:
            return timecode(round(inner * self.rate), self.rate, drop)
        except ValueError:
            return timecode(round(inner * self.rate), self.rate, False)


def _chosen(element: Element) -> Element:
    """Of an audition the first clip, which is the one that is shown, at the audition's place."""
    if element.tag != "audition":
        return element
    first = next((each for each in element if each.tag in CLIPS), element)
    for name in ("offset", "lane"):
        if name in element.attrib and name not in first.attrib:
            first.set(name, element.attrib[name])
    return first


def _seconds(text: str) -> Fraction:
    """`1001/24000s`, `3600s`, `12.5s`"""
    try:
        if found := TIME.fullmatch(text.strip()):
            return Fraction(found[1])
    except ZeroDivisionError:
        pass
    raise Refused(f"'{text[:40]}' is no time of FCPXML")


@dataclass(frozen=True, slots=True)
class Piece:
    """One clip to be written: these frames of the film, out of the file's same frames."""

    start: int  # frames from the film's first
    end: int
    name: str
    marks: Sequence[tuple[int, str, str]] = field(default=())  # (frame of the film, name, words)


def written(
    title: str, file: Path, size: tuple[int, int], pieces: Sequence[Piece], frames: int, rate: Fraction, start: int,
    drop: bool,
) -> str:  # fmt: skip
    """FCPXML 1.8 with the pieces in the spine of a project as long as the film, and gaps between them.

    file    what the pieces are pieces of; its first frame is the film's
    size    (width, height)
    frames  of the film; start  its first frame's label, in frames from 00:00:00:00
    """
    root = ElementTree.Element("fcpxml", version="1.8")
    resources = _add(root, "resources")
    _add(resources, "format", id="r1", frameDuration=_time(1, rate),
         width=str(size[0]), height=str(size[1]))  # fmt: skip
    whole = {"start": _time(start, rate), "duration": _time(frames, rate)}
    _add(resources, "asset", id="r2", name=file.stem, src=file.absolute().as_uri(), format="r1", hasVideo="1",
         **whole)  # fmt: skip
    counting = "DF" if drop else "NDF"
    event = _add(_add(root, "library"), "event", name=title)
    sequence = _add(
        _add(event, "project", name=title), "sequence", format="r1", tcStart=whole["start"],
        duration=whole["duration"], tcFormat=counting,
    )  # fmt: skip
    spine = _add(sequence, "spine")
    at = 0
    for piece in [*pieces, None]:
        until = frames if piece is None else piece.start
        if until > at:
            _add(spine, "gap", name="Gap", offset=_time(start + at, rate), start="0s", duration=_time(until - at, rate))
        if piece is None:
            break
        begins = _time(start + piece.start, rate)
        clip = _add(spine, "asset-clip", ref="r2", name=piece.name, offset=begins, start=begins, format="r1",
                    duration=_time(piece.end - piece.start, rate), tcFormat=counting)  # fmt: skip
        for frame, name, words in piece.marks:
            _add(clip, "marker", start=_time(start + frame, rate), duration=_time(1, rate), value=name, note=words)
        at = piece.end
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n{body}\n'


def _add(parent: Element, tag: str, **attributes: str) -> Element:
    return ElementTree.SubElement(parent, tag, {name: _printable(value) for name, value in attributes.items()})


def _printable(text: str) -> str:
    """Without what XML 1.0 cannot hold."""
    return "".join(letter for letter in text if letter >= " " or letter in "\t\n")


def _time(frames: int, rate: Fraction) -> str:
    seconds = frames / rate
    return f"{seconds.numerator}s" if seconds.denominator == 1 else f"{seconds.numerator}/{seconds.denominator}s"
