"""/api/agents/{key}/batch and resuming: for whom, who may, and what the answers say."""

from typing import Any

from contracts.registry import parse
from shared.domain.batch import TARGET
from shared.domain.decision import Target
from shared.domain.event import accepted_event
from shared.domain.run import RunStatus, Waiting
from shared.store.batches import child_document
from shared.store.events import EventStore
from shared.store.members import Member, MembershipChange, MemberStore
from shared.store.mongo import Mongo
from shared.store.run_documents import NewRun, waiting_document
from shared.store.runs import RunStore
from tests.integration.gateway.asking import Asking
from tests.integration.gateway.test_agents import NOTER, publish
from tests.unit.shared.given import NOW, a_new_run, an_event

ADMIN = "organisation_admin"
PATH = "/api/agents/noter/batch"
PROGRESS = {"users_processed": 2, "users_total": 2, "users_failed": 1, "partial": True, "errors": []}


def a_batch(**changes: Any) -> NewRun:
    stored = {"users": ["ada", "bob"], "users_total": 2, "size": 2, "round": 1}
    times = {"queue_timeout_seconds": 60, "run_timeout_seconds": 60}
    waiting = waiting_document(Waiting.CHILDREN, NOW)
    target = Target(TARGET, "b-1")
    return a_new_run("run_1", user="olga", target=target, batch=stored | times, waiting_for=waiting, **changes)


async def test_a_batch_is_for_those_that_are_named_or_found_by_those_who_may(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, {**NOTER, "batch_size": 7})
    members = [Member("acme", "apollo", user) for user in ("bob", "ada")] + [Member("acme", "gemini", "cyd")]
    await MemberStore(mongo.database).apply([MembershipChange(each, True, NOW) for each in members])

    found = await asking.ask("POST", PATH, ADMIN, json={"user_filter": "all", "project": "apollo", "request_id": "b-1"})
    own = await asking.ask("POST", PATH, json={"users": ["olga", "olga"], "request_id": "b-2"})

    assert (found.status_code, found.json()["users_total"], own.json()["users_total"]) == (202, 2, 1)
    assert found.json()["agent_run"]["target"] == {"type": "batch", "id": "b-1"}
    event = await mongo.database["events"].find_one({"id": "b-1"})
    assert event is not None
    assert '"batch":{"users":["ada","bob"],"size":7}' in event["json"]
    wrong = {
        "forbidden": await asking.ask("POST", PATH, json={"users": ["ada"]}),
        "request_invalid": await asking.ask("POST", PATH, ADMIN, json={"users": ["ada"], "user_filter": "all"}),
        "not_found": await asking.ask("POST", "/api/agents/nobody/batch", ADMIN, json={"users": ["ada"]}),
    }
    assert {answer.json()["code"] for answer in wrong.values()} == set(wrong)
    nobody = await asking.ask("POST", PATH, ADMIN, json={"user_filter": "member.user == 'zoe'"})
    assert nobody.json()["detail"].startswith("user_filter: no member matches")


async def test_a_batch_shows_its_progress_lists_its_runs_and_is_resumed_once(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    data = {"agent_key": "noter", "requested_by": "olga", "batch": {"users": ["ada", "bob"], "size": 2}}
    example = an_event("agent.execute_requested", organisationid="acme", userid="olga").model_dump(mode="json")
    event = parse({**example, "data": data})
    await EventStore(mongo.database).accept([accepted_event(event, event.to_json().decode(), NOW)])
    await runs.add([a_batch(event_key=event.key)])
    parent = (await runs.load(["run_1"]))["run_1"]
    child = child_document(parent, "ada", NOW)
    await runs.add_children([child | {"status": RunStatus.COMPLETED, "finished_at": NOW}])

    shown = (await asking.ask("GET", "/api/agent-runs/run_1")).json()
    assert (shown["kind"], shown["batch"]["users_total"], shown["batch"]["users_processed"]) == ("batch", 2, 0)
    listed = (await asking.ask("GET", "/api/agent-runs", ADMIN, params={"parent_id": "run_1"})).json()["agent_runs"]
    assert [(run["user"], run["parent_id"], run["kind"]) for run in listed] == [("ada", "run_1", "run")]
    assert (await asking.ask("GET", "/api/agent-runs", params={"parent_id": "run_1"})).json()["agent_runs"] == []

    own = (await asking.ask("GET", f"/api/agent-runs/{child['_id']}", ADMIN)).json()["event"]
    assert (own["userid"], own["data"]) == ("ada", {"agent_key": "noter", "requested_by": "olga"})

    await runs.complete_batch(parent, PROGRESS, NOW)
    refused = await asking.ask("POST", "/api/agent-runs/run_1/resume")
    answers = [await asking.ask("POST", "/api/agent-runs/run_1/resume", ADMIN) for _ in range(2)]

    assert refused.json()["code"] == "forbidden"
    assert [(answer.status_code, answer.json()["batch"]["round"]) for answer in answers] == [(202, 2), (202, 2)]
    assert answers[0].json()["status"] == "queued"


async def test_what_has_nothing_to_resume_is_refused(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await runs.add([a_batch(), a_new_run("run_2", user="olga")])
    await runs.complete_batch((await runs.load(["run_1"]))["run_1"], PROGRESS | {"partial": False}, NOW)

    for run in ("run_1", "run_2"):
        answer = await asking.ask("POST", f"/api/agent-runs/{run}/resume", ADMIN)
        assert (answer.status_code, answer.json()["code"]) == (409, "batch_not_resumable")
