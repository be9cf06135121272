"""Fits a server out for Dubline: pools, queues, deployments, automations. As often as one likes.

Promises: what an operator has changed on the pages stays: a paused queue, another priority, a schedule switched on or
moved. What belongs to this Dubline (entry points, parameters, tags) is brought up to date.
"""

import importlib.metadata
from pathlib import Path
from typing import Any, Final

import yaml
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import (
    DeploymentScheduleCreate,
    DeploymentUpdate,
    WorkPoolCreate,
)
from prefect.client.schemas.schedules import construct_schedule
from prefect.exceptions import ObjectNotFound
from prefect.flows import Flow, load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

import flows
from flows.farm import automations, env
from flows.farm.workers import POOLS
from storage.errors import Missing

QUEUES: Final = {"urgent": 1, "default": 2, "overnight": 10}  # the lowest number is served first


def fit(client: SyncPrefectClient, deployments: list[dict[str, Any]]) -> None:
    """Make all of it, or bring it up to date. `deployments` as `read()` returns them."""
    for pool in POOLS:
        _pool(client, pool)
    for said in deployments:
        _deploy(client, said)
    automations.install(client)


def read(file: Path | None = None) -> list[dict[str, Any]]:
    """The deployments of prefect.yaml, each as it stands there."""
    said: dict[str, Any] = yaml.safe_load((file or prefect_yaml()).read_text())
    found: list[dict[str, Any]] = said["deployments"]
    return found


def prefect_yaml() -> Path:
    """Beside the packages in a checkout; where the wheel laid it otherwise."""
    beside = Path(flows.__file__).parents[1] / "prefect.yaml"
    if beside.is_file():
        return beside
    for each in importlib.metadata.files("dubline") or ():
        if each.name == "prefect.yaml" and (found := Path(str(each.locate()))).is_file():
            return found.resolve()
    raise Missing("This installation of Dubline has lost its prefect.yaml. Install Dubline again.")


def _pool(client: SyncPrefectClient, name: str) -> None:
    try:
        client.read_work_pool(name)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=name, type="process"))
    known = {queue.name for queue in client.read_work_queues(work_pool_name=name)}
    for queue, priority in QUEUES.items():
        if queue not in known:  # a pool is born with `default`, which gives way to `urgent`
            client.create_work_queue(name=queue, priority=priority, work_pool_name=name)


def _deploy(client: SyncPrefectClient, said: dict[str, Any]) -> None:
    flow: Flow[..., Any] = load_flow_from_entrypoint(said["entrypoint"])
    ours: dict[str, Any] = {
        "entrypoint": said["entrypoint"],
        "description": said["description"],
        "tags": said["tags"],
        "parameters": said.get("parameters", {}),
        "parameter_openapi_schema": parameter_schema(flow).model_dump(exclude_unset=True),
        "enforce_parameter_schema": True,
        "work_pool_name": said["work_pool"]["name"],
        "work_queue_name": said["work_pool"]["work_queue_name"],
        "job_variables": said["work_pool"].get("job_variables", {}),
        "pull_steps": [],
    }
    schedules = [_schedule(each) for each in said.get("schedules", ())]
    try:
        known = client.read_deployment_by_name(f"{flow.name}/{said['name']}")
    except ObjectNotFound:
        flow_id = client.create_flow_from_name(flow.name)
        client.create_deployment(flow_id, said["name"], schedules=schedules, **ours)
        return
    client.update_deployment(known.id, DeploymentUpdate(**ours))
    there = {schedule.slug for schedule in known.schedules}
    if new := [each for each in schedules if each.slug not in there]:
        client.create_deployment_schedules(known.id, new)


def _schedule(said: dict[str, Any]) -> DeploymentScheduleCreate:
    when = {name: said[name] for name in ("interval", "cron", "timezone", "anchor_date") if name in said}
    rest = {name: said[name] for name in ("slug", "parameters") if name in said}
    return DeploymentScheduleCreate(schedule=construct_schedule(**when), active=said.get("active", True), **rest)


if __name__ == "__main__":  # a process of its own, for this imports every flow
    with env.reach() as client:
        fit(client, read())
