"""An operator's words: what the catalog says at once, what the next run does, and what is written down of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows import listing, verbs
from flows.delivery import Delivery
from storage.catalog import (
    EpisodeStatus,
    Route,
    Take,
    episode,
    event,
    route,
    shot,
    take,
    track,
)
from storage.catalog.session import catalog
from storage.errors import Refused, ShotFailed
from tests.flows.stage import Stage, set_up
from tests.flows.test_cli import call
from tests.flows.test_episode import ANALYSIS, ends_with, pictures, run, statuses

BOTH = {**dict.fromkeys(ANALYSIS, 1), "render 12": 1, "render 24": 1}


@pytest.fixture
def stage(house: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return set_up(monkeypatch, tmp_path)


def reported(delivery: Delivery, name: str) -> dict[str, Any]:
    said = json.loads(delivery.report.read_text())
    return next(each for each in said["shots"] if each["name"] == name)


def read(query: Callable[..., Any]) -> Any:
    with catalog() as session:
        return query(session, episode.by_name(session, "out").id)


def routed(name: str) -> Route:
    with catalog() as session:
        row = shot.by_name(session, episode.by_name(session, "out").id, name)
        (face,) = [each for each in track.of_episode(session, row.episode_id) if each.shot_id == row.id]
        return next(each for each in route.of_episode(session, row.episode_id) if each.track_id == face.id)


def takes_of(name: str) -> list[Take]:
    face = routed(name).track_id
    return [each for each in read(take.of_episode) if each.track_id == face]


def told(by: str) -> list[tuple[str, str]]:
    """What this person has done, by the events; and that nobody has touched them."""
    with catalog() as session:
        assert event.verify_chain(session) is None
    return [(each.what, each.about) for each in read(event.of_episode) if each.who == by]


def test_a_skipped_shot_is_delivered_as_the_source_and_nothing_is_drawn(stage: Stage) -> None:
    run(stage)
    said = verbs.skip("out", ["sh0020"], "anna", "nobody sees her lips")
    assert [(each.before, each.after) for each in said.shots] == [("done", "passed-through")] and not said.to_draw
    assert statuses()["sh0020"] == "passed-through"  # at once
    assert (routed("sh0020").model, routed("sh0020").decided_by) == ("pass-through", "anna")
    delivery = run(stage)
    assert delivery.whole and delivery.changed == 8 and stage.computed == BOTH
    film, out = pictures(stage.film), pictures(delivery.out)
    assert film[12 * 3 : 24 * 3] == out[12 * 3 : 24 * 3] and film[24 * 3 :] != out[24 * 3 :]
    (face,) = reported(delivery, "sh0020")["tracks"]
    assert (face["decided_by"], face["reason"]) == ("anna", "anna skipped this shot: nobody sees her lips")
    assert told("anna") == [("shot.skip", "sh0020"), ("shot.passed-through", "sh0020")]


def test_a_held_shot_makes_the_delivery_partial_and_the_report_quotes_who_and_why(stage: Stage) -> None:
    run(stage)
    verbs.hold("out", ["sh0030"], "anna", "the client wants to see it")
    delivery = run(stage)
    words = "anna holds this shot: the client wants to see it"
    assert not delivery.whole and delivery.changed == 8
    assert delivery.open == [{"shot": "sh0030", "status": "held", "reason": words}]
    assert reported(delivery, "sh0030")["reason"] == words
    assert read(lambda session, number: episode.by_name(session, "out").status) is EpisodeStatus.PARTIAL


def test_a_shot_without_a_face_can_be_held_too(stage: Stage) -> None:
    run(stage)
    verbs.hold("out", ["sh0010"], "anna", "look for her face")
    assert [each["shot"] for each in run(stage).open] == ["sh0010"]
    assert verbs.release("out", ["sh0010"], "bert").shots[0].after == "passed-through"
    assert run(stage).whole and stage.computed == BOTH


def test_a_released_shot_comes_back_with_the_take_it_had(stage: Stage) -> None:
    before = pictures(run(stage).out)
    verbs.hold("out", ["sh0020", "sh0030"], "anna", "wait")
    run(stage)
    said = verbs.release("out", ["sh0020"], "bert", "seen")
    assert [(each.before, each.after) for each in said.shots] == [("held", "waiting")] and said.to_draw == ["sh0020"]
    assert [each["shot"] for each in run(stage).open] == ["sh0030"]
    verbs.release("out", ["sh0030"], "bert")
    delivery = run(stage)
    assert delivery.whole and stage.computed == BOTH and pictures(delivery.out) == before
    assert routed("sh0020").decided_by == "dubline"


def test_what_was_held_before_it_was_drawn_is_drawn_once_released_and_nothing_else(stage: Stage) -> None:
    stage.trouble["render 12"] = ends_with(ShotFailed, "smeared")
    run(stage)
    verbs.hold("out", ["sh0020"], "anna", "wait")
    run(stage)
    assert stage.computed["render 12"] == 1
    verbs.release("out", ["sh0020"], "anna")
    assert run(stage).whole and stage.computed == BOTH | {"render 12": 2}


def test_a_rerouted_shot_gets_a_take_by_the_other_model_and_keeps_the_old_one(stage: Stage) -> None:
    run(stage)
    said = verbs.reroute("out", ["sh0020"], "omnisync", "anna", "the chin smears")
    assert said.to_draw == ["sh0020"] and statuses()["sh0020"] == "waiting"
    assert routed("sh0020").reason == "ANNA speaks in 8 frames; anna sent this shot to omnisync: the chin smears"
    delivery = run(stage)
    assert delivery.whole and stage.computed == BOTH | {"render 12": 2}
    drawn = [(each.version, each.model, each.circled) for each in takes_of("sh0020")]
    assert drawn == [(1, "diff2lip", False), (2, "omnisync", True)]
    (face,) = reported(delivery, "sh0020")["tracks"]
    assert (face["model"], face["decided_by"]) == ("omnisync", "anna")
    verbs.release("out", ["sh0020"], "anna")
    run(stage)
    assert [each.circled for each in takes_of("sh0020")] == [True, False] and stage.computed["render 12"] == 2


def test_a_retried_red_shot_is_the_only_one_that_is_drawn(stage: Stage) -> None:
    stage.trouble["render 24"] = ends_with(ShotFailed, "the face leaves the picture")
    run(stage)
    said = verbs.retry("out", [], "anna")
    assert [(each.shot, each.before, each.after) for each in said.shots] == [("sh0030", "failed", "waiting")]
    assert run(stage).whole and stage.computed == BOTH | {"render 24": 2}
    assert told("anna") == [("shot.retry", "sh0030"), ("shot.waiting", "sh0030")]


def test_a_new_seed_draws_a_shot_that_is_done_once_more_and_each_time_another(stage: Stage) -> None:
    run(stage)
    with pytest.raises(Refused, match="sh0020 is done: the same question has the same answer"):
        verbs.retry("out", ["sh0020"], "anna")
    for _ in range(2):
        verbs.retry("out", ["sh0020"], "anna", new_seed=True)
        assert run(stage).whole
    assert [(each.seed, each.circled) for each in takes_of("sh0020")] == [(7, False), (8, False), (9, True)]
    verbs.hold("out", ["sh0020"], "bert", "wait")
    verbs.release("out", ["sh0020"], "bert")
    assert run(stage).whole and stage.computed == BOTH | {"render 12": 3}  # the seed stayed
    assert [each.seed for each in takes_of("sh0030")] == [7]


def test_there_is_nothing_to_retry_in_an_episode_that_is_whole(stage: Stage) -> None:
    run(stage)
    with pytest.raises(Refused, match="out is delivered, and no shot of it is red"):
        verbs.retry("out", [], "anna")
    assert not told("anna")


def test_an_episode_that_failed_as_a_whole_can_be_sent_again(stage: Stage) -> None:
    stage.trouble["cast"] = ends_with(ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        run(stage)
    assert not verbs.retry("out", [], "anna").shots
    assert told("anna") == [("episode.retry", "out")]


def test_words_outlive_another_seed_another_model_and_another_cut(stage: Stage) -> None:
    run(stage)
    verbs.skip("out", ["sh0020"], "anna", "it is too dark")
    verbs.hold("out", ["sh0030"], "bert", "wait")
    for wishes in ({"seed": 8}, {"model": "omnisync"}, {"mouths": {"sh0020": (80, 60, None)}}):
        run(stage, **wishes)
        assert statuses() == {"sh0010": "passed-through", "sh0020": "passed-through", "sh0030": "held"}
    assert stage.computed["render 12"] == stage.computed["render 24"] == 1


def test_a_word_about_a_shot_that_is_no_more_is_kept_said_and_can_be_taken_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(stage)
    verbs.skip("out", ["sh0030"], "anna", "it is too dark")
    stage.cuts = [(0, 12), (12, 36)]
    monkeypatch.setattr("flows.ledger.VERSION", "9.9")  # all is found anew
    delivery = run(stage)
    said = "sh0030 is no more since the film was cut anew. Kept is what was said of it: anna skipped this shot: it is"
    assert any(note.startswith(said) for note in json.loads(delivery.report.read_text())["delivery"]["notes"])
    assert listing.episode_status("out")["overrules"][0]["shot"] == "sh0030"
    verbs.release("out", ["sh0030"], "anna")
    assert not listing.episode_status("out")["overrules"] and not listing.episode_status("out")["notes"]


def test_a_word_before_the_routes_are_known_counts_when_they_are(stage: Stage) -> None:
    stage.trouble["listen"] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    verbs.hold("out", ["sh0030"], "anna", "wait")
    verbs.skip("out", ["sh0010", "sh0020"], "anna")
    verbs.release("out", ["sh0010"], "anna")
    assert statuses() == {"sh0010": "planned", "sh0020": "passed-through", "sh0030": "held"}
    assert [each["shot"] for each in run(stage).open] == ["sh0030"] and stage.computed["render 12"] == 0


def test_a_word_that_comes_while_the_routes_are_decided_is_not_lost(stage: Stage) -> None:
    def meanwhile() -> None:
        verbs.hold("out", ["sh0030"], "anna", "wait")

    stage.trouble["route"] = meanwhile
    assert [each["shot"] for each in run(stage).open] == ["sh0030"]
    assert stage.computed["render 24"] == 0


@pytest.mark.parametrize(
    "say",
    [
        pytest.param(lambda shots: verbs.hold("out", shots, "anna", "wait"), id="hold"),
        pytest.param(lambda shots: verbs.skip("out", shots, "anna"), id="skip"),
        pytest.param(lambda shots: verbs.reroute("out", shots, "omnisync", "anna"), id="reroute"),
        pytest.param(lambda shots: verbs.release("out", shots, "anna"), id="release"),
        pytest.param(lambda shots: verbs.retry("out", shots, "anna", new_seed=True), id="retry"),
        pytest.param(lambda shots: verbs.cancel("out", shots, "anna"), id="cancel"),
    ],
)
def test_one_name_that_is_not_there_and_nothing_is_written(stage: Stage, say: Callable[[list[str]], object]) -> None:
    run(stage)
    before = statuses()
    with pytest.raises(Refused, match=r"no shot 'sh0990'\. It has sh0010 … sh0030"):
        say(["sh0020", "sh0990"])
    assert statuses() == before and not told("anna")
    assert read(lambda session, number: episode.by_name(session, "out").overrules) == {}


def test_release_takes_back_words_and_nothing_else(stage: Stage) -> None:
    run(stage)
    verbs.hold("out", ["sh0020"], "anna", "wait")
    with pytest.raises(Refused, match="nothing to take back"):
        verbs.release("out", ["sh0020", "sh0030"], "bert")
    assert statuses()["sh0020"] == "held" and not told("bert")


def test_a_cancelled_episode_fails_with_its_waiting_shots_and_goes_on_when_it_is_retried(stage: Stage) -> None:
    stage.trouble["render 24"] = ends_with(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        run(stage)
    verbs.cancel("out", [], "anna", "wrong dub")
    assert statuses() == {"sh0010": "passed-through", "sh0020": "done", "sh0030": "failed"}
    assert listing.episode_status("out")["status"] == "failed"
    assert listing.episode_status("out")["reason"] == "cancelled by anna: wrong dub"
    assert told("anna") == [
        ("shot.cancel", "sh0030"),
        ("shot.failed", "sh0030"),
        ("episode.cancel", "out"),
        ("episode.failed", "out"),
    ]
    verbs.retry("out", [], "anna")
    assert run(stage).whole and stage.computed == BOTH | {"render 24": 2}
    with pytest.raises(Refused, match="sh0020 is done: there is no work to cancel"):
        verbs.cancel("out", ["sh0020"], "anna")


def test_show_and_status_quote_the_word_and_what_a_status_means(stage: Stage) -> None:
    run(stage)
    verbs.hold("out", ["sh0030"], "anna", "wait for the client")
    shown = listing.shot("out", "sh0030")
    assert shown["means"] == "waits for a person: the source is delivered meanwhile"
    assert [(each["model"], each["by"], each["why"]) for each in shown["overrules"]] == [
        ("held", "anna", "wait for the client")
    ]
    assert shown["tracks"][0]["decided by"] == "anna"
    assert [(each["shot"], each["by"]) for each in listing.shots("out")][-1] == ("sh0030", "anna")
    (waits,) = listing.episode_status("out")["open"]
    assert waits == {"shot": "sh0030", "status": "held", "reason": "anna holds this shot: wait for the client"}


def test_said_with_here_a_word_is_followed_by_the_delivery(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.trouble["render 24"] = ends_with(ShotFailed, "smeared")
    run(stage)
    assert call(monkeypatch, "retry", "out", "--here", "--json", "--by", "anna") == 0
    assert json.loads(capsys.readouterr().out)["shots"] == {"passed-through": 1, "done": 2}
    assert call(monkeypatch, "hold", "out", "sh0030", "--why", "wait", "--here", "--by", "anna") == 1
    assert stage.computed == BOTH | {"render 24": 2}


@pytest.mark.parametrize("when", ["render 12", "render 24"], ids=["before-it-is-drawn", "while-it-is-drawn"])
def test_a_shot_held_while_the_episode_is_at_it_stays_held_and_costs_no_other(stage: Stage, when: str) -> None:
    def meanwhile() -> None:
        verbs.hold("out", ["sh0030"], "anna", "wait")

    stage.trouble[when] = meanwhile
    delivery = run(stage)
    assert [(each["shot"], each["status"]) for each in delivery.open] == [("sh0030", "held")]
    assert delivery.changed == 8 and stage.computed["render 24"] == (when == "render 24")


def test_a_shot_rerouted_while_it_is_drawn_is_delivered_by_the_other_model(stage: Stage) -> None:
    def meanwhile() -> None:
        verbs.reroute("out", ["sh0020"], "omnisync", "anna")
        raise ShotFailed("too late: nobody asks any more")

    stage.trouble["render 12"] = meanwhile
    delivery = run(stage)
    assert delivery.whole and reported(delivery, "sh0020")["tracks"][0]["model"] == "omnisync"
