"""What an operator says about shots: retry, hold, release, skip, reroute, cancel. Here the catalog obeys, nothing else.

Promises: one word is one short transaction over all its shots, so a name that is not there leaves nothing behind;
routes and statuses are right when it ends; every word is an event with who, when, before → after and why.
Deliberately not here: the runs on a farm (flows/farm/orders.py), drawing and delivering (flows/episode.py).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from sqlalchemy.orm import Session

from flows.overruling import judge_again, standing
from storage.catalog import (
    HELD,
    PASS_THROUGH,
    Episode,
    EpisodeStatus,
    Route,
    Shot,
    ShotStatus,
    episode,
    event,
    moves,
    overrule,
    route,
    shot,
    step,
    take,
    track,
)
from storage.catalog.overrule import Overrule, as_json
from storage.catalog.session import catalog, hold_the_pen
from storage.errors import Refused

AT_WORK: Final = (ShotStatus.WAITING, ShotStatus.RENDERING)
SEEDS: Final = 2**32


@dataclass(frozen=True)
class Word:
    """Who says what to an episode, and why."""

    verb: str
    episode: str
    by: str
    why: str

    def reason(self, did: str) -> str:
        return did + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class Change:
    """What became of one shot."""

    shot: str
    before: str  # its status
    after: str
    reason: str


@dataclass(frozen=True)
class Obeyed:
    """A word that the catalog has obeyed."""

    word: Word
    shots: Sequence[Change]
    whole: bool = False  # it was said of the episode, and no shot was named

    @property
    def to_draw(self) -> list[str]:
        """The shots that a process has to take up."""
        return [each.shot for each in self.shots if each.after in AT_WORK]


def hold(name: str, shots: Sequence[str], by: str, why: str) -> Obeyed:
    """The shots wait for a person; they are delivered as the source meanwhile."""
    word = Word("hold", name, by, why)
    return _overrule(word, shots, lambda said: Overrule(by, why, HELD, _seed(said)))


def skip(name: str, shots: Sequence[str], by: str, why: str = "") -> Obeyed:
    """The shots are delivered as the source, and nobody is asked any more."""
    word = Word("skip", name, by, why)
    return _overrule(word, shots, lambda said: Overrule(by, why, PASS_THROUGH, _seed(said)))


def reroute(name: str, shots: Sequence[str], model: str, by: str, why: str = "") -> Obeyed:
    """The shots are drawn by this model, whatever it is not good at. The takes of other models stay.

    model  a name of models.registry; whether the job may use it is for the caller to ask (painters.allow)
    """
    word = Word("reroute", name, by, why)
    return _overrule(word, shots, lambda said: Overrule(by, why, model, _seed(said)))


def release(name: str, shots: Sequence[str], by: str, why: str = "") -> Obeyed:
    """What was said of who draws the shots is taken back: the rules decide again. A seed that `retry` chose stays."""

    def take_back(said: Overrule | None) -> Overrule | None:
        if said is None or said.model is None:
            raise Refused(
                f"Not every one of {', '.join(shots)} has been held, skipped or rerouted by a person, so there is "
                f"nothing to take back. `dubline show {name} SHOT` says who decided what."
            )
        return Overrule(by, why, None, said.seed) if said.seed is not None else None

    return _overrule(Word("release", name, by, why), shots, take_back)


def retry(name: str, shots: Sequence[str], by: str, why: str = "", new_seed: bool = False) -> Obeyed:
    """Red shots are drawn again, all of them if none is named; with `new_seed` also shots that are done.

    A shot that is done has its answer, and asked the same it would get the same. With a seed that no take of it has
    had it is asked something else, and gets a new take.
    """
    word = Word("retry", name, by, why)
    with _transaction(name) as (session, row):
        rows = _named(session, row, shots) if shots else _red(session, row)
        said = overrule.of(row)
        for each in rows:
            _refuse_to_retry(word, each, new_seed, said.get(each.name))
        says = {each.name: said.get(each.name) for each in rows}
        if new_seed:
            says |= {each.name: _with_next_seed(session, row, each, word, said.get(each.name)) for each in rows}
            overrule.say(session, row, says)
            judge_again(session, row, says)
        changes = []
        for each in rows:
            to = ShotStatus.WAITING if new_seed or each.status is ShotStatus.FAILED else each.status
            reason = word.reason(f"{by} retries it")
            changes.append(_turned(session, word, each, to, reason, said.get(each.name), says[each.name]))
        if not rows:
            event.append(session, row.id, by, "episode.retry", name, {"status": str(row.status)}, {"reason": why})
        return Obeyed(word, changes, whole=not shots)


def cancel(name: str, shots: Sequence[str], by: str, why: str = "") -> Obeyed:
    """Shots that wait or are drawn turn red; if none is named all of those, and the episode fails."""
    word = Word("cancel", name, by, why)
    with _transaction(name) as (session, row):
        if row.status is EpisodeStatus.PLANNED:
            raise Refused(f"{name} is only planned: nobody works on it, so there is nothing to cancel.")
        rows = _named(session, row, shots) if shots else shot.of_episode(session, row.id)
        if shots and (idle := [f"{each.name} is {each.status}" for each in rows if each.status not in AT_WORK]):
            raise Refused(
                f"{', '.join(idle)}: there is no work to cancel. `dubline skip` delivers a shot as the source."
            )
        reason, said = word.reason(f"cancelled by {by}"), overrule.of(row)
        changes = [
            _turned(session, word, each, ShotStatus.FAILED, reason, said.get(each.name), said.get(each.name))
            for each in rows
            if each.status in AT_WORK
        ]
        if not shots:
            event.append(session, row.id, by, "episode.cancel", name, {"status": str(row.status)}, {"reason": why})
            if row.status in (EpisodeStatus.QUEUED, EpisodeStatus.RUNNING):
                moves.move(session, row, EpisodeStatus.FAILED, reason, by)
        return Obeyed(word, changes, whole=not shots)


def _overrule(word: Word, shots: Sequence[str], say: Callable[[Overrule | None], Overrule | None]) -> Obeyed:
    """Change what is said of these shots, and what follows from it."""
    with _transaction(word.episode) as (session, row):
        said = overrule.of(row)
        gone = set(said) - {each.name for each in shot.of_episode(session, row.id)} if word.verb == "release" else set()
        rows = _named(session, row, (name for name in shots if name not in gone))
        says = {name: say(said.get(name)) for name in shots}
        overrule.say(session, row, says)
        judge_again(session, row, says)
        routes, changes = _routes(session, row), []
        for each in rows:
            to, reason = _stands(each, routes, says[each.name])
            if to is ShotStatus.WAITING:
                reason = word.reason({"release": f"{word.by} released it"}.get(word.verb, f"{word.by} rerouted it"))
            changes.append(_turned(session, word, each, to, reason, said.get(each.name), says[each.name]))
        for name in sorted(gone & set(shots)):
            event.append(session, row.id, word.by, "shot.release", name, {"overrule": as_json(said[name])}, {})
            changes.append(Change(name, "gone", "gone", "the shot is no more since the film was cut anew"))
        return Obeyed(word, changes)


def _routes(session: Session, row: Episode) -> dict[int, list[Route]] | None:
    """By the shot's id; None if the episode has not been routed yet."""
    if not any(done.name == "route" for done in step.of_episode(session, row.id)):
        return None
    shot_of = {face.id: face.shot_id for face in track.of_episode(session, row.id)}
    found: dict[int, list[Route]] = {}
    for chosen in route.of_episode(session, row.id):
        found.setdefault(shot_of[chosen.track_id], []).append(chosen)
    return found


def _stands(each: Shot, routes: dict[int, list[Route]] | None, said: Overrule | None) -> tuple[ShotStatus, str]:
    """The status of a shot whose routes have just been judged; without any only what was said counts."""
    if routes is not None:
        return standing(routes.get(each.id, []), said)
    if said is not None and said.model in (HELD, PASS_THROUGH):
        return standing([], said)
    undone = each.status in (ShotStatus.HELD, ShotStatus.PASSED_THROUGH)
    return (ShotStatus.PLANNED, "") if undone else (each.status, each.reason)


def _turned(
    session: Session, word: Word, each: Shot, to: ShotStatus, reason: str, was: Overrule | None, says: Overrule | None
) -> Change:
    """Write down the word about one shot, and give the shot its status."""
    stood = str(each.status)
    before = {"status": stood, "overrule": as_json(was)}
    after = {"status": str(to), "overrule": as_json(says), "reason": word.why}
    event.append(session, each.episode_id, word.by, f"shot.{word.verb}", each.name, before, after)
    moves.move(session, each, to, reason, word.by)
    return Change(each.name, stood, str(to), reason)


def _refuse_to_retry(word: Word, each: Shot, new_seed: bool, said: Overrule | None) -> None:
    match each.status:
        case ShotStatus.DONE if not new_seed:
            what = "the same question has the same answer. --new-seed draws it once more, `dubline reroute` otherwise"
        case ShotStatus.HELD if said is not None and said.model == HELD:
            what = f"{each.reason}. `dubline release {word.episode} {each.name}` takes that back"
        case ShotStatus.HELD | ShotStatus.PASSED_THROUGH:
            what = f"{each.reason}. `dubline reroute {word.episode} {each.name} --model NAME` may draw it all the same"
        case ShotStatus.PLANNED:
            what = "nobody has decided yet who draws it"
        case _:
            return
    raise Refused(f"{each.name} is {each.status}: {what}.")


def _with_next_seed(session: Session, row: Episode, each: Shot, word: Word, said: Overrule | None) -> Overrule:
    """The same word, with the first seed after the shot's that no take of it has had."""
    of_shot = {face.id for face in track.of_episode(session, row.id) if face.shot_id == each.id}
    drawn = {one.seed for one in take.of_episode(session, row.id) if one.track_id in of_shot}
    last = said.seed if said is not None and said.seed is not None else int(row.job.get("seed", 0))
    seed = next(free for n in count(last + 1) if (free := n % SEEDS) not in drawn)
    return replace(said, seed=seed) if said is not None and said.model else Overrule(word.by, word.why, None, seed)


def _red(session: Session, row: Episode) -> Sequence[Shot]:
    """Every red shot. None: only the episode goes on; Refused if it has nothing to go on with."""
    rows = shot.of_episode(session, row.id)
    ended = row.status in (EpisodeStatus.DELIVERED, EpisodeStatus.PARTIAL)
    if ended and not any(each.status in (ShotStatus.FAILED, *AT_WORK) for each in rows):
        raise Refused(
            f"{row.name} is {row.status}, and no shot of it is red. "
            f"`dubline retry {row.name} SHOT --new-seed` draws a shot that is done once more."
        )
    return [each for each in rows if each.status is ShotStatus.FAILED]


def _named(session: Session, row: Episode, names: Iterable[str]) -> Sequence[Shot]:
    return [shot.by_name(session, row.id, name) for name in dict.fromkeys(names)]


def _seed(said: Overrule | None) -> int | None:
    return said.seed if said is not None else None


@contextmanager
def _transaction(name: str) -> Iterator[tuple[Session, Episode]]:
    """One writer at a time: who reads what was said, and says more, must not forget another's word."""
    with catalog() as session:
        hold_the_pen(session.connection())
        yield session, episode.by_name(session, name)
