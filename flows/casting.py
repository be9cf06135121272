"""What a person says about the cast, whose face and whose voice: kept with the episode, obeyed at once where it can be.

Promises: one word is one short transaction and one event; what it takes from an earlier word is taken there too. On a
machine that has the film, the cast and the routes are found anew with all words, nothing else is looked at or listened
to again, and shots for which nothing changes keep their takes. Elsewhere the word waits for the episode's next run.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from flows import steps
from flows.claim import claim
from flows.ledger import Ledger
from flows.overruling import standing
from flows.progress import Progress
from flows.scene import plan
from flows.verbs import Change, Obeyed, Word
from flows.who import People, people
from storage.catalog import (
    Character,
    Episode,
    EpisodeStatus,
    Shot,
    Side,
    binding,
    character,
    episode,
    event,
    moves,
    overrule,
    route,
    shot,
    step,
    track,
    turn,
)
from storage.catalog.binding import NOBODY, Binding
from storage.catalog.session import catalog, hold_the_pen
from storage.errors import Missing, Refused, Unreachable
from storage.film.probe import probe
from storage.roots import there
from tasks.carried import read
from tasks.job import EpisodeJob

LONGEST: Final = 100  # letters of a name
Drawn = tuple[str, object, object, object]  # of one face: whose, who draws it, in which frames, with which dub voice
Said = dict[str, Binding]


def bind(
    name: str, who: str, by: str, why: str = "", *, faces: Sequence[int] = (), original: str | None = None,
    dub: str | None = None,
) -> Word:  # fmt: skip
    """These faces and voices are this character's. Write it down; `anew` obeys.

    who       a character's name, or a new one for a voice that is given
    faces     their numbers
    original  a voice of the film; dub: of the dub
    raises    Refused if there is no such face or voice, or nothing is said
    """
    word = Word("cast.bind", name, by, why)
    _check(who, faces, original, dub)
    with _transaction(name) as (session, row):
        there = people(session, row)
        said = binding.of(row)
        who = _spelt(who, [*there.characters, *said])
        known = there.characters.get(who)
        heard = _voice(there, Side.ORIGINAL, original)
        dubbed = _voice(there, Side.DUB, dub)
        if known is None and who not in said and not (heard or dubbed):
            raise Refused(
                f"Nobody is called {who} in '{name}'. A new name needs a voice: --original or --dub. "
                f"There are {', '.join(there.characters) or 'no characters'}; `dubline cast {name}` shows them."
            )
        was = dict(said)
        if known is not None:
            heard, dubbed = _both(there, known, heard, dubbed)
        if who not in said:
            said[who] = Binding(by) if known is not None else _renamed(said, there, heard, dubbed, Binding(by))
        if heard:
            _take_voice(said, heard)
        for number in faces:
            _take_face(said, there, number)
        mine = said[who]
        said[who] = replace(
            mine, by=by, why=why, original=heard or mine.original, dub=dubbed or mine.dub,
            faces=(*mine.faces, *(there.seen.word(number) for number in faces)),
        )  # fmt: skip
        _write(session, row, word, who, was, said)
    return word


def free(name: str, by: str, why: str = "", *, who: str | None = None, faces: Sequence[int] = ()) -> Word:
    """Take back all that was said of a character; or say that these faces have no voice.

    who     a character's name, or "nobody": then what was said of faces without a voice is taken back
    raises  Refused if nothing was said of them, or there is no such face
    """
    word = Word("cast.free", name, by, why)
    if (who is None) == (not faces):
        raise Refused("Say whose words are taken back, or --face N of which face has no voice: one of both.")
    with _transaction(name) as (session, row):
        said = binding.of(row)
        was = dict(said)
        if who is not None:
            who = _spelt(who, list(said))
            if who not in said:
                listed = f"Words are kept about {', '.join(sorted(said))}." if said else "No word is kept at all."
                raise Refused(f"Nobody has said anything about {who} in '{name}'. {listed}")
            del said[who]
        else:
            there = people(session, row)
            for number in faces:
                _take_face(said, there, number)
            mine = said.get(NOBODY, Binding(by))
            new = tuple(there.seen.word(number) for number in faces)
            said[NOBODY] = replace(mine, by=by, why=why, faces=(*mine.faces, *new))
        _write(session, row, word, who or NOBODY, was, said)
    return word


def anew(word: Word, progress: Progress) -> tuple[Obeyed, str]:
    """The cast and the routes with all that was said, and the shots for which something changes; and in words, if it
    could not be done here, when the words will count."""
    with catalog() as session:
        row = episode.by_name(session, word.episode)
        done = {each.name: each for each in step.of_episode(session, row.id)}
    later = _later(row)
    if later is None and not {"listen", "route"} <= done.keys():
        later = f"'{row.name}' has not come to its routes yet: the word counts when it does"
    if later is None:
        try:
            with claim(row.film_sha, row.dub_sha, "its cast"):
                return Obeyed(word, _found_anew(row, word, progress)), ""
        except (Missing, Unreachable, Refused) as error:
            later = f"it could not be obeyed here ({error}), and counts when the episode is run again"
    return Obeyed(word, [], whole=True), later


def _later(row: Episode) -> str | None:
    """Why an episode is better left alone."""
    if row.status is EpisodeStatus.RUNNING:
        return f"'{row.name}' is being worked on: the word counts when it is run again"
    return None


def _found_anew(row: Episode, word: Word, progress: Progress) -> list[Change]:
    """raises Missing or Unreachable if this machine cannot read the film or the store"""
    job = EpisodeJob.model_validate(row.job)
    film = probe(there(job.film))
    carried = read(there(job.cast)) if job.cast else None
    with catalog() as session:
        done = {each.name: each for each in step.of_episode(session, row.id)}
        shots, tracks = shot.of_episode(session, row.id), track.of_episode(session, row.id)
        heard = steps.heard_before(turn.of_episode(session, row.id), done["listen"].notes)
        was = _drawn(session, row)
    book = Ledger(row, progress, after=done["listen"].key)
    found = steps.cast(book, film, shots, tracks, heard, carried)
    before = done["route"].notes
    routes = steps.route(book, job, film, found, heard, before.get("lacking", {}), before.get("starts", ()))
    stood = {each.id: str(each.status) for each in shots}
    plan(shots, found.tracks, routes)
    return _changes(row, word, shots, was, stood)


def _drawn(session: Session, row: Episode) -> dict[int, list[Drawn]]:
    """By shot id: all that decides its mouths and may change with the cast."""
    cast = {each.id: each for each in character.of_episode(session, row.id)}
    routes = {each.track_id: each for each in route.of_episode(session, row.id)}
    found: dict[int, list[Drawn]] = {}
    for face in track.of_episode(session, row.id):
        who, chosen = cast.get(face.character_id or 0), routes.get(face.id)
        drawn = (
            who.name if who else NOBODY,
            chosen.model if chosen else "",
            [list(each) for each in chosen.ranges] if chosen else [],
            who.dub_id if who else None,
        )
        found.setdefault(face.shot_id, []).append(drawn)
    return found


def _changes(
    row: Episode, word: Word, shots: Sequence[Shot], was: Mapping[int, list[Drawn]], stood: Mapping[int, str]
) -> list[Change]:
    """The shots in which a face is somebody else's now; those that are drawn otherwise than before wait again.

    was, stood  by shot id, before the word: what was drawn, and the status
    """
    changes = []
    with catalog() as session:
        hold_the_pen(session.connection())
        now, said = _drawn(session, row), overrule.of(session.get_one(Episode, row.id))
        chosen = {each.track_id: each for each in route.of_episode(session, row.id)}
        for each in shots:
            before, after = was.get(each.id, []), now.get(each.id, [])
            if before == after:
                continue
            if [one[1:] for one in before] != [one[1:] for one in after]:
                routes = [chosen[face.id] for face in track.of_shot(session, each.id) if face.id in chosen]
                to, why = standing(routes, said.get(each.name))
                moves.move(session, each, to, why or word.reason(f"{word.by} said who is who"), word.by)
            told = "; ".join(f"{a[0]} → {b[0]}" for a, b in zip(before, after, strict=True) if a[0] != b[0])
            changes.append(Change(each.name, stood[each.id], str(each.status), told or "other frames of it"))
    return changes


def _check(who: str, faces: Sequence[int], original: str | None, dub: str | None) -> None:
    if not who.strip() or len(who) > LONGEST or not who.isprintable():
        raise Refused(f"'{who[:20]}' is no name: up to {LONGEST} letters on one line.")
    if who.casefold() == NOBODY:
        raise Refused("'nobody' is no character. `dubline cast free EPISODE --face N` says that a face has no voice.")
    if not faces and original is None and dub is None:
        raise Refused(f"Nothing was said of {who}: --face N, --original VOICE or --dub VOICE says what is theirs.")


def _spelt(who: str, names: Sequence[str]) -> str:
    """A name as it is written already."""
    return next((each for each in names if each.casefold() == who.casefold()), who)


def _voice(there: People, side: Side, name: str | None) -> str | None:
    """A voice as it is written. raises Refused if there is none"""
    if name is None:
        return None
    names = [each.name for each in there.voices[side]]
    if (found := name if name in names else _spelt(name, names)) not in names:
        sound = "film" if side is Side.ORIGINAL else "dub"
        listed = f"There are {', '.join(names)}." if names else f"Nobody is heard in the {sound}."
        raise Refused(f"The {sound} has no voice '{name}'. {listed}")
    return found


def _both(there: People, known: Character, heard: str | None, dubbed: str | None) -> tuple[str | None, str | None]:
    """The voices of a character that gets another one: what was not said stays as it is."""
    if not (heard or dubbed):
        return None, None
    names = {each.id: each.name for voices in there.voices.values() for each in voices}
    return heard or names.get(known.original_id or 0), dubbed or names.get(known.dub_id or 0)


def _renamed(said: Said, there: People, heard: str | None, dubbed: str | None, new: Binding) -> Binding:
    """What was said of whoever had this voice under another name, and nobody has that name any more."""
    side, voice = (Side.ORIGINAL, heard) if heard else (Side.DUB, dubbed)
    ids = [each.id for each in there.voices[side] if each.name == voice]
    had = [
        each.name for each in there.characters.values()
        if (each.original_id if side is Side.ORIGINAL else each.dub_id) in ids
    ]  # fmt: skip
    if len(had) == 1 and had[0] in said:
        old = said.pop(had[0])
        return replace(old, original=heard or old.original, dub=dubbed or (old.dub if heard else None))
    return new


def _take_voice(said: Said, heard: str) -> None:
    """A voice of the film is one character's: no other word speaks of it any more."""
    for name, word in list(said.items()):
        if word.original == heard:
            said[name] = replace(word, original=None)


def _take_face(said: Said, there: People, number: int) -> None:
    """A person is one character: no other word speaks of this face any more. raises Refused if there is no such face"""
    if number not in there.seen.persons or number < 1:
        last = max(there.seen.persons, default=0)
        listed = f"They are numbered 1 to {last}" if last else "No face was found in it"
        raise Refused(f"There is no face {number}. {listed}; `dubline cast EPISODE --pictures FILE.jpg` shows them.")
    for name, word in list(said.items()):
        left = tuple(face for face in word.faces if (near := there.seen.who(face)) is None or near[1] != number)
        if left != word.faces:
            said[name] = replace(word, faces=left)


def _write(session: Session, row: Episode, word: Word, about: str, was: Said, said: Said) -> None:
    """Keep what is said now, and an event that tells of every character whose words changed."""
    changed = {name for name in {*was, *said} if was.get(name) != said.get(name)}
    binding.say(session, row, {name: said.get(name) for name in changed})
    before, after = ({name: binding.told(each.get(name)) for name in sorted(changed)} for each in (was, said))
    event.append(session, row.id, word.by, word.verb, about, {"said": before}, {"said": after, "reason": word.why})


@contextmanager
def _transaction(name: str) -> Iterator[tuple[Session, Episode]]:
    """One writer at a time: who reads what was said, and says more, must not forget another's word."""
    with catalog() as session:
        hold_the_pen(session.connection())
        yield session, episode.by_name(session, name)
