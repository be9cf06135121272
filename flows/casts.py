"""`dubline cast`: who is who in an episode, what persons say about it, and the cast for the next episode.

`dubline cast EPISODE` is short for `dubline cast show EPISODE`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from flows.operators import AsJson, By, Here, Name, Why, carry, operator
from storage.errors import Refused

if TYPE_CHECKING:
    from flows.verbs import Word


class Shown(TyperGroup):
    """A group that shows what is no command of its own: `dubline cast ep03`."""

    def parse_args(self, ctx: "typer.Context", args: list[str]) -> list[str]:  # type: ignore[override]
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=Shown, no_args_is_help=True, help="Who is who: voices, faces, characters.")

Who = Annotated[str, typer.Argument(metavar="NAME", help="A character's name, or a new one for a voice.")]
Faces = Annotated[list[int] | None, typer.Option("--face", metavar="N", help="See `dubline cast EPISODE`.")]


@app.command()
def show(
    episode: Name,
    pictures: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write a sheet of all faces: .jpg or .png.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the cast: whose voices, whose faces, how sure, and who has none. `dubline cast EPISODE` for short."""
    from flows import tables, who
    from storage.catalog import episode as episodes
    from storage.catalog.session import catalog

    with catalog() as session:
        row = episodes.by_name(session, episode)
        found = who.table(session, row)
        drawn = who.portraits(session, row, found) if pictures else []
    if pictures:
        from tasks.sheet import write

        write(pictures, drawn)
    tables.show(found, as_json)


@app.command()
def bind(
    episode: Name, name: Who, face: Faces = None,
    original: Annotated[str | None, typer.Option(metavar="VOICE", help="A voice of the film.")] = None,
    dub: Annotated[str | None, typer.Option(metavar="VOICE", help="A voice of the dub.")] = None,
    why: Why = "", by: By = "", here: Here = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Say that faces and voices are a character's, in every shot. Only shots for which that changes something are drawn
    again."""
    from flows import casting

    _obey(casting.bind(episode, name, operator(by), why, faces=face or [], original=original, dub=dub), here, as_json)


@app.command()
def free(
    episode: Name,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The character, or nobody.")] = None,
    face: Faces = None, why: Why = "", by: By = "", here: Here = False, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Take back what was said of a character; or, with --face, say that a face has no voice, like an extra's."""
    from flows import casting

    _obey(casting.free(episode, operator(by), why, who=name, faces=face or []), here, as_json)


@app.command()
def save(
    episode: Name, file: Annotated[Path, typer.Argument(metavar="FILE.json", help="Where the cast goes.")],
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Write the cast to a file, for `--cast FILE` of the next episode."""
    from flows import tables
    from flows.saving import save

    if file.suffix != ".json":
        raise Refused(f"{file}: a cast is a .json file.")
    tables.show(save(episode, file), as_json)


def _obey(word: "Word", here: bool, as_json: bool) -> None:
    from flows import casting
    from flows.progress import progress
    from flows.watch import interruptible

    with interruptible():
        said, later = casting.anew(word, progress())
    carry(said, here, as_json, later)
