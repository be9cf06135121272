"""A sound moved against the film: silence before it, or its head cut off, to the sample.

Promises: the samples that stay have the same bits, in the same order of channels; the sound streams, so memory does
not grow with its length or with the silence; what was written is read back and compared.
Deliberately not here: by how much (tasks/starts.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import av
import ffmpeg

from storage.errors import DublineError
from storage.film import programs
from storage.film.probe import Sound

BLOCK: Final = 1 << 16  # samples of silence that are written at once
IN_WAV: Final = frozenset({"pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le"})
LOSSLESS: Final = frozenset({"flac", "alac", "wavpack", "tta", "mlp", "truehd", "pcm_s16be", "pcm_s24be"})


def place(sound: Sound, lead: int, to: Path) -> Sound:
    """The sound as a WAV (RF64 over 4 GB) whose sample 0 is the film's first frame.

    lead    samples of silence before it; negative: as many are cut off its head
    to      a folder's new file; written beside, then renamed
    raises  DublineError if what was written is not what was there
    """
    source = sound if sound.codec in IN_WAV else unpacked(sound, to.with_name(f"{to.name}.unpacked.wav"))
    width = _width(source)
    beside = to.with_name(to.name + ".part")
    samples = 0
    with av.open(str(source.path.absolute()), metadata_errors="replace") as given:
        stream: Any = given.streams[source.stream]
        with av.open(str(beside.absolute()), "w", format="wav", options={"rf64": "auto"}) as laid:
            into = laid.add_stream_from_template(stream)
            for block in _laid(_pcm(given, stream), lead, width, 0x80 if source.codec == "pcm_u8" else 0):
                packet = av.Packet(block)
                packet.stream, packet.time_base = into, into.time_base
                packet.pts = packet.dts = samples
                laid.mux(packet)
                samples += len(block) // width
    if source is not sound:
        source.path.unlink()
    beside.replace(to)
    placed = replace(sound, path=to, stream=0, codec=source.codec, samples=samples, pcm=True)
    if digest(placed, max(lead, 0), placed.codec) != digest(sound, max(-lead, 0), placed.codec):
        raise DublineError(f"{sound.path} could not be laid {lead} samples later: other samples came out.")
    return placed


def unpacked(sound: Sound, to: Path) -> Sound:
    """The sound as PCM that a WAV can hold: integers for lossless codecs, floating point for all others."""
    codec = "pcm_s24le" if sound.codec in LOSSLESS else "pcm_f32le"
    given = ffmpeg.input(str(sound.path.absolute()))[str(sound.stream)]
    programs.ffmpeg(ffmpeg.output(given, str(to.absolute()), acodec=codec, f="wav", rf64="auto"))
    return replace(sound, path=to, stream=0, codec=codec, pcm=True)


def digest(sound: Sound, first: int, codec: str) -> str:
    """Of the samples from `first` on, as this codec holds them: the same sound has the same in whatever file."""
    given = ffmpeg.input(str(sound.path.absolute()))[str(sound.stream)].filter("atrim", start_sample=first)
    return programs.ffmpeg(ffmpeg.output(given, "-", acodec=codec, format="hash", hash="sha256"))


def _pcm(given: Any, stream: Any) -> Iterator[bytes]:
    for packet in given.demux(stream):
        if packet.size:
            yield bytes(packet)


def _laid(blocks: Iterator[bytes], lead: int, width: int, silence: int) -> Iterator[bytes]:
    """The blocks behind `lead` samples of silence, or without their first −lead samples."""
    for start in range(0, lead, BLOCK):
        yield bytes([silence]) * (width * min(BLOCK, lead - start))
    cut = max(-lead, 0) * width
    for block in blocks:
        if cut < len(block):
            yield block[cut:]
        cut = max(0, cut - len(block))


def _width(sound: Sound) -> int:
    """Bytes of one sample of all channels."""
    bits = int("".join(filter(str.isdigit, sound.codec)))
    return bits // 8 * sound.channels
