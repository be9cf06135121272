"""The steps before drawing: each calls its task, gives the rows to the ledger, and returns what the catalog then holds.

`asked` of a step is what it reads beside the rows of the steps before it; a setting that changes what is found counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from flows.ledger import Found, Ledger
from flows.overruling import judge_again
from flows.run import run
from storage import artifacts
from storage.catalog import Character, Episode, Route, Shot, Track, Turn, binding, character, shot, track, turn
from storage.catalog import route as route_rows
from storage.film.probe import Film
from storage.settings import settings
from tasks import cast as casting
from tasks import listen as listening
from tasks import look as looking
from tasks import loudness as measuring
from tasks import route as routing
from tasks import split as splitting
from tasks.carried import CastFile
from tasks.ingest import Ingested
from tasks.job import EpisodeJob
from tasks.progress import OnProgress
from tasks.rules import rules
from tasks.words import Words


@dataclass(frozen=True)
class Heard:
    """What the episode sounds like."""

    turns: Sequence[Turn]  # of both sides, in the order they are heard
    speech: dict[str, str]  # sha of each sound's speech artifact: original, dub, and "stem " with a stem's name
    prints: str | None = None  # sha of its voice prints, where there are any


@dataclass(frozen=True)
class Cast:
    """Who is who."""

    characters: Sequence[Character]
    tracks: Sequence[Track]  # now bound
    reasons: Sequence[str]  # of each track's binding, or of its having none


def ingested(book: Ledger, given: Ingested, spent_us: int) -> None:
    """The film's bytes are what every later key stands on."""
    book.step(
        "ingest", {"film": given.film_sha}, lambda _: Found(notes={"notes": list(given.notes)}), spent_us=spent_us
    )


def split(book: Ledger, given: Ingested) -> Sequence[Shot]:
    """The shots of the cut list, where one came with the film; else those that are seen in it."""
    turnover = given.turnover

    def compute(on_progress: OnProgress) -> Found:
        if turnover is not None:
            for note in turnover.notes:
                book.progress.say(note)
            return Found(turnover.shots(), {"notes": list(turnover.notes)})
        found = run(splitting.split, given.film, on_progress)
        return Found(found)

    book.step("split", {"timeline": turnover.sha} if turnover else {}, compute)
    return book.read(shot.of_episode)


def look(book: Ledger, job: EpisodeJob, film: Film, shots: Sequence[Shot]) -> Sequence[Track]:
    def compute(on_progress: OnProgress) -> Found:
        seen = run(looking.look, film, shots, on_progress, job.mouths)
        return Found([*seen.kept, *seen.tracks])

    book.step("look", {"mouths": job.mouths}, compute)
    return book.read(track.of_episode)


def listen(book: Ledger, job: EpisodeJob, given: Ingested) -> Heard:
    def compute(_: object) -> Found:
        heard = run(
            listening.listen, given.film, job.dub, job.stems, job.speakers, job.transcript, job.voices, given.leads
        )
        notes = {
            **heard.notes,
            "speech": {name: kept.sha for name, kept in heard.speech.items()},
            "loudness": run(measuring.loudness, given.film, given.dub),
        }
        return Found([*heard.speech.values(), *heard.beside, *heard.turns], notes)

    machine = {"weights": settings().weights, "whisper": settings().whisper}
    asked = {
        "dub": given.dub_sha, "stems": given.stem_shas, "speakers": job.speakers, "transcript": job.transcript,
        "voices": given.voice_shas, "leads": given.leads,
    }  # fmt: skip
    notes = book.step("listen", asked | machine, compute)
    return heard_before(book.read(turn.of_episode), notes)


def heard_before(turns: Sequence[Turn], notes: Mapping[str, Any]) -> Heard:
    """What the step `listen` has written down."""
    return Heard(turns, dict(notes["speech"]), notes.get("voice prints"))


def cast(
    book: Ledger, film: Film, shots: Sequence[Shot], tracks: Sequence[Track], heard: Heard, carried: CastFile | None
) -> Cast:
    """carried  the cast of the episode before, if the job came with one"""
    said = book.read(lambda session, episode_id: session.get_one(Episode, episode_id)).bindings

    def compute(_: object) -> Found:
        prints = artifacts.arrays(heard.prints) if heard.prints and carried else {}
        words = Words(binding.read(said), {each.id: each.name for each in shots}, carried, prints)
        found = run(casting.cast, film, tracks, heard.turns, heard.speech, words)

        def bind(session: Session) -> None:
            for each, face in zip(tracks, found.faces, strict=True):
                stored = session.get_one(Track, each.id)
                stored.character_id = face.character.id if face.character else None
                stored.confidence, stored.face = face.confidence, face.person

        reasons = [face.reason for face in found.faces]
        return Found(found.characters, {"reasons": reasons, "notes": list(found.notes)}, bind)

    asked = {"said": said, "carried": carried.model_dump(by_alias=True) if carried else None}
    notes = book.step("cast", asked, compute)
    return Cast(book.read(character.of_episode), book.read(track.of_episode), notes["reasons"])


def route(
    book: Ledger,
    job: EpisodeJob,
    film: Film,
    cast: Cast,
    heard: Heard,
    lacking: Mapping[str, str],
    starts: Sequence[str] = (),
) -> Sequence[Route]:
    """The rules decide, and what persons have said is laid over it in the same transaction (ADR 22).

    lacking  models that the rules may choose and this job cannot have, each with the reason
    starts   where sounds begin that do not begin with the film, in words: kept here, for nothing is heard anew for
             another reason
    """
    table = rules()

    def compute(_: object) -> Found:
        found = run(
            routing.route, film, cast.tracks, cast.characters, heard.turns, job.model, cast.reasons, table, lacking
        )

        def listen_to_persons(session: Session) -> None:
            episode = session.get_one(Episode, book.episode.id, populate_existing=True)
            judge_again(session, episode, episode.overrules, table)

        return Found(
            found, {"rules": table.model_dump(), "lacking": dict(lacking), "starts": [*starts]}, listen_to_persons
        )

    book.step("route", {"model": job.model, "rules": table.sha, "lacking": dict(lacking), "starts": [*starts]}, compute)
    return book.read(route_rows.of_episode)
