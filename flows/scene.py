"""What the shots of one episode have in common, and the question that one face of one shot asks of a model."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from flows.overruling import standing
from storage.catalog import (
    HELD,
    PASS_THROUGH,
    Character,
    Episode,
    Route,
    Shot,
    ShotStatus,
    Speaker,
    Track,
    Turn,
    character,
    episode,
    moves,
    overrule,
    route,
    step,
    track,
    turn,
)
from storage.catalog import shot as shot_rows
from storage.catalog.session import catalog
from storage.film.probe import Film, probe
from storage.roots import there
from tasks.driving import Intervals, within
from tasks.job import EpisodeJob
from tasks.render import Question

SECOND: Final = 1_000_000  # microseconds: a turn that ends this long before a shot is not heard in it by any model

Cue = tuple[Track, Route]  # one face that gets a new mouth, and by which model
Faces = Mapping[int, list[Cue]]  # by shot id


@dataclass(frozen=True)
class Painter:
    """What the answers of a model with its weights depend on; known without loading it."""

    code: str  # sha256 of its source
    weights: str  # sha256 of its weights
    prompts: Collection[str]  # that it understands


@dataclass(frozen=True)
class Scene:
    """Read from the catalog once, for all shots."""

    job: EpisodeJob
    film: Film
    film_sha: str
    speech: Mapping[str, str]  # sha of each sound's speech artifact: original, dub, and "stem " with a stem's name
    turns: Sequence[Turn]
    cast: Mapping[int, Character]  # by id

    def question(self, shot: Shot, face: Track, chosen: Route, painter: Painter) -> Question:
        """All that decides the pixels of this face in this shot."""
        voice = self._voice(face)
        start_us, end_us = (int(self.film.time(frame) * 1_000_000) for frame in (shot.start, shot.end - 1))
        return Question(
            film=self.film_sha,
            geometry=face.geometry,
            shot=(shot.start, shot.end),
            ranges=tuple((int(start), int(end)) for start, end in chosen.ranges),
            speech=self._sound_of(voice),
            turns=within(self._said_by(voice), start_us - SECOND, end_us + SECOND),
            model=chosen.model,
            variant=self.job.variant,
            code=painter.code,
            weights=painter.weights,
            seed=self.job.seed if chosen.seed is None else chosen.seed,
            steps=self.job.steps,
            prompt=self.job.prompt if self.job.prompt in painter.prompts else "",
        )

    def _voice(self, face: Track) -> Speaker | None:
        """Who speaks for this face in the dub. None is silence: the old mouth moves, so the new one must close."""
        character = self.cast.get(face.character_id or 0)
        dub_id = character.dub_id if character else None
        return next((turn.speaker for turn in self.turns if turn.speaker_id == dub_id), None)

    def _sound_of(self, voice: Speaker | None) -> str:
        """The speaker's own stem, or the whole dub."""
        return self.speech.get(f"stem {voice.name}" if voice else "", self.speech["dub"])

    def _said_by(self, voice: Speaker | None) -> Intervals:
        return tuple((turn.start_us, turn.end_us) for turn in self.turns if voice and turn.speaker_id == voice.id)


def cues(tracks: Sequence[Track], routes: Sequence[Route]) -> Faces:
    """The faces that are to be drawn. None of a shot in which one is held: it is delivered as the source."""
    of_track = {each.track_id: each for each in routes}
    held = {face.shot_id for face in tracks if face.id in of_track and of_track[face.id].model == HELD}
    found: dict[int, list[Cue]] = {}
    for face in tracks:
        chosen = of_track.get(face.id)
        if chosen is not None and chosen.model != PASS_THROUGH and face.shot_id not in held:
            found.setdefault(face.shot_id, []).append((face, chosen))
    return found


def plan(shots: Sequence[Shot], tracks: Sequence[Track], routes: Sequence[Route]) -> None:
    """Give every shot the status its routes ask for; a shot that is done or red keeps it until it is played."""
    of_track = {each.track_id: each for each in routes}
    for shot in shots:
        chosen = [of_track[each.id] for each in tracks if each.shot_id == shot.id]
        with catalog() as session:
            said = overrule.of(session.get_one(Episode, shot.episode_id)).get(shot.name)
            status, why = standing(chosen, said)
            undecided = shot.status in (ShotStatus.PLANNED, ShotStatus.PASSED_THROUGH, ShotStatus.HELD)
            if status is not ShotStatus.WAITING or undecided:
                moves.move(session, shot, status, why)


def cued(episode_name: str, names: Sequence[str]) -> list[tuple[Shot, list[Cue]]]:
    """The named shots of an episode that has its routes, each with the faces that are to be drawn.

    raises  Refused if there is no such episode or shot
    """
    with catalog() as session:
        row = episode.by_name(session, episode_name)
        found = cues(track.of_episode(session, row.id), route.of_episode(session, row.id))
        shots = [shot_rows.by_name(session, row.id, name) for name in names]
    return [(each, found.get(each.id, [])) for each in shots]


def staged(episode_name: str) -> Scene:
    """The scene of an episode that has its routes, on whichever machine.

    raises  Missing or Refused where this machine cannot read the film
    """
    with catalog() as session:
        row = episode.by_name(session, episode_name)
        notes = {each.name: each.notes for each in step.of_episode(session, row.id)}
        turns, cast = turn.of_episode(session, row.id), character.of_episode(session, row.id)
    job = EpisodeJob.model_validate(row.job)
    return Scene(job, probe(there(job.film)), row.film_sha, notes["listen"]["speech"], turns, {c.id: c for c in cast})
