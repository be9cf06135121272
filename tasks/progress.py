"""How a step on long work says how far it is: it calls `on_progress(done, of)` as often as it likes."""

from collections.abc import Callable

OnProgress = Callable[[int, int], None]


def unseen(done: int, of: int) -> None:
    """Nobody is looking."""
