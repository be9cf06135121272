"""A farm at work: a real server and real workers, a shot that fails, an operator's Retry, and what was computed."""

from collections import Counter
from collections.abc import Iterator

import pytest
from prefect.client.schemas.objects import StateType

from storage.catalog import EpisodeStatus, episode, event
from storage.catalog.session import catalog
from tests.whole.played import ENDED, Played, played

SHOTS = 13  # the first without a face

pytestmark = [
    pytest.mark.farm,
    pytest.mark.filterwarnings("default"),  # Prefect's own, of which there are many
]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(tmp_path_factory.mktemp("farm"), SHOTS) as on_stage:
        yield on_stage


def test_a_red_shot_retried_from_the_page_turns_its_episode_green_and_nothing_else_is_drawn_again(
    studio: Played,
) -> None:
    red = studio.trouble("render 48", "fail")
    run = studio.dub("ep01")
    ended = studio.farm.wait(run, ENDED, 240)
    assert ended.state is not None and ended.state.is_failed()
    assert ended.state.message == "1 of 13 shots are red. sh0050: the face leaves the picture"
    assert studio.status("ep01") == EpisodeStatus.PARTIAL and (studio.stage.folder / "ep01.mkv").exists()

    red.unlink()
    studio.press_retry(studio.run_of("ep01", "sh0050"))
    studio.farm.wait(run, {StateType.COMPLETED}, 240)
    assert studio.status("ep01") == EpisodeStatus.DELIVERED
    once = ["split", "look", "listen", "cast", "route", *(f"render {12 * n}" for n in range(1, SHOTS))]
    assert studio.computed() == Counter(once) + Counter(["render 48"])
    with studio.farm.inside(), catalog() as session:
        said = [e for e in event.of_episode(session, episode.by_name(session, "ep01").id) if e.what == "shot.attempt"]
    assert [e.after["because"] for e in said if e.about == "sh0050"] == ["sent with its episode", "Retry from the UI"]
