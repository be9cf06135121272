"""Watches over the work of a command that waits for it, says what came of it, and leaves with its exit code."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flows.delivery import Delivery
    from flows.progress import Progress


def watch_over(work: "Callable[[Progress], Delivery]", as_json: bool) -> None:
    """Ends the process: 0 if no shot is red or held, 1 if one is, 130 if it was interrupted."""
    from flows import tables
    from flows.progress import progress

    with interruptible():
        delivery = work(progress())
    tables.show(delivery.facts(), as_json)
    raise typer.Exit(0 if delivery.whole else 1)


@contextmanager
def interruptible() -> Iterator[None]:
    """Ctrl-C in the block ends the process with 130, and says that nothing is lost."""
    try:
        yield
    except KeyboardInterrupt:
        print("dubline: stopped. The same command goes on from here.", file=sys.stderr)
        raise typer.Exit(130) from None
