"""The report of a delivery: report.json for machines, index.html for people. Both say the same.

Promises: the numbers come from what was measured, not from what was planned; the page opens offline, from a USB stick,
and asks no server for anything. Deliberately not here: choosing verdicts (judge), timelines.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.catalog import HELD, PASS_THROUGH, Character, Finding, Route, Shot, Take, Track
from storage.catalog.shot import MEANINGS
from storage.film.bwf import Broadcast
from storage.film.probe import Film, Sound
from storage.film.timecode import dropped, frame_of, timecode
from tasks.clips import Clip
from tasks.conform import Picture
from tasks.deliver import Delivered
from tasks.labels import labels_in_words
from tasks.starts import Start
from tasks.stills import Still

SCHEMA: Final = 1

Report = dict[str, Any]  # JSON as DESIGN §8 fixes it


def build_report(
    film: Film,
    dub: Sound,
    picture: Picture,
    delivered: Delivered,
    *,
    shots: Sequence[Shot],
    tracks: Sequence[Track] = (),
    characters: Sequence[Character] = (),
    routes: Sequence[Route] = (),
    takes: Sequence[Take] = (),
    findings: Sequence[Finding] = (),
    seconds: Mapping[str, float] | None = None,
    versions: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
    files: Sequence[str] = (),
    start: Start = Start(),
    labels: Broadcast | None = None,
    loudness: Mapping[str, Any] | None = None,
) -> Report:
    """The report as one JSON value. Pure: rows in, dictionary out.

    files  that lie beside the report: conform lists and pulls, by their names in its folder
    takes  the circled ones. Rows must have their ids, as the catalog gave them.
    """
    casting = {row.id: row.name for row in characters}
    route_of = {row.track_id: row for row in routes}
    take_of = {row.track_id: row for row in takes}
    shot_of = {row.id: row for row in shots}
    called = {row.id: f"{shot_of[row.shot_id].name}/{row.name}" for row in tracks if row.shot_id in shot_of}
    spoken = [_finding(row, called.get(_track_of(row, takes)), takes) for row in (*findings, *delivered.findings)]
    changed = set(picture.changed)

    def track(row: Track) -> dict[str, Any]:
        route, take = route_of.get(row.id), take_of.get(row.id)
        return {
            "id": called[row.id],
            "speaker": casting.get(row.character_id) if row.character_id else None,
            "route": _kind(route),
            "model": take.model if take else None,
            "ranges": route.ranges if route else [],
            "reason": route.reason if route else "",
            "decided_by": route.decided_by if route else "",
            "take": f"v{take.version:03}" if take else None,
            "changed": sum(int(frame) in changed for frame, _, _ in take.placements) if take else 0,
            "findings": [found for found in spoken if found["track"] == called[row.id]],
        }

    return {
        "schema": SCHEMA,
        "film": {
            "path": str(film.path), "frames": film.frames, "rate": str(film.rate), "codec": film.codec,
            "pix_fmt": film.pix_fmt, "width": film.width, "height": film.height, "start_timecode": film.start_timecode,
            "duration": clock(film.duration),
        },
        "dub": {"path": str(dub.path), "codec": dub.codec, "hz": dub.hz, "channels": dub.channels,
                "lead_samples": start.lead, "start": start.words, **labels_in_words(labels)},
        "delivery": {
            "path": str(delivered.path), "picture": picture.words, "copied_packets": picture.copied,
            "notes": [*notes, *delivered.notes],
            "files": list(files),
            "streams": [
                {"kind": s.kind, "codec": s.codec, "language": s.tags.get("language", "")} for s in delivered.streams
            ],
            "streams_side_by_side": list(delivered.table),
        },
        "frames": {"total": delivered.frames, "changed": len(picture.changed), "identical": picture.identical},
        "audio": {"bit_exact": delivered.audio_bit_exact, "dub_stream": delivered.dub,
                  "loudness": dict(loudness) if loudness else None},
        "shots": [
            {
                "name": shot.name, "start": shot.start, "end": shot.end, "clip": shot.clip,
                "status": str(shot.status), "reason": shot.reason,
                "from": label(film, shot.start), "to": label(film, shot.end - 1),
                "changed": sum(n in changed for n in range(shot.start, shot.end)),
                "tracks": [track(row) for row in tracks if shot_of.get(row.shot_id) is shot],
            }
            for shot in shots
        ],
        "findings": spoken,
        "seconds": dict(seconds or {}),
        "versions": dict(versions or {}),
    }  # fmt: skip


def _kind(route: Route | None) -> str | None:
    return route.model if route else None


def _track_of(finding: Finding, takes: Iterable[Take]) -> int:
    return next((take.track_id or -1 for take in takes if take.id == finding.take_id), -1)


def _finding(row: Finding, track: str | None, takes: Iterable[Take]) -> dict[str, Any]:
    version = next((take.version for take in takes if take.id == row.take_id), None)
    return {
        "track": track, "take": f"v{version:03}" if version else None, "meter": row.meter, "value": row.value,
        "unit": row.unit, "target": row.target, "verdict": str(row.verdict), "disposition": row.disposition,
    }  # fmt: skip


def label(film: Film, frame: int) -> str:
    """The frame's timecode as an editor sees it, counted from the film's own start."""
    drop = ";" in film.start_timecode if film.start_timecode else bool(dropped(film.rate))
    try:
        first = frame_of(film.start_timecode, film.rate) if film.start_timecode else 0
    except ValueError:  # the film's label is of another rate; ingest has let it pass, the report counts from 0
        first = 0
    return timecode(first + frame, film.rate, drop=drop)


def clock(seconds: Fraction) -> str:
    """h:mm:ss, to the nearest second."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def write_page(report: Report, stills: Mapping[str, Still], clips: Mapping[str, Clip], folder: Path) -> Path:
    """Writes report.json, index.html, stills/ and clips/ into the folder; says where the page is.

    stills  by the shot's name, as tasks.stills took them; their files are copied
    clips   by the shot's name, as tasks.clips wrote them; their files are copied
    """
    (folder / "stills").mkdir(parents=True, exist_ok=True)
    (folder / "clips").mkdir(exist_ok=True)
    for clip in clips.values():
        shutil.copyfile(clip.path, folder / "clips" / clip.path.name)
    pictures: dict[str, dict[str, Any]] = {}
    for name, still in stills.items():
        for path in still.files:
            shutil.copyfile(path, folder / "stills" / path.name)
        pictures[name] = {
            kind: f"stills/{path.name}" if (path := getattr(still, kind)) else None
            for kind in ("before", "after", "mouth_before", "mouth_after")
        } | {"frame": still.frame}
    house = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined)
    house.filters["thousands"] = lambda number: f"{number:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    page = house.get_template("report.html").render(
        report=report, stills=pictures, clips=clips, means=MEANINGS, held=HELD, passed=PASS_THROUGH
    )
    _write(folder / "report.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    _write(folder / "index.html", page)
    return folder / "index.html"


def _write(path: Path, text: str) -> None:
    beside = path.with_name(path.name + ".part")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)


@task(cache_policy=NO_CACHE)
def report(said: Report, stills: Mapping[str, Still], clips: Mapping[str, Clip], folder: Path) -> Path:
    """Writes the page and its JSON beside the delivery."""
    return write_page(said, stills, clips, folder)
