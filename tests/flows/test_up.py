"""`dubline up` as a person has it: started, fitted out, asked, hurt, ended. One farm, with a password, for all."""

import json
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.schemas.objects import StateType

from flows import doctor
from flows.farm import env, fittings
from flows.farm.automations import SILENCE
from tests.flows.farm import POLL_SECONDS, Farm

pytestmark = [
    pytest.mark.farm,
    pytest.mark.filterwarnings("default"),  # Prefect's own, of which there are many
]

PASSWORD = "studio:rain-over-lisbon"
LOCKED = {
    env.SERVER_AUTH: PASSWORD,
    env.AUTH: PASSWORD,
    "PREFECT_SERVER_API_CSRF_PROTECTION_ENABLED": "true",
}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Farm, psutil.Process]]:
    farm = Farm(tmp_path_factory.mktemp("up"), more=LOCKED)
    running = farm.up()
    try:
        farm.wait_to_read("stands. Ctrl-C ends it.", seconds=240)
        yield farm, psutil.Process(running.pid)
    finally:
        running.kill()
        running.wait()


@pytest.fixture
def farm(standing: tuple[Farm, psutil.Process]) -> Farm:
    return standing[0]


@pytest.fixture
def process(standing: tuple[Farm, psutil.Process]) -> psutil.Process:
    """Of `dubline up` itself."""
    return standing[1]


def test_it_says_where_the_pages_are_and_what_runs(farm: Farm) -> None:
    lines = farm.log("up").read_text().splitlines()
    assert lines[0].startswith("server") and farm.api.removesuffix("/api") in lines[0] and "SQLite" in lines[0]
    assert [line.split("serves the pool ")[1][:3] for line in lines[1:-1]] == ["cpu", *["gpu"] * (len(lines) - 3)]
    assert json.loads((farm.home / "farm.json").read_text())["api"] == farm.api
    assert PASSWORD.split(":")[1] not in farm.logs(lines=10_000)


def test_fitted_out_twice_it_has_everything_once_and_keeps_what_an_operator_changed(farm: Farm) -> None:
    with farm.client() as client:
        (queue,) = [each for each in client.read_work_queues(work_pool_name="gpu") if each.name == "overnight"]
        client.update_work_queue(queue.id, is_paused=True)
        deployment = client.read_deployment_by_name("janitor/cpu")
        client.update_deployment_schedule(deployment.id, deployment.schedules[0].id, active=False)
        before = _fittings(client)
        fittings.fit(client, fittings.read())
        assert _fittings(client) == before
        client.update_work_queue(queue.id, is_paused=False)
    assert {name: [q[:2] for q in queues] for name, queues in before["queues"].items()} == {
        pool: [("default", 2), ("overnight", 10), ("urgent", 1)] for pool in ("cpu", "gpu")
    }
    assert ("overnight", 10, True) in before["queues"]["gpu"]
    assert before["deployments"]["janitor/cpu"] == [("every-two-minutes", False)]
    assert before["deployments"].keys() >= {"episode/cpu", "shot/gpu", "janitor/cpu"}
    assert len(before["automations"]) == 2


def _fittings(client: Any) -> dict[str, Any]:
    flows = {flow.id: flow.name for flow in client.read_flows()}
    return {
        "pools": sorted((pool.id, pool.name, pool.type) for pool in client.read_work_pools()),
        "queues": {
            pool: sorted((q.name, q.priority, q.is_paused) for q in client.read_work_queues(work_pool_name=pool))
            for pool in ("cpu", "gpu")
        },
        "deployments": {
            f"{flows[each.flow_id]}/{each.name}": [(schedule.slug, schedule.active) for schedule in each.schedules]
            for each in client.read_deployments()
        },
        "automations": sorted((each.id, each.name) for each in client.read_automations()),
    }


def test_a_second_one_on_the_same_home_is_refused_in_words(farm: Farm) -> None:
    refused = farm.dubline("up")
    assert refused.returncode == 2 and "runs on this home already, kept by process" in refused.stderr


def test_who_has_no_password_gets_nothing_but_the_empty_pages(farm: Farm) -> None:
    assert _status(f"{farm.api}/health") == 200
    assert _status(f"{farm.api}/flow_runs/filter", b"{}") in (401, 403)
    assert _status(f"{farm.api}/admin/version") == 401
    with farm.inside(without=[env.SERVER_AUTH, env.AUTH]):
        assert not env.running() and "asks for a password" in doctor.farm().found


def test_doctor_sees_the_farm_and_its_workers(farm: Farm) -> None:
    end = time.monotonic() + 60
    with farm.inside(without=["DUBLINE_FARM"]):  # so it was found by what `dubline up` wrote down
        while "-cpu" not in (told := doctor.farm()).found or "-gpu" not in told.found:
            assert time.monotonic() < end, told.found
            time.sleep(POLL_SECONDS)
    assert told.ok and farm.api in told.found


def test_the_pages_know_of_no_other_machine(farm: Farm) -> None:
    with urllib.request.urlopen(f"{farm.api.removesuffix('/api')}/ui-settings") as answer:
        said = answer.read().decode()
    assert json.loads(said)["api_url"] == "/api" and "://" not in said
    with farm.client() as client:
        server = client.request("GET", "/admin/settings").json()["server"]
    assert not server["ui"]["v2_enabled"] and not server["ui"]["show_promotional_content"]
    assert not server["analytics_enabled"]


def _status(url: str, body: bytes | None = None) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_the_runs_of_a_killed_worker_go_on_at_once(farm: Farm, process: psutil.Process, tmp_path: Path) -> None:
    farm.play({"shot/gpu": "tests.flows.patient.shot"})
    run = farm.start("shot/gpu", until=str(tmp_path / "go"))
    farm.wait(run, {StateType.RUNNING})
    began = time.monotonic()
    _worker(process, "gpu").kill()
    while (seen := farm.look(run)).run_count < 2:
        assert time.monotonic() - began < SILENCE.seconds, f"{seen.state}: it was not given back"
        time.sleep(POLL_SECONDS)
    (tmp_path / "go").touch()
    assert farm.wait(run, {StateType.COMPLETED}).run_count == 2
    assert "started again" in farm.log("up").read_text()


def _worker(process: psutil.Process, pool: str) -> psutil.Process:
    for keeper in process.children():
        for child in keeper.children():
            if ["--pool", pool] == child.cmdline()[5:7]:
                return child
    raise LookupError(f"no worker serves {pool}")


def test_an_interrupt_ends_it_in_order_and_leaves_nothing(farm: Farm, process: psutil.Process, tmp_path: Path) -> None:
    run = farm.start("shot/gpu", until=str(tmp_path / "never"))
    farm.wait(run, {StateType.RUNNING})
    family = process.children(recursive=True)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    _, alive = psutil.wait_procs(family, timeout=0)
    assert len(family) >= 7 and not alive
    assert not (farm.home / "farm.json").exists()
    assert "goes back to its pool: its worker was stopped" in farm.log("up").read_text()
    with farm.inside(without=["DUBLINE_FARM"]):
        assert not doctor.farm().ok and "none" in doctor.farm().found
