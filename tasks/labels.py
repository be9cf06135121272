"""The labels of a Broadcast Wave beside the delivery, for no film's container can hold them.

Promises: what stood in `bext` lies in OUT.dubline/dub.bext.json, with the name of every field; what stood in `iXML`
lies in dub.ixml.xml, byte by byte. The samples themselves are in the delivery and are not copied again.
"""

import json
from pathlib import Path
from typing import Any, Final

from storage.film.bwf import Broadcast

BEXT: Final = "dub.bext.json"
IXML: Final = "dub.ixml.xml"


def labels_in_words(labels: Broadcast | None) -> dict[str, Any]:
    """What report.json says of them: {"bext": fields or None, "ixml": the file that has it or None}."""
    return {
        "bext": labels.bext if labels and labels.bext else None,
        "ixml": IXML if labels and labels.ixml else None,
    }


def keep_labels(labels: Broadcast | None, folder: Path) -> None:
    """Writes them into the delivery's folder; those of an earlier dub that are there no more are taken away."""
    bext = json.dumps(labels.bext, indent=2, ensure_ascii=False).encode() + b"\n" if labels and labels.bext else b""
    for name, said in ((BEXT, bext), (IXML, labels.ixml if labels else b"")):
        kept = folder / name
        if not said:
            kept.unlink(missing_ok=True)
            continue
        beside = folder / f"{name}.part"
        beside.write_bytes(said)
        beside.replace(kept)
