"""Labels sounds as mixing desks do: a WAV gets the chunks `bext` and `iXML`, byte by byte after EBU Tech 3285."""

import struct
from pathlib import Path


def bext(time: int = 0, description: str = "", originator: str = "", history: str = "", version: int = 2) -> bytes:
    """`time` in samples since midnight. Its loudness: −23.0 LUFS, 7.5 LU, −1.25 dBTP, −18.0 and −20.5 LUFS."""
    said = (description, originator, "REF0001", "2026-11-22", "08:42:01")
    texts = [text.encode().ljust(size, b"\0") for text, size in zip(said, (256, 32, 32, 10, 8), strict=True)]
    umid = bytes(range(64)) if version else bytes(64)
    levels = struct.pack("<5h", -2300, 750, -125, -1800, -2050) if version > 1 else bytes(10)
    return b"".join(texts) + struct.pack("<QH", time, version) + umid + levels + bytes(180) + history.encode()


def label(path: Path, *chunks: tuple[bytes, bytes], behind: tuple[tuple[bytes, bytes], ...] = ()) -> Path:
    """The WAV with these chunks before its samples, and those behind them."""
    whole = path.read_bytes()
    assert whole[:4] == b"RIFF"
    body = whole[12:] + bytes(len(whole) % 2)
    inside = b"".join(map(_chunk, chunks)) + body + b"".join(map(_chunk, behind))
    path.write_bytes(b"RIFF" + struct.pack("<I", 4 + len(inside)) + b"WAVE" + inside)
    return path


def at(path: Path, time: int) -> Path:
    """The WAV with a time reference, in samples since midnight."""
    return label(path, (b"bext", bext(time)))


def _chunk(given: tuple[bytes, bytes]) -> bytes:
    name, held = given
    return name + struct.pack("<I", len(held)) + held + bytes(len(held) % 2)
