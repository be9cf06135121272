"""XML from outside. A cut list needs no entities of its own, so one that brings any is refused before it is read."""

from typing import Any, Final
from xml.etree import ElementTree
from xml.parsers import expat

from storage.errors import Refused

DEEPEST: Final = 200  # elements within elements


def parsed(markup: bytes) -> ElementTree.Element:
    """The root of a document without entities of its own.

    raises  Refused for what is no XML, for entities and for a depth that no list has
    """
    depth = 0

    def opened(*_: Any) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEPEST:
            raise Refused(f"its elements lie more than {DEEPEST} deep, which no cut list needs")

    def closed(*_: Any) -> None:
        nonlocal depth
        depth -= 1

    def declared(*_: Any) -> None:
        raise Refused("it declares entities, which no cut list needs and which can blow up a machine")

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    parser.StartElementHandler, parser.EndElementHandler = opened, closed
    try:
        parser.Parse(markup, True)
        return ElementTree.fromstring(markup)
    except (
        expat.ExpatError,
        ElementTree.ParseError,
        LookupError,
        ValueError,
    ) as error:  # LookupError: an unknown encoding
        raise Refused(f"it is no XML: {error}") from None
