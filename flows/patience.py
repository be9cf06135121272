"""Trying again where that can help: what an error says of itself decides, and the pauses grow."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from storage.errors import DublineError

PAUSES: Final = (5.0, 30.0, 120.0)  # seconds before the second, third and fourth attempt

T = TypeVar("T")


def patiently(work: Callable[[], T], say: Callable[[str], None], wait: Callable[[float], None] = time.sleep) -> T:
    """What `work` returns, at the fourth attempt at the latest. An error that is not `retryable` is final at once."""
    for pause in PAUSES:
        try:
            return work()
        except DublineError as error:
            if not error.retryable:
                raise
            say(f"{error} Tried again in {pause:.0f} s.")
            wait(pause)
    return work()
