"""What others have written down about who speaks: RTTM, JSON and subtitles in, turns out, or exit 2 in words."""

from pathlib import Path

import pytest

from storage.errors import Refused
from tasks.told import read

MINUTE = 60_000_000


def told(tmp_path: Path, name: str, text: str, encoding: str = "utf-8") -> list[tuple[str, float, float, str]]:
    file = tmp_path / name
    file.write_bytes(text.encode(encoding))
    return [(each.name, each.start_us / 1e6, each.end_us / 1e6, each.text) for each in read(file, MINUTE).turns]


def test_rttm_keeps_turns_that_overlap(tmp_path: Path) -> None:
    text = "SPKR-INFO ep 1 <NA> <NA>\nSPEAKER ep 1 2.5 1.5 <NA> <NA> BERT <NA> <NA>\n"
    text += "SPEAKER ep 1 1.0 2.0 <NA> <NA> ANNA <NA> <NA>\n"
    assert told(tmp_path, "ep.rttm", text) == [("ANNA", 1.0, 3.0, ""), ("BERT", 2.5, 4.0, "")]


@pytest.mark.parametrize(
    "turn",
    ["SPEAKER ep 1 5 -1 <NA> <NA> ANNA", "SPEAKER ep 1 -5 9 <NA> <NA> ANNA", "SPEAKER ep 1 5 0 <NA> <NA> ANNA",
     "SPEAKER ep 1 nan 1 <NA> <NA> ANNA"],
)  # fmt: skip
def test_a_turn_that_cannot_be_is_refused_with_its_line(tmp_path: Path, turn: str) -> None:
    with pytest.raises(Refused, match=r"ep\.rttm, line 2: a turn cannot last from"):
        told(tmp_path, "ep.rttm", f"SPEAKER ep 1 0 1 <NA> <NA> ANNA\n{turn}\n")


def test_a_line_of_another_kind_says_how_a_turn_is_written(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="line 1: a turn is `SPEAKER file 1 start duration"):
        told(tmp_path, "ep.rttm", "SPEAKER ep one two\n")


def test_json_of_a_transcript_gives_the_segments_that_have_a_speaker(tmp_path: Path) -> None:
    text = '{"segments": [{"start": 1, "end": 2.5, "speaker": "A", "text": " Hello."}, {"start": 3, "end": 4}]}'
    assert told(tmp_path, "ep.json", text) == [("A", 1.0, 2.5, "Hello.")]
    assert told(tmp_path, "ep.json", '[{"start": 1, "end": 2, "speaker": "A"}]') == [("A", 1.0, 2.0, "")]


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "is no JSON"), ('{"a": 1}', "holds no list of turns"), ('[{"speaker": "A", "start": "x"}]', "turn 1"),
     ("[]", "names nobody who speaks"), ("[1]", "turn 1: it has no speaker")],
)  # fmt: skip
def test_json_that_holds_no_turns_is_refused_in_words(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        told(tmp_path, "ep.json", text)


SRT = """1
00:00:01,000 --> 00:00:03,000
ÉLODIE: Where is he?
[ÉLODIE] Bert?
- [Bert] Here, at 12:30.

2
00:00:04,000 --> 00:00:05,000
[door slams]
(LAUGHTER)

3
00:00:06,000 --> 00:00:07,500
[ÉLODIE]
<i>Remember</i>: run!
He is away: gone.

4
00:00:08,000 --> 00:00:09,000
(Bert) Not so fast.
(LAUGHS) No.

5
00:00:10,000 --> 00:00:11,000
Remember: nobody said this.
"""


def test_subtitles_give_the_lines_that_name_their_speaker_and_guess_no_name(tmp_path: Path) -> None:
    assert told(tmp_path, "ep.srt", SRT) == [
        ("Bert", 1.0, 3.0, "Here, at 12:30."),
        ("ÉLODIE", 1.0, 3.0, "Where is he? Bert?"),
        ("ÉLODIE", 6.0, 7.5, "Remember: run! He is away: gone."),
        ("Bert", 8.0, 9.0, "Not so fast. (LAUGHS) No."),
    ]
    assert (
        read(tmp_path / "ep.srt", MINUTE).notes == "4 turns of 2 speakers from ep.srt; 1 lines without a name left out"
    )


def test_webvtt_names_voices(tmp_path: Path) -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Anna Maria>Well, <b>no</b>.</v>\n\n"
    text += "00:03.000 --> 00:04.000\n<v.loud B>Yes!\n"
    assert told(tmp_path, "ep.vtt", text) == [("Anna Maria", 1.0, 2.0, "Well, no."), ("B", 3.0, 4.0, "Yes!")]


TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" ttp:frameRate="24" ttp:frameRateMultiplier="1000 1001">
  <head><metadata>
    <ttm:agent xml:id="a1" type="character"><ttm:name type="full">Anna</ttm:name></ttm:agent>
  </metadata></head>
  <body><div begin="10s" ttm:agent="a1">
    <p begin="00:00:01:12" end="00:00:03.5">Where<br/>is <span>he?</span></p>
    <p begin="5s" dur="500ms" ttm:agent="bert">Here.</p>
  </div></body>
</tt>"""


def test_ttml_counts_from_what_holds_a_paragraph_and_names_agents(tmp_path: Path) -> None:
    first, second = told(tmp_path, "ep.ttml", TTML)
    assert first == ("Anna", round(11 + 12 * 1001 / 24000, 6), 13.5, "Where is he?")
    assert second == ("bert", 15.0, 15.5, "Here.")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("ep.ttml", "<tt>", "it is no XML"),
        ("ep.ttml", "<tt/>", "its root is no tt"),
        ("ep.ttml", TTML.replace('begin="5s"', 'begin="soon"'), "'soon' is no time"),
        ("ep.ttml", TTML.replace("ttp:frameRate=", 'ttp:timeBase="smpte" ttp:frameRate='), "its times are timecodes"),
        ("ep.srt", "no subtitles at all", "names nobody"),
        ("ep.srt", SRT.replace("ÉLODIE", "she").replace("Bert", "he"), "names its speaker as"),
        ("ep.txt", SRT, r"voices are read from \.rttm"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(tmp_path: Path, name: str, text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        told(tmp_path, name, text)


def test_another_encoding_is_read_if_the_file_says_so_and_refused_with_its_line_if_not(tmp_path: Path) -> None:
    assert len(told(tmp_path, "wide.srt", SRT, "utf-16")) == len(told(tmp_path, "marked.srt", SRT, "utf-8-sig")) == 4
    with pytest.raises(Refused, match=r"ep\.srt, line 3: this is no UTF-8"):
        told(tmp_path, "ep.srt", SRT, "cp1252")


def test_the_file_of_another_film_is_refused_and_a_last_word_over_the_end_is_cut(tmp_path: Path) -> None:
    turns = '[{"speaker": "A", "start": %s, "end": %s}, {"speaker": "A", "start": 1, "end": 40}]'
    assert told(tmp_path, "ep.json", turns % (59, 61))[-1] == ("A", 59.0, 60.0, "")
    with pytest.raises(Refused, match="speaks until 0:01:20, and the film ends at 0:01:00: it belongs to another film"):
        told(tmp_path, "ep.json", turns % (65, 80))
