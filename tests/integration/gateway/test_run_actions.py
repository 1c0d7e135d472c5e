"""/api/agent-runs: who may end runs and ask why they are where they are, and what the answers say."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.lanes import Lane
from shared.domain.decision import Target
from shared.domain.run import RunStatus, Usage, Waiting
from shared.store.bodies import BodyStore
from shared.store.mongo import Mongo
from shared.store.run_documents import Commit, waiting_document
from shared.store.runners import RunnerStore
from shared.store.runs import RunStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import claimed, completing, queued, run_of
from tests.unit.shared.given import LATER, NOW

ADMIN = "organisation_admin"
OLGAS: dict[str, Any] = {"user": "olga"}
A_PLACE = waiting_document(Waiting.AGENT, NOW, key="slot_1", detail="noter of acme")


async def test_a_queued_run_has_ended_with_the_answer(asking: Asking, mongo: Mongo) -> None:
    await queued(RunStore(mongo.database), "run_1", **OLGAS)

    answers = [
        await asking.ask("POST", "/api/agent-runs/run_1/cancel", json={"reason": reason})
        for reason in ("Dear", "Again")
    ]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    shown = answers[0].json()
    assert (shown["status"], shown["cancelling"], shown["error"]["code"]) == ("cancelled", False, "cancelled")
    assert (shown["cancel"]["requested_by"], shown["cancel"]["reason"]) == ("olga", "Dear")


async def test_a_running_run_is_cancelling_until_its_runner_has_seen_to_it(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", **OLGAS)
    claim = await claimed(runs)

    asked = await asking.ask("POST", "/api/agent-runs/run_1/cancel")
    again = await asking.ask("POST", "/api/agent-runs/run_1/cancel")
    spent = Usage(1, 2, 1)
    await runs.write_fenced([Commit(claim, RunStatus.CANCELLED, LATER, spent, spent_after_cancel=spent)])
    confirmed = await asking.ask("POST", "/api/agent-runs/run_1/cancel")

    assert [answer.status_code for answer in (asked, again, confirmed)] == [202, 202, 200]
    assert (asked.json()["status"], asked.json()["cancelling"]) == ("running", True)
    assert (confirmed.json()["cancelling"], confirmed.json()["cancel"]["spent_after"]["output_tokens"]) == (False, 2)


@pytest.mark.parametrize("status", [RunStatus.COMPLETED, RunStatus.FAILED])
async def test_a_run_that_has_ended_cannot_be_cancelled(asking: Asking, mongo: Mongo, status: RunStatus) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", **OLGAS)
    await runs.write_fenced([Commit(await claimed(runs), status, LATER, Usage())])

    answer = await asking.ask("POST", "/api/agent-runs/run_1/cancel")

    assert (answer.status_code, answer.json()["code"]) == (409, "run_ended")
    assert answer.json()["run_status"] == status
    assert f"is {status} since 2026-11-20 09:00:07 UTC" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("roles", "organisation", "status"), [((), "acme", 404), ((ADMIN,), "acme", 200), ((ADMIN,), "harbour", 404)]
)
async def test_another_users_run_is_cancelled_by_who_sees_the_organisation_only(
    asking: Asking, mongo: Mongo, roles: tuple[str, ...], organisation: str, status: int
) -> None:
    await queued(RunStore(mongo.database), "run_1", user="ada")

    answer = await asking.ask("POST", "/api/agent-runs/run_1/cancel", *roles, organisation=organisation)
    explained = await asking.ask("GET", "/api/agent-runs/run_1/explain", *roles, organisation=organisation)

    assert (answer.status_code, explained.status_code) == (status, status)
    assert ((await run_of(mongo))["status"] == "cancelled") is (status == 200)


async def test_many_are_cancelled_and_counted_by_what_has_become_of_them(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued", "run_running", "run_left", "run_done", **OLGAS)
    await queued(runs, "run_ada", user="ada")
    for run_id in ("run_running", "run_left"):
        await claimed(runs, run_id, owner=run_id)
    await runs.take_over_from("run_left", NOW)
    await runs.write_fenced([completing(await claimed(runs, "run_done"))])

    answers = [await asking.ask("POST", "/api/agent-runs/cancel", json={}) for _ in range(2)]

    assert [answer.json() for answer in answers] == [
        {"cancelled": 1, "cancelling": 2},
        {"cancelled": 0, "cancelling": 0},
    ]
    assert (await run_of(mongo, "run_ada"))["cancel"] is None


@pytest.mark.parametrize(
    "selection",
    [
        {"agent_key": "noter"},
        {"project": "apollo"},
        {"event_type": "checkin.submitted"},
        {"target_type": "doc", "target_id": "plan"},
        {"queued_before": (NOW + timedelta(seconds=1)).isoformat()},
    ],
)
async def test_only_runs_that_match_are_cancelled(asking: Asking, mongo: Mongo, selection: dict[str, Any]) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", **OLGAS)
    other: dict[str, Any] = {
        "agent_key": "reader",
        "project": "gemini",
        "event_type": "doc.created",
        "target": Target("doc", "other"),
        "queued_at": LATER,
    }
    await queued(runs, "run_other", **OLGAS, **other)

    answer = await asking.ask("POST", "/api/agent-runs/cancel", json=selection)

    assert answer.json()["cancelled"] == 1
    assert (await run_of(mongo, "run_other"))["status"] == "queued"


async def test_by_status_what_is_running_may_be_left_alone(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_queued", "run_running", **OLGAS)
    await claimed(runs, "run_running")

    answer = await asking.ask("POST", "/api/agent-runs/cancel", json={"status": ["queued"]})

    assert answer.json() == {"cancelled": 1, "cancelling": 0}


@pytest.mark.parametrize("selection", [{"all_users": True}, {"user": "ada"}])
async def test_the_runs_of_others_are_for_who_sees_the_organisation(
    asking: Asking, mongo: Mongo, selection: dict[str, Any]
) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_ada", user="ada")
    await queued(runs, "run_theirs", organisation="harbour")

    refused = await asking.ask("POST", "/api/agent-runs/cancel", json=selection)
    allowed = await asking.ask("POST", "/api/agent-runs/cancel", ADMIN, json=selection)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert allowed.json()["cancelled"] == 1
    assert (await run_of(mongo, "run_theirs"))["status"] == "queued"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/agent-runs/cancel", {"everything": True}),
        ("/api/agent-runs/cancel", {"status": ["asleep"]}),
        ("/api/agent-runs/run_1/cancel", {"reason": "x" * 2_001}),
    ],
)
async def test_a_request_that_says_something_else_is_refused(asking: Asking, path: str, body: dict[str, Any]) -> None:
    answer = await asking.ask("POST", path, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_a_run_that_waits_is_explained_with_its_position(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", "run_2", waiting_for=A_PLACE, user="ada")
    await queued(runs, "run_urgent", waiting_for=A_PLACE, lane=Lane.HIGH, queued_at=LATER)
    await queued(runs, "run_late", waiting_for=A_PLACE, queued_at=LATER, **OLGAS)

    answer = (await asking.ask("GET", "/api/agent-runs/run_late/explain")).json()

    assert answer["summary"].startswith("noter of acme has as many runs at a time as max_concurrent_tasks allows")
    assert any(detail.startswith("Position 4 among") for detail in answer["details"])
    assert answer["run"]["id"] == "run_late"


@pytest.mark.parametrize(("has_runner", "said"), [(True, "one of 1 runner has a free slot"), (False, "start one")])
async def test_a_run_that_is_dispatched_is_explained_by_the_runners_there_are(
    asking: Asking, mongo: Mongo, has_runner: bool, said: str
) -> None:
    await queued(RunStore(mongo.database), "run_1", queued_at=datetime.now(UTC), **OLGAS)
    if has_runner:
        await RunnerStore(mongo.database).beat("runner-1")

    answer = (await asking.ask("GET", "/api/agent-runs/run_1/explain")).json()

    assert said in answer["summary"]


async def test_a_long_output_is_shown_whole(asking: Asking, mongo: Mongo) -> None:
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", **OLGAS)
    reference = await BodyStore(mongo.database).put("run_1", "output", '{"text":"über"}')
    claim = await claimed(runs)
    await runs.write_fenced([Commit(claim, RunStatus.COMPLETED, LATER, Usage(), output_ref=reference)])

    shown = (await asking.ask("GET", "/api/agent-runs/run_1")).json()

    assert shown["output"] == {"text": "über"}


async def test_a_run_that_has_not_changed_is_not_sent_again(asking: Asking, mongo: Mongo) -> None:
    await queued(RunStore(mongo.database), "run_1", **OLGAS)

    first = await asking.ask("GET", "/api/agent-runs/run_1")
    known = {"If-None-Match": first.headers["ETag"]}
    again = await asking.ask("GET", "/api/agent-runs/run_1", headers=known)
    await asking.ask("POST", "/api/agent-runs/run_1/cancel")
    changed = await asking.ask("GET", "/api/agent-runs/run_1", headers=known)

    assert [answer.status_code for answer in (first, again, changed)] == [200, 304, 200]
    assert (again.content, changed.json()["status"]) == (b"", "cancelled")
