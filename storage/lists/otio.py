"""OpenTimelineIO's own lists, and through its adapters Final Cut 7 XML and AAF.

The adapter is chosen here, never by the file; media are not linked. What an adapter makes of a file from outside may
end in any exception, and each of them is the file's fault: Refused, with its words.
Of several video tracks the upper ones cover the lower; disabled clips and tracks are not seen, and neither are titles
above the picture. A transition's middle is the cut, wherever the list has its own. Nested sequences are opened.
"""

import json
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import opentimelineio as otio

from storage.errors import Refused
from storage.film.timecode import rate_of, timecode
from storage.lists.events import MOST, CutList, Event, placed

COMPOUND: Final = bytes.fromhex("d0cf11e0a1b11ae1")  # the first bytes of every AAF
BLACK: Final = ("black", "slug")  # generators of nothing: the EDL adapter's, Final Cut's
DEEPEST: Final = 40  # sequences within sequences


def read_otio(text: str) -> CutList:
    """raises Refused for what is no timeline"""
    try:
        json.loads(text)  # first by a parser that ends where the nesting is too deep; OpenTimelineIO's crashes
    except (ValueError, RecursionError) as error:
        raise Refused(f"it is no JSON of OpenTimelineIO: {error}") from None
    return _adapted("otio_json", text=text)


def read_fcp7(text: str) -> CutList:
    """raises Refused as `read_otio`"""
    return _adapted("fcp_xml", text=text)


def read_aaf(path: Path) -> CutList:
    """raises Refused as `read_otio`, OSError if the file cannot be opened"""
    with path.open("rb") as file:
        if file.read(len(COMPOUND)) != COMPOUND:
            raise Refused("it is no AAF: it does not begin as a structured storage file does")
    return _adapted("AAF", path=path)


def _adapted(adapter: str, text: str = "", path: Path | None = None) -> CutList:
    unlinked = otio.media_linker.MediaLinkingPolicy.DoNotLinkMedia
    try:
        if path is not None:
            found = otio.adapters.read_from_file(str(path), adapter_name=adapter, media_linker_name=unlinked)
        else:
            found = otio.adapters.read_from_string(text, adapter_name=adapter, media_linker_name=unlinked)
        return _Reader(_timeline(found)).read()
    except Refused:
        raise
    except Exception as error:
        said = (str(error).strip().splitlines() or ["nothing"])[0][:200]
        raise Refused(f"OpenTimelineIO cannot read it ({type(error).__name__}: {said})") from error


def _timeline(found: Any) -> Any:
    if isinstance(found, otio.schema.Timeline):
        return found
    inside = []
    if isinstance(found, otio.schema.SerializableCollection):
        inside = list(found.find_children(descended_from_type=otio.schema.Timeline))
    if len(inside) != 1:
        raise Refused(f"it holds {len(inside)} sequences; export the one that was cut")
    return inside[0]


class _Reader:
    def __init__(self, timeline: Any) -> None:
        self.timeline = timeline
        self.count = self.beyond = 0

    def read(self) -> CutList:
        began = self.timeline.global_start_time
        self.rate = _rate(began.rate) if began is not None else self._common_rate()
        events = self._stack(self.timeline.tracks, 0)
        start = 0 if began is None else round(_seconds(began) * self.rate)
        notes = []
        if self.beyond:
            notes.append(f"{self.beyond} of the list's clips use frames that their media, as it says, do not have.")
        return CutList(tuple(events), self.rate, start, None, tuple(notes))

    def _common_rate(self) -> Fraction:
        """That of most of the pictures' lengths."""
        rates = [
            _rate(item.trimmed_range().duration.rate)
            for track in self.timeline.video_tracks()
            for item in track
            if isinstance(item, otio.schema.Clip | otio.schema.Gap)
        ]
        if not rates:
            raise Refused("it holds no picture")
        return max(set(rates), key=rates.count)

    def _stack(self, stack: Any, depth: int) -> list[Event]:
        """Events in frames from the stack's own start, trimmed to its source range."""
        if depth > DEEPEST:
            raise Refused(f"its sequences lie more than {DEEPEST} deep")
        events: list[Event] = []
        layer = 0
        for each in stack:
            if not each.enabled:
                continue
            if isinstance(each, otio.schema.Track):
                if each.kind != otio.schema.TrackKind.Video:
                    continue
                layer += 1
                events += self._track(each, layer, depth)
            else:
                layer += 1
                events += self._item(each, Fraction(0), layer, depth, "the stack")
        return self._trimmed(stack, events)

    def _trimmed(self, composition: Any, events: list[Event]) -> list[Event]:
        """What a composition's source range leaves of its events, counted from its start."""
        if (part := composition.source_range) is None:
            return events
        start, long = _seconds(part.start_time) * self.rate, _seconds(part.duration) * self.rate
        return placed(events, -start, Fraction(0), long)

    def _track(self, track: Any, layer: int, depth: int) -> list[Event]:
        pieces: list[list[Event]] = []
        moves: dict[int, Fraction] = {}  # before which piece the cut lies how much later than the list has it
        at = Fraction(0)
        for item in track:
            if isinstance(item, otio.schema.Transition):
                moves[len(pieces)] = (_seconds(item.out_offset) - _seconds(item.in_offset)) * self.rate / 2
                continue
            pieces.append(self._item(item, at, layer, depth, f"track {track.name or layer}"))
            at += _long(item) * self.rate
        for number, ((before, after), by) in enumerate(
            zip(pairwise(pieces), map(moves.get, range(1, len(pieces))), strict=True)
        ):
            if by and before and after:
                cut = after[0].start + by
                if before[-1].start < cut < after[0].end:
                    pieces[number][-1] = replace(before[-1], end=cut)
                    pieces[number + 1][0] = replace(after[0], start=cut, source_in="")
        return self._trimmed(track, [event for piece in pieces for event in piece])

    def _item(self, item: Any, at: Fraction, layer: int, depth: int, where: str) -> list[Event]:
        self.count += 1
        if self.count > MOST:
            raise Refused(f"it has more than {MOST} events")
        long = _long(item) * self.rate
        if isinstance(item, otio.schema.Gap) or not item.enabled or not long:
            return []
        if not isinstance(item, otio.schema.Clip):
            inside = (
                self._stack(item, depth + 1) if isinstance(item, otio.schema.Stack) else self._track(item, 1, depth + 1)
            )
            return placed(inside, at, at, at + long, (layer,))
        media = item.media_reference
        name = item.name or "clip"
        if isinstance(media, otio.schema.GeneratorReference):
            black = media.generator_kind.lower() in BLACK
            if not black and layer > 1:
                return []  # a title
            name = "" if black else name
        source = item.trimmed_range()
        if media is not None and media.available_range is not None:
            self.beyond += not _within(source, media.available_range)
        label = _label(source.start_time) if name else ""
        return [Event(at, at + long, name, _reel(item), label, (layer,), f"clip '{name}' of {where}")]


def _within(part: Any, whole: Any) -> bool:
    """OpenTimelineIO's own `contains` is false of a range that shares an edge."""
    first, last = _seconds(whole.start_time), _seconds(whole.end_time_exclusive())
    return first <= _seconds(part.start_time) and _seconds(part.end_time_exclusive()) <= last


def _long(item: Any) -> Fraction:
    return _seconds(item.trimmed_range().duration)


def _seconds(time: Any) -> Fraction:
    seconds = Fraction(time.value) / _rate(time.rate)
    if abs(seconds) > 10**6:
        raise Refused(f"{time} is no time in a film")
    return seconds


def _rate(said: float) -> Fraction:
    return rate_of(repr(float(said)))


def _label(time: Any) -> str:
    rate = _rate(time.rate)
    return timecode(round(_seconds(time) * rate), rate, drop=False)


def _reel(clip: Any) -> str:
    """As an EDL's or Final Cut's metadata say it; otherwise nothing."""
    tape = clip.metadata.get("cmx_3600", {}).get("reel", "")
    media = clip.media_reference.metadata.get("fcp_xml", {}) if clip.media_reference else {}
    for key in ("timecode", "reel", "name"):
        media = media.get(key, {}) if hasattr(media, "get") else {}
    return str(tape or (media if isinstance(media, str) else ""))
