"""One shot: its takes are found in the catalog or drawn, and it ends done or red. The unit an operator retries.

Promises: what goes wrong in a shot stays in the shot; what is done is not done again, whoever asks.
Deliberately not here: takes (flows/takes.py), how an episode sends its shots to a farm (flows/farm/shots.py).
"""

import traceback
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import Any

from prefect import flow, runtime, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows import takes
from flows.farm import attempt, pages, resume
from flows.patience import patiently
from flows.progress import Logged, Progress
from flows.scene import Cue, Scene, cued, cues, staged
from flows.takes import Held
from storage.catalog import Shot, ShotStatus, event, moves, route, track
from storage.catalog.session import catalog, hold_the_pen
from storage.errors import DublineError, Missing, Refused


def play(
    scene: Scene,
    shot: Shot,
    progress: Progress,
    held: Held = nullcontext,
) -> bool:
    """Draw what the shot lacks. It is then done, or red with the reason in the catalog; says whether it is not red.

    A person's word that comes meanwhile counts: a shot that was held or skipped stays so, one that was sent to another
    model is drawn by that.

    held    what is held while a model draws: on a farm, the card
    raises  Missing and Refused: what is wrong with one shot for such a reason is wrong with all on this machine
    """
    asked = _asked(shot)
    while asked:
        try:
            for cue in asked:
                patiently(partial(takes.drawn, scene, shot, cue, progress, held), progress.say)
        except Exception as error:
            if _same(asked, now := _asked(shot)):
                if isinstance(error, Missing | Refused):
                    raise
                redden(shot, error, progress)
                return False
        else:
            now = _done(shot, asked)
            if _same(asked, now):
                return True
        asked = now
    return True


def _asked(shot: Shot) -> list[Cue]:
    """The faces of the shot that are to be drawn, as the catalog has it now."""
    with catalog() as session:
        return cues(track.of_shot(session, shot.id), route.of_shot(session, shot.id)).get(shot.id, [])


def _done(shot: Shot, drawn: Sequence[Cue]) -> list[Cue]:
    """What is asked of the shot now; it is done if that is what was drawn. One transaction: no word comes between."""
    with catalog() as session:
        hold_the_pen(session.connection())
        now = cues(track.of_shot(session, shot.id), route.of_shot(session, shot.id)).get(shot.id, [])
        if now and _same(drawn, now):
            moves.move(session, shot, ShotStatus.DONE)
        return now


def _same(one: Sequence[Cue], other: Sequence[Cue]) -> bool:
    """Whether both ask for the same mouths."""
    said = [[(face.id, chosen.model, chosen.ranges, chosen.seed) for face, chosen in each] for each in (one, other)]
    return said[0] == said[1]


def settled(shot: Shot, faces: Sequence[Cue], scene: Scene) -> bool:
    """Whether every face has its take already: then they are circled and the shot is done. Draws nothing.

    False too where the weights are not on this machine: who has them can tell.
    """
    try:
        found = [takes.known(shot, cue[0], takes.asked(scene, shot, cue).key) for cue in faces]
    except Missing:
        return False
    return all(found) and _same(faces, _done(shot, faces))


def redden(shot: Shot, error: Exception, progress: Progress) -> None:
    """Write down that the shot is red: the reason in words, and for its developers where it came from."""
    why = str(error) if isinstance(error, DublineError) else f"{type(error).__name__}: {error}"
    with catalog() as session:
        moves.move(session, shot, ShotStatus.FAILED, why)
        said = {"error": "".join(traceback.format_exception(error, limit=-8))}
        event.append(session, shot.episode_id, "dubline", "shot.error", shot.name, after=said)
    progress.say(f"render   {shot.name}  red: {why}")


@task(name="shot", task_run_name="{shot.name}", cache_policy=NO_CACHE, persist_result=False)
def _play(scene: Scene, shot: Shot, faces: Sequence[Cue]) -> State[Any]:
    """One shot on a farm: what would stop an episode in process turns this shot red alone, and its page says so."""
    progress = Logged()
    held = attempt.begun(shot, faces, runtime.flow_run.id)
    try:
        green = play(scene, shot, progress, held)
    except DublineError as error:  # weights that this machine lacks; another may have them
        redden(shot, error, progress)
        green = False
    pages.of_shot(scene, shot, faces)
    return Completed(message=f"{shot.name} is done") if green else Failed(message=f"{shot.name}: {shot.reason}")


@flow(
    name="shot",
    on_completion=[resume.after_shot],
    on_cancellation=[resume.shot_cancelled],
)
def shot(episode: str, shots: list[str]) -> State[Any]:
    """Draw shots of an episode that has its routes. Retry draws those that are not done; the episode goes on by itself.

    Args:
        episode: What the episode is called
        shots: The shots to draw, like sh0420; neighbours, if they are short
    """
    progress = Logged()
    asked = {each.name: (each, faces) for each, faces in cued(episode, shots)}
    try:
        scene = patiently(partial(staged, episode), progress.say)
    except DublineError as error:  # the film is not on this machine
        for each, _ in asked.values():
            redden(each, error, progress)
        return Failed(message=str(error))
    red = []
    for each, faces in asked.values():
        if not faces or settled(each, faces, scene):
            progress.say(f"{each.name} is {each.status}: there is nothing to draw in it")
        elif (ended := _play(scene, each, faces, return_state=True)).is_failed():
            red.append(str(ended.message))
    return Failed(message="; ".join(red)) if red else Completed(message=f"{', '.join(asked)}: done")
