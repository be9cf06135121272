"""Ctrl-C ends `dubline up`, whatever it interrupts: what flows/farm/up.py promises without a farm."""

import os
import signal
from contextlib import suppress

import pytest

from flows.farm.up import SIGNALS, _signals_interrupt, _tend


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interrupt_that_a_destructor_swallows_ends_it_all_the_same(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with _signals_interrupt() as signals:
        with suppress(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        with pytest.raises(KeyboardInterrupt):
            _tend([], "", print, signals)
    assert signal.getsignal(number) is before
