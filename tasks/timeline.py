"""The conform lists that lie beside a delivery: what an editor opens to see which shots changed, and to change back.

timeline.otio     the whole film, a clip for each shot over the delivery; the film as it came is a second reference of
                  every clip, and a changed shot's takes are references of their own, the circled one active. A take
                  that is not circled has no picture to show: its reference is a missing one that says what it was.
changes.edl       CMX3600, one event for each changed shot
changes.fcpxml    the same for Final Cut Pro and Resolve
Ranges are the delivery's own timecode, which is the film's. Markers say what was found, and why a shot is held or red.
Promises: written beside, then renamed; none of them is needed to play or to report the delivery.
Deliberately not here: how EDL and FCPXML are spelled (storage/lists), pictures (tasks/pull.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from storage.catalog import Finding, Shot, ShotStatus, Take, Track, Verdict
from storage.film.probe import Film
from storage.film.timecode import dropped, frame_of
from storage.lists import edl, fcpxml

if TYPE_CHECKING:
    from opentimelineio.schema import Clip, Timeline

LISTS: Final = ("timeline.otio", "changes.edl", "changes.fcpxml")
COLOURS: Final = {  # those that OpenTimelineIO, Avid and Resolve all know
    Verdict.RED: "RED", Verdict.GREEN: "GREEN", Verdict.NO_TARGET: "CYAN",
    ShotStatus.HELD: "YELLOW", ShotStatus.FAILED: "RED",
}  # fmt: skip


@dataclass(frozen=True)
class Conformed:
    """A delivery and the rows that tell of it. Rows have their ids, as the catalog gave them."""

    episode: str
    film: Film
    out: Path
    shots: Sequence[Shot]
    tracks: Sequence[Track]
    takes: Sequence[Take]  # all of them, circled or not
    findings: Sequence[Finding]
    changed: frozenset[int]  # frames
    pulls: Mapping[str, Path] = field(default_factory=dict)  # by the shot's name: its pulled picture, if it was pulled

    def takes_of(self, shot: Shot) -> list[tuple[str, Take]]:
        """(the key that editors see, the take): `v001`, or `f1 v001` where several faces of the shot were drawn."""
        drawn = self._drawn.get(shot.id, [])
        alone = len({track.id for track, _ in drawn}) == 1
        return [(f"v{take.version:03}" if alone else f"{track.name} v{take.version:03}", take) for track, take in drawn]

    def found_on(self, shot: Shot) -> list[tuple[Finding, str, Take]]:
        """(the finding, the key of its take, the take) of the shot's takes."""
        return [(found, key, take) for key, take in self.takes_of(shot) for found in self._findings.get(take.id, [])]

    @cached_property
    def _findings(self) -> Mapping[int | None, list[Finding]]:
        """By the take's id; None: on the delivery."""
        by_take: dict[int | None, list[Finding]] = {}
        for found in self.findings:
            by_take.setdefault(found.take_id, []).append(found)
        return by_take

    @cached_property
    def _drawn(self) -> Mapping[int, list[tuple[Track, Take]]]:
        """By the shot's id; looked up once, for a feature has thousands of each."""
        tracks = {track.id: track for track in self.tracks}
        found: dict[int, list[tuple[Track, Take]]] = {}
        for take in self.takes:
            if (track := tracks.get(take.track_id or 0)) is not None:
                found.setdefault(track.shot_id, []).append((track, take))
        return found

    def changes(self) -> list[Shot]:
        """The shots in which at least one frame differs from the film."""
        return [shot for shot in self.shots if not self.changed.isdisjoint(range(shot.start, shot.end))]


@dataclass(frozen=True)
class Mark:
    """A marker of a list."""

    frame: int  # of the film
    name: str
    words: str
    colour: str


def first_label(film: Film) -> tuple[int, bool]:
    """(the film's first frame, counted from 00:00:00:00; whether its labels are drop-frame). As the report counts."""
    said = film.start_timecode
    try:
        return (frame_of(said, film.rate) if said else 0), (";" in said if said else bool(dropped(film.rate)))
    except ValueError:  # a label of another rate
        return 0, bool(dropped(film.rate))


def marks(told: Conformed, shot: Shot) -> list[Mark]:
    """What there is to say of a shot: why it is held or red, and what was found on its takes."""
    said = []
    if shot.status in (ShotStatus.HELD, ShotStatus.FAILED):
        said.append(Mark(shot.start, f"{shot.name} {shot.status}", shot.reason, COLOURS[shot.status]))
    for found, key, take in told.found_on(shot):
        target = "no target" if found.target is None else f"target {found.target:.4g}"
        words = f"{key}: {found.value:.4g} {found.unit}".rstrip() + f", {target}, {found.verdict}"
        words += f"; {found.disposition}" if found.disposition else ""
        at = int(take.placements[0][0]) if take.placements else shot.start
        said.append(Mark(at, found.meter, words, COLOURS[found.verdict]))
    return said


def timeline(told: Conformed) -> "Timeline":
    """The film in OpenTimelineIO."""
    import opentimelineio as otio

    rate = float(told.film.rate)
    zero, _ = first_label(told.film)
    made = otio.schema.Timeline(told.episode, global_start_time=otio.opentime.RationalTime(zero, rate))
    made.metadata["dubline"] = {"film": str(told.film.path), "delivery": str(told.out), "rate": str(told.film.rate)}
    picture = otio.schema.Track("V1 dubbed", kind=otio.schema.TrackKind.Video)
    made.tracks.append(picture)
    for shot in told.shots:
        picture.append(_clip(told, shot, zero, rate))
    return made


def _clip(told: Conformed, shot: Shot, zero: int, rate: float) -> "Clip":
    import opentimelineio as otio

    def span(start: int, end: int) -> Any:
        return otio.opentime.TimeRange(*(otio.opentime.RationalTime(n, rate) for n in (zero + start, end - start)))

    whole = span(0, told.film.frames)

    def file(name: str, path: Path, of: Any = whole) -> Any:
        reference = otio.schema.ExternalReference(path.absolute().as_uri(), of)
        reference.name = name
        return reference

    references: dict[str, Any] = {"source": file("source", told.film.path)}
    active = "delivery"
    for key, take in told.takes_of(shot):
        shown = take.circled and shot.status is ShotStatus.DONE
        reference = file(key, told.out) if shown else otio.schema.MissingReference(key, whole)
        reference.metadata["dubline"] = _take(take)
        references[key] = reference
        active = key if shown and active == "delivery" else active
    if active == "delivery":
        references[active] = file(active, told.out)
    if pulled := told.pulls.get(shot.name):
        references["pull"] = file("pull", pulled)
    made = otio.schema.Clip(shot.name, source_range=span(shot.start, shot.end))
    made.set_media_references(references, active)
    made.metadata["dubline"] = {
        "status": str(shot.status), "reason": shot.reason, "start": shot.start, "end": shot.end,
        "changed": len(told.changed.intersection(range(shot.start, shot.end))),
        "clip": shot.clip, "reel": shot.reel, "source_in": shot.source_in,
    }  # fmt: skip
    for mark in marks(told, shot):
        made.markers.append(
            otio.schema.Marker(mark.name, span(mark.frame, mark.frame + 1), mark.colour, comment=mark.words)
        )
    return made


def _take(take: Take) -> dict[str, Any]:
    frames = [int(frame) for frame, _, _ in take.placements]
    return {
        "key": take.key, "model": take.model, "seed": take.seed, "circled": take.circled, "patch": take.patch,
        "matte": take.matte, "first": min(frames, default=-1), "last": max(frames, default=-1), "frames": len(frames),
    }  # fmt: skip


def changes_edl(told: Conformed) -> str:
    """The changed shots as CMX3600. Raises ValueError at rates that the format cannot count."""
    zero, drop = first_label(told.film)
    lines = [
        edl.Line(
            zero + shot.start, zero + shot.end, shot.name, told.out.name,
            [(zero + mark.frame, mark.colour, f"{mark.name}: {mark.words}") for mark in marks(told, shot)],
        )
        for shot in told.changes()
    ]  # fmt: skip
    return edl.written(f"{told.episode} dubbed", told.out.stem, lines, told.film.rate, drop)


def changes_fcpxml(told: Conformed) -> str:
    """The changed shots as FCPXML."""
    zero, drop = first_label(told.film)
    pieces = [
        fcpxml.Piece(
            shot.start, shot.end, shot.name, [(each.frame, each.name, each.words) for each in marks(told, shot)]
        )
        for shot in told.changes()
    ]
    film = told.film
    size = (film.width, film.height)
    return fcpxml.written(f"{told.episode} dubbed", told.out, size, pieces, film.frames, film.rate, zero, drop)


def write_lists(told: Conformed, folder: Path) -> tuple[list[Path], list[str]]:
    """(the lists that were written into the folder, notes on one that was not)."""
    import opentimelineio as otio

    texts, notes = {"timeline.otio": otio.adapters.write_to_string(timeline(told), "otio_json")}, []
    try:
        texts["changes.edl"] = changes_edl(told)
    except ValueError as error:
        notes.append(f"changes.edl is left out: {error}.")
    texts["changes.fcpxml"] = changes_fcpxml(told)
    written = []
    for name, text in texts.items():
        beside = folder / f"{name}.part"
        beside.write_text(text, encoding="utf-8")
        beside.replace(folder / name)
        written.append(folder / name)
    return written, notes
