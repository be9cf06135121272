"""The cast of an episode as a file for the next one: who is sure, what their faces and voices are known again by."""

from pathlib import Path
from typing import Final

from flows.tables import Fact
from flows.who import people
from storage import artifacts
from storage.catalog import binding, episode, step
from storage.catalog.binding import NOBODY, Binding
from storage.catalog.session import catalog
from tasks.carried import CastFile, Person, write

SURE: Final = 0.8  # confidence of a binding that is carried on, where no person has said it


def save(name: str, file: Path) -> Fact:
    """Write the cast; what went into it.

    raises  Refused if nobody has asked who is who, or the file cannot be written; Missing or Unreachable without the
            store
    """
    with catalog() as session:
        row = episode.by_name(session, name)
        there, said = people(session, row), binding.of(row)
        notes = {done.name: done.notes for done in step.of_episode(session, row.id)}
    sha = notes.get("listen", {}).get("voice prints")
    prints = artifacts.arrays(sha) if sha else {}
    voices = {each.id: each for heard in there.voices.values() for each in heard}
    characters, seen = [], there.seen
    for one in there.characters.values():
        word = said.get(one.name, Binding(one.bound_by))
        sure = {
            who for each, who in zip(seen.tracks, seen.persons, strict=True)
            if each.character_id == one.id and each.confidence >= SURE
        }  # fmt: skip
        heard = voices.get(one.original_id or 0)
        known = prints.get(f"original {heard.name}") if heard else None
        characters.append(Person(
            name=one.name,
            by=word.by,
            why=word.why,
            faces=[looks for who in sorted(sure) if (looks := list(seen.word(who).seen))],
            voice=[round(float(value), 5) for value in known] if known is not None else None,
        ))  # fmt: skip
    nobody = [list(face.seen) for face in said.get(NOBODY, Binding("")).faces if face.seen]
    cast = CastFile(schema=1, episode=row.name, characters=characters, nobody=nobody)
    sha = write(file, cast)
    return {
        "episode": row.name,
        "cast": str(file),
        "sha": sha,
        "characters": [
            {"character": each.name, "faces": len(each.faces), "voice": each.voice is not None, "by": each.by}
            for each in characters
        ],
        "without a voice": len(nobody),
    }
