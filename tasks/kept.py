"""What of a film is in its delivery: measured on the written file, stream by stream and tag by tag.

Promises: whatever the film had and the delivery has not is a finding with its number, and a note for a person; what
could only be kept in another form says so. The table shows both files side by side.
Deliberately not here: deciding what goes in (deliver), frames, times and timecode, without which nothing is delivered
at all (deliver.check).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from storage.catalog import Finding, Verdict
from storage.film.beside import CALLED
from storage.film.containers import Container
from storage.film.probe import Film, Stream

Facts = dict[str, Any]  # JSON
Went = tuple[str, int, str]  # a stream of the delivery: picture, dub or film; its index there; copy or its codec

# Of the file that was, not of the film in it: who wrote it, and its own numbers.
OWN_TAGS: Final = frozenset({
    "encoder", "major_brand", "minor_version", "compatible_brands", "timecode", "duration", "vendor_id",
    "handler_name", "name", "title", "language", "bps", "number_of_frames", "number_of_bytes", "_statistics_tags",
    "_statistics_writing_app", "_statistics_writing_date_utc", "uid", "generation_uid", "company_name", "product_name",
    "product_version", "product_version_num", "product_uid", "application_platform", "toolkit_version_num",
    "modification_date", "operational_pattern_ul", "material_package_umid", "file_package_umid", "reel_umid",
    "file_package_name", "bps-eng", "duration-eng", "number_of_frames-eng", "number_of_bytes-eng",
    "_statistics_tags-eng", "_statistics_writing_app-eng", "_statistics_writing_date_utc-eng", "reel_name",
    "data_type", "filename", "mimetype",
})  # fmt: skip
# What programs write where nobody has given a name; ffmpeg's own end in "handler".
NAMELESS: Final = ("handler", "core media video", "core media audio", "core media time code", "mainconcept")
LOSSLESS: Final = frozenset({"copy", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le", "pcm_u8"})


@dataclass(frozen=True)
class Pair:
    """One stream of the film, of the delivery, or of both."""

    before: Stream | None
    after: Stream | None
    how: str  # copy, the codec that it became, picture, dub, anew, elsewhere (no stream), replaced, or empty: left out


@dataclass(frozen=True)
class Check:
    """One thing that was looked for in both files."""

    meter: str
    had: int
    has: int
    said: str = ""  # for a person, where less is there than was

    def finding(self) -> Finding:
        """Green where all of it is there. The target is what the film had."""
        verdict = Verdict.GREEN if self.has >= self.had else Verdict.RED
        return Finding(None, self.meter[:60], self.has, "", self.had, verdict)


def pairs(film: Film, written: Film, went: Sequence[Went], replaced: int | None = None) -> list[Pair]:
    """The streams of both files, the film's in their order and then those that only the delivery has.

    went      the delivery's streams in their order
    replaced  the sound of the film whose place the dub has taken, if it was asked to
    """
    before = {stream.index: stream for stream in film.streams}
    rest = [stream for stream in written.streams if not _anew(stream)]
    found: list[Pair] = []
    for source, index, how in went:
        was = before.pop(film.picture if source == "picture" else index) if source != "dub" else None
        kind = was.kind if was else "audio"
        after = next((stream for stream in rest if stream.kind == kind), None)
        if after is not None:
            rest.remove(after)
        found.append(Pair(was, after, how if source == "film" else source))
    anew = [stream for stream in written.streams if _anew(stream)]
    for was in before.values():
        after = next((stream for stream in anew if _anew(was) and stream.tag == was.tag), None)
        if after is not None:
            anew.remove(after)
        how = "replaced" if was.index == replaced else "" if not _anew(was) else "anew" if after else "elsewhere"
        found.append(Pair(was, after, how))
    found += [Pair(None, stream, "anew") for stream in (*rest, *anew)]
    return sorted(found, key=lambda pair: pair.before.index if pair.before else len(film.streams))


def _anew(stream: Stream) -> bool:
    """Timecode and chapters are tracks in MOV, which writes them itself from what it is told."""
    return stream.kind == "data" and stream.tag in ("tmcd", "text")


def table(both: Sequence[Pair]) -> list[Facts]:
    """For the report: each stream as it was and as it is, or null where there is none."""
    return [{"before": _facts(pair.before), "after": _facts(pair.after), "how": pair.how} for pair in both]


def _facts(stream: Stream | None) -> Facts | None:
    if stream is None:
        return None
    kind = "cover" if "attached_pic" in stream.disposition else stream.kind
    tags = {"timecode": "timecode", "reel": "reel_name", "file": "filename"}
    return {
        "index": stream.index, "kind": kind, "codec": _codec(stream),
        "language": language(stream), "title": title(stream), "hz": stream.hz, "channels": stream.channels,
        "layout": stream.layout, "disposition": list(stream.disposition),
        **{name: stream.tags.get(tag, "") for name, tag in tags.items()},
    }  # fmt: skip


def checks(film: Film, written: Film, both: Sequence[Pair], container: Container, lost: frozenset[str]) -> list[Check]:
    """Everything that was compared, the losses with their words.

    lost  what encoded pictures carried beside their pixels and carry no more, as storage.film.beside calls it
    """
    found = [*_streams(film, written, both, container), *_picture(film, written, container)]
    found += [
        Check(CALLED[name], 1, 0, f"Pictures that were encoded again have lost their {CALLED[name]}.")
        for name in sorted(lost)
    ]
    if film.chapters:
        said = f"The film has {film.chapters} chapters, the delivery {written.chapters}."
        found.append(_check("chapters", film.chapters, written.chapters, said))
    gone = sorted(
        film.tags.keys() - written.tags.keys() - OWN_TAGS | ({"title"} & film.tags.keys() - written.tags.keys())
    )
    tags = len(film.tags.keys() - OWN_TAGS | ({"title"} & film.tags.keys()))
    if tags:
        found.append(
            _check(
                "tags of the film",
                tags,
                tags - len(gone),
                f"{container.name} does not keep the tags {', '.join(gone)}.",
            )
        )
    if reel(film):
        found.append(
            _check(
                "reel name",
                1,
                int(reel(written) == reel(film)),
                f"{container.name} does not keep the reel name {reel(film)}.",
            )
        )
    return found


def _check(meter: str, had: int, has: int, said: str) -> Check:
    return Check(meter, had, has, said if has < had else "")


def _streams(film: Film, written: Film, both: Sequence[Pair], container: Container) -> Iterator[Check]:
    here = [pair for pair in both if pair.before and pair.how not in ("elsewhere", "replaced")]
    yield Check("streams of the film", len(here), sum(pair.after is not None for pair in here))
    for pair in here:
        before, after = pair.before, pair.after
        assert before is not None
        name = f"{before.kind} {before.index}"
        if after is None:
            yield Check(f"{name}: kept {_words(before)}", 1, 0)  # deliver.plan has said so
            continue
        if pair.how not in ("picture", "anew"):
            yield from _bytes(film, written, pair, before, after, name, container.whole_frames)
        for what, was, now in (
            ("language", language(before), language(after)),
            ("title", title(before), title(after)),
        ):
            if was and was != "und" and not (now == was or container.spells.get(was) == now) and not _anew(before):
                yield Check(
                    f"{name}: {what}", 1, 0, f"{container.name} does not keep the {what} {was} of {called(before)}."
                )
        gone = set(before.disposition) - set(after.disposition) - {"default"}
        if gone and pair.how != "picture":
            words = ", ".join(sorted(gone))
            yield Check(f"{name}: disposition", len(before.disposition), len(before.disposition) - len(gone),
                        f"{container.name} does not keep that {called(before)} is {words}.")  # fmt: skip


def _bytes(
    film: Film, written: Film, pair: Pair, before: Stream, after: Stream, name: str, whole: bool
) -> Iterator[Check]:
    """Whether a copied stream's bytes are the film's, and whether one that was not copied lost anything."""
    if pair.how in ("copy", "attach"):
        same = film.digests.get(before.index) == written.digests.get(after.index)
        if same or before.codec.startswith("pcm_"):
            why = "is cut or filled up to whole frames of the picture" if whole else "has other samples than the film's"
            said = f"The sound of {called(before)} {why}."
            yield _check(f"{name}: bit for bit", 1, int(same), said)
    elif before.kind == "audio" and (pair.how not in LOSSLESS or before.hz != after.hz):
        yield Check(f"{name}: samples", 1, 0)
    elif before.codec in ("ass", "ssa"):
        yield Check(f"{name}: styles", 1, 0, f"{called(before).capitalize()} keeps its words and not its styles.")


def _picture(film: Film, written: Film, container: Container) -> Iterator[Check]:
    for name in ("matrix", "primaries", "transfer", "range"):
        was, became = getattr(film.colour, name), getattr(written.colour, name)
        if was and was != "unknown":
            same = became == was or (was, became) == ("tv", None)  # limited is what none means
            said = f"{container.name} does not keep the colour tag {name} = {was}; it reads {became or 'nothing'}."
            yield _check(f"colour {name}", 1, int(same), said)
    said = f"The shape of a pixel was {film.sar} and reads {written.sar}."
    yield _check("shape of a pixel", 1, int(written.sar == film.sar), said)
    if any(film.crop):
        said = (
            f"{container.name} does not keep the clean aperture: {film.crop} pixels outside it, and now {written.crop}."
        )
        yield _check("clean aperture", 1, int(written.crop == film.crop), said)
    for name, was in film.mastering.items():
        same = written.mastering.get(name) == was
        yield _check(f"HDR10 {name}", 1, int(same), f"{container.name} does not keep {name} = {was} with this picture.")


def called(stream: Stream) -> str:
    """As a note names a stream: audio stream 2 (pcm_s24le, Director)."""
    kind = "cover picture" if "attached_pic" in stream.disposition else f"{stream.kind} stream"
    return f"{kind} {stream.index} {_words(stream)}"


def _words(stream: Stream) -> str:
    name = title(stream) or stream.tags.get("filename") or stream.tags.get("language", "")
    return f"({', '.join(word for word in (_codec(stream), name) if word)})"


def _codec(stream: Stream) -> str:
    if stream.kind == "data" and stream.tag == "text":  # MOV's chapters are a track
        return "chapters"
    return stream.tag if stream.codec == "unknown" else stream.codec


def title(stream: Stream) -> str:
    """What somebody has called it. MOV has it as the track's name, or as its handler's."""
    name = stream.tags.get("title") or stream.tags.get("name") or stream.tags.get("handler_name", "")
    return "" if name.lower().endswith(NAMELESS) else name


def language(stream: Stream) -> str:
    return stream.tags.get("language", "")


def reel(film: Film) -> str:
    """The reel that the picture came from, as its timecode track or its picture says."""
    return next((stream.tags["reel_name"] for stream in film.streams if "reel_name" in stream.tags), "")
