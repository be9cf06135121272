"""The one door for cut lists: by the file's ending and what is in it, never by what a plugin offers."""

from fractions import Fraction
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from storage.errors import Refused
from storage.lists import edl, fcpxml
from storage.lists.events import CutList
from storage.lists.markup import parsed

KINDS: Final = ".edl, .fcpxml, .xml (Final Cut 7), .aaf, .otio"
LARGEST: Final = 256 << 20  # bytes; an AAF of a feature without media has 50 MB


def read_list(path: Path, rate: Fraction) -> CutList:
    """A cut list of any of the five kinds.

    rate    of the film: an EDL's labels are read at it
    raises  Refused in words for what cannot be read
    """
    suffix = path.suffix.lower()
    if suffix not in (".edl", ".fcpxml", ".xml", ".aaf", ".otio"):
        raise Refused(f"{path} is no cut list that Dubline reads: it reads {KINDS}. Export one of these.")
    try:
        if path.is_dir():
            raise Refused("it is a folder; name the file itself")
        if not path.is_file():
            raise Refused("there is no such file")
        if path.stat().st_size > LARGEST:
            raise Refused(f"it is larger than {LARGEST >> 20} MB; export it without media")
        if suffix == ".aaf":
            from storage.lists import otio  # opentimelineio takes a third of a second, which no other episode needs

            return otio.read_aaf(path)
        return _of_bytes(path.read_bytes(), suffix, rate)
    except OSError as error:
        raise Refused(f"The cut list {path} cannot be read: {error.strerror}.") from None
    except Refused as error:
        raise Refused(f"The cut list {path} cannot be read: {error}.") from None


def _of_bytes(given: bytes, suffix: str, rate: Fraction) -> CutList:
    if suffix in (".fcpxml", ".xml"):
        root = parsed(given)
        if root.tag == "xmeml":
            from storage.lists import otio

            return otio.read_fcp7(ElementTree.tostring(root, encoding="unicode"))
        return fcpxml.read(root)
    if b"\0" in given:
        raise Refused("it is no text")
    if suffix == ".otio":
        from storage.lists import otio

        return otio.read_otio(_text(given))
    return edl.read(_text(given), rate)


def _text(given: bytes) -> str:
    try:
        return given.decode("utf-8-sig")
    except UnicodeDecodeError:
        return given.decode("latin-1")  # older systems' EDLs; every byte is a letter there
