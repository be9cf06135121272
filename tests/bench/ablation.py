"""Casting with some of its parts taken away: what each is worth.

Drawn mouths have a sense of their own, which is left to them in every variant.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, Final
from unittest.mock import patch

from models.active_speaker import Senses
from storage.catalog import Track
from tasks import bind, onscreen
from tasks.bind import Choice, Scene

SHIPPED: Final = "lips, sync (as it ships)"


@contextmanager
def only(*senses: str, alone: bool = False, strangers: bool = False) -> Iterator[None]:
    """Within, casting has these senses alone.

    alone      every shot is decided by itself
    strangers  nobody is known again
    """
    measure, settle = onscreen.measure, bind.settle
    deaf: dict[str, Any] = dict.fromkeys({"lips", "sync", "talk"} - set(senses))

    def limited(*given: Any) -> Senses:
        return replace(measure(*given), **deaf)

    def one_by_one(scenes: Sequence[Scene], said: Mapping[int, int | None]) -> list[list[Choice]]:
        return [settle([scene], said)[0] for scene in scenes]

    def all_new(tracks: Sequence[Track], *_: object) -> list[int]:
        return list(range(1, len(tracks) + 1))

    with ExitStack() as changed:
        changed.enter_context(patch("tasks.onscreen.measure", limited))
        if alone:
            changed.enter_context(patch("tasks.cast.settle", one_by_one))
        if strangers:
            changed.enter_context(patch("tasks.cast.number", all_new))
        yield


VARIANTS: Final[Mapping[str, Callable[[], Any]]] = {
    SHIPPED: partial(only, "lips", "sync"),
    "lips, sync, LR-ASD": partial(only, "lips", "sync", "talk"),
    "lips": partial(only, "lips"),
    "sync": partial(only, "sync"),
    "LR-ASD": partial(only, "talk"),
    "lips, LR-ASD": partial(only, "lips", "talk"),
    "lips, sync; nobody known again": partial(only, "lips", "sync", strangers=True),
    "lips, sync; every shot by itself": partial(only, "lips", "sync", alone=True),
    "lips; every shot by itself": partial(only, "lips", alone=True),
}
