"""The matrix of tests/whole/masters.py as a table: every kind of master at every rate, and what was not as promised.

python -m tests.bench.masters
"""

import tempfile
from pathlib import Path

from tests.whole.masters import FRAMES, RATES, findings, make, masters, nearest


def rows() -> list[str]:
    """One row a kind of master; a rate's cell is `✓` or what was not kept."""
    table = [
        f"| master | {' | '.join(RATES)} | packets copied of {FRAMES} | untouched, encoded again |",
        "|---" * (len(RATES) + 3) + "|",
    ]
    promises: list[str] = []
    for master in masters():
        cells, worst, copied = [], [], set()
        for rate in RATES:
            with tempfile.TemporaryDirectory() as folder:
                made = make(master, rate, Path(folder))
                found = findings(master, made)
                worst.append(nearest(made))
            promises += found
            copied.add(made.picture.copied)
            cells.append(", ".join(promise for promise, kept in found.items() if not kept) or "✓")
        near = [each for each in worst if each is not None]
        again = f"PSNR ≥ {min(near):.1f} dB" if near else "none"
        many = "–".join(str(each) for each in sorted(copied))
        table.append(f"| {master.called} | {' | '.join(cells)} | {many} | {again} |")
    return [*table, "", f"{len(promises)} promises were looked at: {'; '.join(dict.fromkeys(promises))}."]


if __name__ == "__main__":
    print("\n".join(rows()))
