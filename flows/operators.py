"""The words of an operator as commands: retry, hold, release, skip, reroute, cancel.

Each is obeyed by the catalog at once (flows/verbs.py) and then carried to the farm, if one is running.
"""

import getpass
from typing import TYPE_CHECKING, Annotated

import typer

from storage.errors import Refused
from storage.settings import settings

if TYPE_CHECKING:
    from flows.verbs import Obeyed

app = typer.Typer()

Name = Annotated[str, typer.Argument(metavar="EPISODE", help="See `dubline status`.")]
Shots = Annotated[list[str], typer.Argument(metavar="SHOT", help="See `dubline shots EPISODE`.")]
AnyShots = Annotated[list[str] | None, typer.Argument(metavar="SHOT", help="See `dubline shots EPISODE`.")]
Why = Annotated[str, typer.Option(metavar="WORDS", help="The reason, for those who come after.")]
By = Annotated[
    str, typer.Option(metavar="NAME", help="Who says so; otherwise DUBLINE_OPERATOR, or who is logged in here.")
]
Here = Annotated[bool, typer.Option("--here", help="Then render and deliver in this process, and wait for it.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")]


@app.command()
def retry(
    episode: Name, shots: AnyShots = None, why: Why = "", by: By = "",
    new_seed: Annotated[
        bool, typer.Option("--new-seed", help="Ask for another drawing; also of shots that are done.")
    ] = False,
    here: Here = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Draw red shots again: all of them, or those named. With --new-seed also shots that are done, as a new take."""
    from flows import verbs

    carry(verbs.retry(episode, shots or [], operator(by), why, new_seed), here, as_json)


@app.command()
def hold(
    episode: Name, shots: Shots,
    why: Annotated[str, typer.Option(metavar="WORDS", help="What has to be decided, and by whom.")],
    by: By = "", here: Here = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Let shots wait for a person. They are delivered as the source, and the delivery says why."""
    from flows import verbs

    if not why.strip():
        raise Refused("--why is empty: say what has to be decided, for whoever finds the shot held.")
    carry(verbs.hold(episode, shots, operator(by), why), here, as_json)


@app.command()
def release(
    episode: Name, shots: Shots, why: Why = "", by: By = "", here: Here = False, as_json: AsJson = False
) -> None:
    """Take back that shots were held, skipped or rerouted: the rules decide again."""
    from flows import verbs

    carry(verbs.release(episode, shots, operator(by), why), here, as_json)


@app.command()
def skip(episode: Name, shots: Shots, why: Why = "", by: By = "", here: Here = False, as_json: AsJson = False) -> None:
    """Deliver shots as the source."""
    from flows import verbs

    carry(verbs.skip(episode, shots, operator(by), why), here, as_json)


@app.command()
def reroute(
    episode: Name, shots: Shots,
    model: Annotated[str, typer.Option(metavar="NAME", help="diff2lip or omnisync.")],
    why: Why = "", by: By = "", here: Here = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Send shots to another model. They render again as new takes; the old takes stay."""
    from flows import painters, verbs
    from storage.catalog import episode as episodes
    from storage.catalog.session import catalog

    with catalog() as session:
        job = episodes.by_name(session, episode).job
    painters.allow(model, job.get("variant", "starter"), job.get("purpose", "research"))
    carry(verbs.reroute(episode, shots, model, operator(by), why), here, as_json)


@app.command()
def cancel(episode: Name, shots: AnyShots = None, why: Why = "", by: By = "", as_json: AsJson = False) -> None:
    """Stop the farm's work on an episode, or on some of its shots. What is finished is kept; `retry` goes on."""
    from flows import verbs
    from flows.farm import orders

    orders.refuse_to_cancel(episode, shots or [])
    carry(verbs.cancel(episode, shots or [], operator(by), why), False, as_json)


def operator(given: str = "") -> str:
    """Who speaks: the name given, the setting, or the login."""
    try:
        name = given.strip() or settings().operator or getpass.getuser()
    except (OSError, KeyError):
        raise Refused("Nobody is logged in here by name: say who speaks with --by, or DUBLINE_OPERATOR.") from None
    if len(name) > 100:
        raise Refused(f"'{name[:20]}…' has {len(name)} letters; a name of up to 100 is kept with every word.")
    return name


def carry(said: "Obeyed", here: bool, as_json: bool, counts: str = "") -> None:
    """Carry a word that the catalog has obeyed to the farm, or do here what follows from it.

    counts  when it will count, if that is not now
    """
    from flows import tables
    from flows.farm import orders

    if here:
        _do_here(said.word.episode, as_json)
    answer, word = orders.tell(said), said.word
    waits: dict[str, object] = {"counts": counts} if counts else {}
    heading: dict[str, object] = waits | {
        "said": word.verb,
        "episode": word.episode,
        "by": word.by,
        "why": word.why,
        "then": answer.episode,
    }
    shots = [
        {
            "shot": each.shot,
            "was": each.before,
            "is": each.after,
            "its run": answer.shots.get(each.shot, ""),
            "reason": each.reason,
        }
        for each in said.shots
    ]
    tables.show(heading | {"shots": shots}, as_json)
    raise typer.Exit(0 if answer.arrived else 3)


def _do_here(name: str, as_json: bool) -> None:
    from flows import episode
    from flows.watch import watch_over
    from storage.catalog import episode as episodes
    from storage.catalog.session import catalog
    from tasks.job import EpisodeJob

    with catalog() as session:
        job = EpisodeJob.model_validate(episodes.by_name(session, name).job)
    if not job.delivers:
        raise Refused(
            f"The catalog has obeyed. '{name}' is only planned, and nobody has said where its delivery goes: "
            f"`dubline dub` with the same film and dub and -o OUT draws it."
        )
    watch_over(lambda progress: episode.dub(job, progress), as_json)
