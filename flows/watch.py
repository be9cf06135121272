"""Watches over the work of a command that waits for it, says what came of it, and leaves with its exit code."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from flows.delivery import Delivery
    from flows.progress import Progress


def watch_over(work: "Callable[[Progress], Delivery]", as_json: bool) -> None:
    """Ends the process: 0 if no shot is red or held, 1 if one is, 130 if it was interrupted."""
    from flows import tables
    from flows.progress import progress

    try:
        delivery = work(progress())
    except KeyboardInterrupt:
        print("dubline: stopped. The same command goes on from here.", file=sys.stderr)
        raise typer.Exit(130) from None
    tables.show(delivery.facts(), as_json)
    raise typer.Exit(0 if delivery.whole else 1)
