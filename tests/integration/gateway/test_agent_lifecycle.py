"""/api/agents/{key}/...: what a change would touch, what has to be confirmed, and what is written down of it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from contracts.agents import IntervalSchedule, Scope
from shared.domain.binding import Binding, ScopeRef
from shared.store.agents import AgentStore
from shared.store.bindings import BindingStore
from shared.store.members import Member
from shared.store.mongo import Mongo
from shared.store.runs import RunStore
from shared.store.schedules import ScheduleInForce, ScheduleStore
from tests.integration.gateway.asking import Asking
from tests.integration.gateway.test_agents import ADMIN, NOTER, SERVER_ADMIN, publish
from tests.integration.store.given import claimed, completing, queued, run_of
from tests.unit.shared.given import LATER, NOW, a_spec

STATUS, IMPACT = "/api/agents/noter/status", "/api/agents/noter/impact"
INACTIVE = {"status": "inactive"}


async def some_work(mongo: Mongo) -> None:
    """Have one run of noter running, and two queued; and one of another organisation."""
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", "run_2", "run_3")
    await queued(runs, "run_4", organisation="harbour")
    await claimed(runs, "run_1")


async def test_the_impact_counts_what_is_open_and_names_only_what_is_ones_own(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    await some_work(mongo)
    member = Member("acme", "apollo", "ada")
    soon, later = (
        ScheduleInForce("noter", replace(member, user=user), IntervalSchedule(every_seconds=60), NOW, at)
        for user, at in (("ada", NOW), ("bob", LATER))
    )
    theirs = replace(soon, member=replace(member, organisation="harbour"))
    await ScheduleStore(mongo.database).put([later, soon, theirs], [])
    binding = Binding("acme", ScopeRef(Scope.PROJECT, "apollo"), "noter", paused=True, updated_at=NOW, updated_by="o")
    await BindingStore(mongo.database).put(binding)

    shown = (await asking.ask("GET", IMPACT, ADMIN, params={**INACTIVE, "shutdown": "immediate"})).json()

    assert (shown["running"], shown["queued"]["count"]) == ({"count": 1, "ids": ["run_1"]}, 2)
    assert set(shown["queued"]["ids"]) == {"run_2", "run_3"}
    assert (shown["schedules"]["count"], shown["schedules"]["ids"]) == (2, [soon.id, later.id])
    assert shown["schedules"]["next_fire_at"] == "2026-11-20T09:00:00Z"
    named = {"scope": "project", "scope_id": "apollo", "enabled": None, "paused": True}
    assert shown["bindings"] == {"count": 1, "bindings": [named]}
    assert (shown["cancels"], shown["confirmation_required"]) == ({"queued": 2, "running": 1}, True)


@pytest.mark.parametrize(
    ("params", "cancelled"),
    [
        (INACTIVE, 2),
        ({"status": "paused"}, 0),
        ({"archive": "true"}, 0),
        ({"disable": "organisation"}, 2),
        ({"disable": "project", "scope_id": "gemini"}, 0),
        ({"disable": "user", "scope_id": "ada"}, 2),
    ],
)
async def test_the_impact_is_that_of_the_change(
    asking: Asking, mongo: Mongo, params: dict[str, str], cancelled: int
) -> None:
    await publish(asking, NOTER)
    await some_work(mongo)

    shown = (await asking.ask("GET", IMPACT, ADMIN, params=params)).json()

    assert shown["cancels"] == {"queued": cancelled, "running": 0}
    assert shown["confirmation_required"] is (cancelled > 0)


async def test_of_the_servers_agent_all_is_counted_where_it_is_not_hidden(asking: Asking, mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(a_spec("noter"), NOW)
    await publish(asking, NOTER, organisation="harbour")
    await some_work(mongo)
    await queued(RunStore(mongo.database), "run_5", organisation="lighthouse")

    shown = (await asking.ask("GET", IMPACT, SERVER_ADMIN, params=INACTIVE)).json()
    refused = await asking.ask("GET", IMPACT, ADMIN, params=INACTIVE)

    assert (shown["queued"]["count"], set(shown["queued"]["ids"])) == (3, {"run_2", "run_3"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


@pytest.mark.parametrize("params", [{}, {"status": "paused", "archive": "true"}, {"disable": "project"}])
async def test_an_unclear_change_is_refused(asking: Asking, params: dict[str, str]) -> None:
    await publish(asking, NOTER)

    answer = await asking.ask("GET", IMPACT, ADMIN, params=params)

    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_what_would_cancel_runs_is_done_only_when_it_is_confirmed(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    await some_work(mongo)
    body = {"status": "inactive", "shutdown": "immediate", "reason": "It spends too much."}

    refused = await asking.ask("PUT", STATUS, ADMIN, json=body)
    status = (await asking.ask("GET", "/api/agents/noter")).json()["status"]
    done = await asking.ask("PUT", STATUS, ADMIN, json=body | {"confirm": True})

    assert (refused.status_code, refused.json()["code"], status) == (409, "confirmation_required", "active")
    assert "2 queued runs would be cancelled. 1 running run would be stopped." in refused.json()["detail"]
    assert refused.json()["impact"]["running"]["ids"] == ["run_1"]
    assert (done.json()["status"], done.json()["cancelled"], done.json()["cancelling"]) == ("inactive", 2, 1)
    stopped = (await run_of(mongo, "run_1"))["cancel"]
    assert (stopped["requested_by"], stopped["reason"]) == ("olga", "It spends too much.")
    assert (await run_of(mongo, "run_4"))["status"] == "queued"


async def test_a_graceful_change_lets_running_ones_go_on(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    await some_work(mongo)

    paused = await asking.ask("PUT", STATUS, ADMIN, json={"status": "paused"})
    inactive = await asking.ask("PUT", STATUS, ADMIN, json=INACTIVE | {"confirm": True})

    assert (paused.json()["status"], inactive.json()["status"]) == ("paused", "inactive")
    assert [(await run_of(mongo, run_id))["cancel"] for run_id in ("run_1", "run_2")] == [None, None]


async def test_a_planned_change_is_seen_and_can_be_cancelled(asking: Asking) -> None:
    await publish(asking, NOTER)
    at = (asking.gateway.clock() + timedelta(hours=1)).isoformat()
    body = {"status": "inactive", "shutdown": "scheduled", "at": at, "reason": "Moving."}

    planned = await asking.ask("PUT", STATUS, ADMIN, json=body)
    shown = (await asking.ask("GET", "/api/agents/noter")).json()
    cancelled = [await asking.ask("DELETE", "/api/agents/noter/planned-status", ADMIN) for _ in range(2)]

    assert (planned.json()["status"], planned.json()["planned_status"]["reason"]) == ("active", "Moving.")
    assert (shown["status"], shown["planned_status"]["status"], shown["planned_status"]["by"]) == (
        "active",
        "inactive",
        "olga",
    )
    assert [each.status_code for each in cancelled] == [200, 404]
    assert cancelled[0].json()["planned_status"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"status": "inactive", "shutdown": "scheduled"},
        {"status": "inactive", "shutdown": "scheduled", "at": "2020-01-01T00:00:00Z"},
        {"status": "inactive", "at": "2999-01-01T00:00:00Z"},
        {"status": "inactive", "shutdown": "scheduled", "at": "2999-01-01T00:00:00"},
        {"status": "active", "shutdown": "immediate"},
    ],
)
async def test_a_shutdown_that_makes_no_sense_is_refused(asking: Asking, body: dict[str, Any]) -> None:
    await publish(asking, NOTER)

    answer = await asking.ask("PUT", STATUS, ADMIN, json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


async def test_the_history_tells_who_did_what_when_and_why(asking: Asking) -> None:
    await publish(asking, NOTER)
    await asking.ask("PUT", STATUS, ADMIN, json={"status": "paused", "reason": "Too loud."})
    await asking.ask("PUT", STATUS, ADMIN, json={"status": "paused"})
    await asking.ask("DELETE", "/api/agents/noter", ADMIN)

    changes = (await asking.ask("GET", "/api/agents/noter/history", ADMIN)).json()["changes"]
    page = (await asking.ask("GET", "/api/agents/noter/history", ADMIN, params={"skip": "1", "limit": "1"})).json()
    others = await asking.ask("GET", "/api/agents/noter/history", ADMIN, organisation="harbour")

    assert [(each["kind"], each["by"], each["before"], each["after"], each["reason"]) for each in changes] == [
        ("archived", "olga", "paused", None, ""),
        ("status_changed", "olga", "active", "paused", "Too loud."),
        ("published", "olga", None, None, ""),
    ]
    assert changes[2]["version"] == 1
    assert page["changes"] == changes[1:2]
    assert others.status_code == 404


async def test_the_figures_are_those_of_the_runs_that_one_may_see(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    runs = RunStore(mongo.database)
    await queued(runs, "run_1", "run_2", "run_3", queued_at=NOW)
    await queued(runs, "run_4", organisation="harbour")
    for run_id, seconds in (("run_1", 2), ("run_2", 8)):
        claim = await claimed(runs, run_id)
        began = (await run_of(mongo, run_id))["started_at"]
        await runs.write_fenced([replace(completing(claim), finished_at=began + timedelta(seconds=seconds))])

    shown = (await asking.ask("GET", "/api/agents/noter/stats", ADMIN)).json()
    own = (await asking.ask("GET", "/api/agents/noter/stats")).json()
    await publish(asking, NOTER | {"performance_monitoring": False})
    unmonitored = (await asking.ask("GET", "/api/agents/noter/stats", ADMIN)).json()

    figures = shown["figures"]
    assert figures["by_status"] == {"queued": 1, "running": 0, "completed": 2, "failed": 0, "cancelled": 0}
    assert (figures["input_tokens"], figures["output_tokens"], figures["model_calls"]) == (24, 14, 2)
    assert (figures["median_seconds"], figures["since"]) == (2.0, "2026-11-20T09:00:00Z")
    assert (own["figures"]["by_status"]["completed"], own["figures"]["median_seconds"]) == (0, None)
    assert (unmonitored["performance_monitoring"], unmonitored["figures"]) == (False, None)


async def test_the_status_comes_with_the_open_runs_that_one_may_see(asking: Asking, mongo: Mongo) -> None:
    await publish(asking, NOTER)
    await some_work(mongo)

    shown = (await asking.ask("GET", STATUS, ADMIN)).json()
    own = (await asking.ask("GET", STATUS)).json()

    assert (shown["status"], shown["queued"], shown["running"]) == ("active", 2, 1)
    assert (own["status"], own["queued"], own["running"]) == ("active", 0, 0)


async def test_the_servers_agent_is_stopped_everywhere_but_where_another_hides_it(asking: Asking, mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(a_spec("noter"), NOW)
    await publish(asking, NOTER, organisation="harbour")
    await some_work(mongo)
    await queued(RunStore(mongo.database), "run_5", organisation="lighthouse")
    body = {"status": "paused", "shutdown": "immediate", "confirm": True}

    done = await asking.ask("PUT", STATUS, SERVER_ADMIN, json=body, params={"visibility": "server"})

    assert (done.json()["visibility"], done.json()["cancelled"], done.json()["cancelling"]) == ("server", 3, 1)
    statuses = [(await run_of(mongo, run_id))["status"] for run_id in ("run_2", "run_4", "run_5")]
    assert statuses == ["cancelled", "queued", "cancelled"]
