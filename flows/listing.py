"""What the catalog knows of episodes and shots, as plain facts: dictionaries of strings, numbers and lists."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from flows import heard, who
from flows.tables import Fact
from storage.catalog import (
    Episode,
    EpisodeStatus,
    Route,
    Shot,
    ShotStatus,
    character,
    episode,
    event,
    overrule,
    route,
    step,
    take,
    track,
)
from storage.catalog import shot as shot_rows
from storage.catalog.overrule import Overrule
from storage.catalog.session import catalog
from storage.catalog.shot import MEANINGS
from tasks.job import nowhere
from tasks.rules import NUMBERS, WORDS

ONLY_PLANNED: Final = "only its plan was asked for: nobody has queued it, and nothing of it is drawn"


def episodes() -> list[Fact]:
    """Every episode, the newest first."""
    with catalog() as session:
        return [_episode(row, shot_rows.of_episode(session, row.id)) for row in episode.newest_first(session)]


def episode_status(name: str) -> Fact:
    """One episode and its finished steps."""
    with catalog() as session:
        row = episode.by_name(session, name)
        done = step.of_episode(session, row.id)
        listened = next((s.notes for s in done if s.name == "listen"), {})
        routed = next((s.notes for s in done if s.name == "route"), {})
        steps = [
            {"step": s.name, "seconds": s.microseconds / 1e6, "machine": s.machine, "finished": _time(s.finished_us)}
            for s in done
        ]
        cast = [
            {"character": c.name, "overlap": c.overlap, "bound by": c.bound_by}
            for c in character.of_episode(session, row.id)
        ]
        its_shots = shot_rows.of_episode(session, row.id)
        said = overrule.of(row)
        return {
            **_episode(row, its_shots),
            "languages": heard.languages(listened),
            "notes": [*routed.get("starts", []), *heard.remarks(listened), *overrule.unheard(row, its_shots)],
            "open": [
                {"shot": each.name, "status": str(each.status), "reason": each.reason}
                for each in its_shots
                if each.status in (ShotStatus.FAILED, ShotStatus.HELD)
            ],
            "overrules": [{"shot": name, **_said(said[name])} for name in sorted(said)],
            "steps": steps,
            "cast": cast,
            "cast notes": who.lost(step.of_episode(session, row.id)),
        }


def shots(name: str) -> list[Fact]:
    """The shots of an episode, each with the model and the reason of its routes."""
    with catalog() as session:
        row = episode.by_name(session, name)
        shot_of = {t.id: t.shot_id for t in track.of_episode(session, row.id)}
        routes, said = route.of_episode(session, row.id), overrule.of(row)
        its_shots = shot_rows.of_episode(session, row.id)
        turned_over = any(each.clip for each in its_shots)
        return [
            _shot(each, row)
            | ({"clip": each.clip} if turned_over else {})
            | {
                "routes": sorted({r.model for r in routes if shot_of[r.track_id] == each.id}),
                "by": said[each.name].by if each.name in said else "",
            }
            for each in its_shots
        ]


def shot(episode_name: str, name: str) -> Fact:
    """One shot: its tracks with their routes and takes, and its history."""
    with catalog() as session:
        row = episode.by_name(session, episode_name)
        found = shot_rows.by_name(session, row.id, name)
        routes = {r.track_id: r for r in route.of_episode(session, row.id)}
        takes = take.of_episode(session, row.id)
        characters = {c.id: c.name for c in character.of_episode(session, row.id)}
        tracks = [each for each in track.of_episode(session, row.id) if each.shot_id == found.id]
        of_track = {each.id: each.name for each in tracks}
        faces = [
            {
                "track": each.name,
                "frames": f"{each.start}–{each.end - 1}",
                "person": "" if each.face is None else each.face,
                "character": characters.get(each.character_id or 0, "nobody"),
                "confidence": each.confidence,
                "model": routes[each.id].model if each.id in routes else "none yet",
                "reason": routes[each.id].reason if each.id in routes else "",
                "decided by": routes[each.id].decided_by if each.id in routes else "",
            }
            for each in tracks
        ]
        drawn = [
            {
                "take": f"{of_track[each.track_id or 0]}/v{each.version:03d}",
                "circled": each.circled,
                "model": each.model,
                "seed": each.seed,
                "ms a frame": each.microseconds_a_frame / 1000,
                "machine": each.machine,
                "placements": each.placements,
                "key": each.key,
                "patch": each.patch,
                "matte": each.matte,
            }
            for each in takes
            if each.track_id in of_track
        ]
        history = [
            {"at": _time(e.at_us), "who": e.who, "what": e.what, "reason": e.after.get("reason", "")}
            for e in event.of_episode(session, row.id)
            if e.about == name
        ]
        said = overrule.of(row).get(name)
        return {
            **_shot(found, row),
            **({"clip": found.clip, "reel": found.reel, "source in": found.source_in} if found.clip else {}),
            "means": MEANINGS[found.status],
            "overrules": [_said(said)] if said else [],
            "tracks": faces,
            "measures": [{"track": each.name, **_measures(routes[each.id])} for each in tracks if each.id in routes],
            "takes": drawn,
            "history": history,
        }


def _measures(chosen: Route) -> dict[str, Any]:
    """What the rules read of a face, under the names of tasks/route.toml; empty where an older Dubline did not ask."""
    return {name: chosen.numbers.get(name, "") for name in (*NUMBERS, *WORDS)}


def _episode(row: Episode, its_shots: Sequence[Shot]) -> Fact:
    count: dict[str, int] = {}
    for each in its_shots:
        count[each.status] = count.get(each.status, 0) + 1
    return {
        "episode": row.name,
        "status": str(row.status),
        "shots": count,
        "frames": row.frames,
        "rate": str(Fraction(row.rate_num, row.rate_den)),
        "out": "" if row.out == str(nowhere(Path(row.film))) else row.out,
        "reason": row.reason or (ONLY_PLANNED if row.status is EpisodeStatus.PLANNED else ""),
        "created": _time(row.created_us),
    }


def _shot(row: Shot, of: Episode) -> dict[str, Any]:
    return {
        "shot": row.name,
        "start": row.start,
        "end": row.end,
        "at": at(row, of),
        "status": str(row.status),
        "reason": row.reason,
    }


def at(row: Shot, of: Episode) -> str:
    """Where the shot begins: minutes and seconds."""
    seconds = Fraction(row.start) * of.rate_den / of.rate_num
    return f"{int(seconds // 60)}:{float(seconds % 60):05.2f}"


def _said(said: Overrule) -> dict[str, Any]:
    """Who has decided what of a shot."""
    return {
        "model": said.model or "as the rules say",
        "seed": "" if said.seed is None else said.seed,
        "by": said.by,
        "why": said.why,
    }


def _time(us: int) -> str:
    return datetime.fromtimestamp(us / 1e6, UTC).isoformat(timespec="seconds")
