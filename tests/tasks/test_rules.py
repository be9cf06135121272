"""The table of rules: ours is whole, a studio's takes its place, and what is wrong in one is said in words."""

import tomllib
from pathlib import Path

import pytest

from models import registry
from storage.catalog import HELD, PASS_THROUGH
from storage.errors import Refused
from storage.settings import settings
from tasks.rules import NUMBERS, OURS, Table, read, rules

LAST = """
[[choice]]
model = "diff2lip"
say = "a face"
"""
STUDIO = (
    """
[[choice]]
when = { yaw = { over = 40, under = 70 } }   # a band
model = "omnisync"
say = "turned {yaw:.0f}°"

[[choice]]
when = { pitch = { over = 50 }, mesh = true }
model = "held"
say = "looks up by {pitch:.0f}°"
"""
    + LAST
    + """
[[limit]]
models = ["diff2lip", "omnisync"]
when = { height_px = { under = 100 } }
say = "{height_px:.0f} px: under {limit}"
"""
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "route.toml"


def test_ours_is_whole_and_speaks_of_every_model(house: Path) -> None:
    found = rules()
    assert found == read(OURS) and set(found.models) == set(registry.names())
    assert {name for limit in found.limit for name in limit.models} == set(registry.names())
    assert all(limit.say for limit in found.limit)


def test_every_number_of_ours_has_its_reason_beside_it() -> None:
    lines = OURS.read_text().splitlines()
    for n, line in enumerate(lines):
        if not line.startswith("#") and ("under =" in line or "over =" in line):
            block = lines[max(at for at in range(n) if not lines[at].strip()) : n + 1]
            assert "#" in line or any(each.startswith("#") for each in block), line


def test_every_rule_of_ours_is_in_the_manual() -> None:
    manual = (OURS.parents[1] / "docs" / "MANUAL.md").read_text().split("\n## Who draws which face", 1)[1]
    section = manual.split("\n## ", 1)[0]
    for limit in read(OURS).limit:
        for measure in limit.when:
            assert f"`{measure}`" in section
        if limit.limit is not None:
            assert f"{limit.limit:g}" in section


def test_a_studios_table_takes_the_place_of_ours(house: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table.write_text(STUDIO)
    monkeypatch.setenv("DUBLINE_ROUTES", str(table))
    settings.cache_clear()
    found = rules()
    assert found.models == ["omnisync", "diff2lip"] and found.sha != read(OURS).sha
    first, second, _ = found.choice
    assert [first.fits({"yaw": yaw}) for yaw in (40, 41, 69, 70)] == [False, True, True, False]
    assert second.model == HELD and second.fits({"pitch": 60, "mesh": True})
    assert not second.fits({"pitch": 60, "mesh": False}) and not second.fits({"pitch": 60})
    (limit,) = found.limits("omnisync", {"height_px": 64.2})
    assert (limit.words({"height_px": 64.2}), limit.then) == ("64 px: under 100", PASS_THROUGH)


def test_a_comment_makes_no_other_table_and_a_number_does(table: Path) -> None:
    table.write_text(STUDIO)
    before = read(table)
    table.write_text(STUDIO.replace("# a band", "# where diff2lip smears"))
    assert read(table).sha == before.sha
    table.write_text(STUDIO.replace("over = 40", "over = 41"))
    assert read(table).sha != before.sha


def test_a_table_survives_being_kept_with_its_episode() -> None:
    ours = read(OURS)
    assert Table.model_validate(ours.model_dump()) == ours


@pytest.mark.parametrize(
    ("written", "says"),
    [
        pytest.param(
            LAST.replace("model", "when = { heigth_px = { under = 4 } }\nmodel") + LAST,
            "choice 1, when: there is no measure 'heigth_px'. Did you mean height_px?", id="measure",
        ),
        pytest.param(
            LAST.replace("model", "when = { yaw = { below = 4 } }\nmodel") + LAST,
            "yaw cannot be compared by 'below'; there are under, over", id="operator",
        ),
        pytest.param(
            LAST.replace("model", 'when = { yaw = { under = "4" } }\nmodel') + LAST,
            "yaw is compared with a number, not with '4'", id="number-as-a-word",
        ),
        pytest.param(
            LAST.replace("model", "when = { yaw = { under = nan } }\nmodel") + LAST, "not with nan", id="no-number"
        ),
        pytest.param(
            LAST.replace("model", "when = { yaw = 4 }\nmodel") + LAST, "yaw = { under = … } or { over = … }", id="bare"
        ),
        pytest.param(
            LAST.replace("model", 'when = { style = "cartoon" }\nmodel') + LAST,
            "style is photoreal or stylised or uncertain, not 'cartoon'", id="style",
        ),
        pytest.param(
            LAST.replace("model", "when = { mesh = 1 }\nmodel") + LAST, "mesh is true or false, not 1", id="mesh"
        ),
        pytest.param(
            LAST.replace("diff2lip", "diff3lip"),
            "choice 1: there is no model 'diff3lip'; there are diff2lip, omnisync", id="model",
        ),
        pytest.param(
            LAST + '[[limit]]\nmodels = ["held"]\nsay = "no"', "limit 1: there is no model 'held'", id="no-model"
        ),
        pytest.param(
            LAST + '[[limit]]\nmodels = ["diff2lip"]\nthen = "omnisync"\nsay = "no"', "limit 1, then: input should be",
            id="limit-to-a-model",
        ),
        pytest.param(
            LAST.replace("a face", "{yaw:.0f} {eyes}"), "'{eyes}' stands for nothing", id="sentence-of-nothing"
        ),
        pytest.param(
            LAST.replace("a face", "{style:.0f}"), "'{style:.0f}': style cannot be written as '.0f'", id="sentence-form"
        ),
        pytest.param(LAST.replace("a face", "{limit}"), "'{limit}' needs a rule that compares one", id="no-limit"),
        pytest.param(LAST.replace("a face", "{yaw.real}"), "a brace is left over", id="a-brace"),
        pytest.param(LAST.replace("say", "said"), "choice 1, say: field required; choice 1, said: extra", id="words"),
        pytest.param(LAST + "[[limits]]", "limits: extra inputs", id="kind"),
        pytest.param(
            LAST.replace("model", "when = { mesh = true }\nmodel"), "choice: the last one has a `when`", id="no-last"
        ),
        pytest.param("", "choice: field required", id="empty"),
        pytest.param("[[choice]", "is no TOML", id="no-toml"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_table_is_said(table: Path, written: str, says: str) -> None:
    table.write_text(written)
    with pytest.raises(Refused) as refused:
        read(table)
    assert says in str(refused.value) and str(table) in str(refused.value)


def test_a_table_that_is_not_there_is_refused(table: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"):
        read(table)


def test_every_measure_is_explained_in_the_table() -> None:
    comments = "\n".join(line for line in OURS.read_text().splitlines() if line.startswith("#"))
    assert all(f" {measure} " in comments for measure in (*NUMBERS, "style", "mesh"))
    assert tomllib.loads(OURS.read_text())["choice"][-1].keys() == {"model", "say"}
