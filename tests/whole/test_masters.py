"""Masters in, masters out: the matrix of tests/whole/masters.py, every row at every rate."""

from pathlib import Path

import pytest

from tests.whole.masters import RATES, Master, findings, make, masters


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("master", list(masters()), ids=lambda master: master.called.replace(" ", "-"))
def test_a_master_comes_out_as_it_went_in(tmp_path: Path, master: Master, rate: str) -> None:
    found = findings(master, make(master, rate, tmp_path))
    assert [promise for promise, kept in found.items() if not kept] == []
