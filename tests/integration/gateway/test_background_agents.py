"""/api/background-agents: created, started, paused, resumed and stopped under the names of OmniCoreAgent."""

from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.agents import DailySchedule
from shared.domain.run import RunError, RunStatus, Usage
from shared.store.agents import AgentStore
from shared.store.mongo import Mongo
from shared.store.run_documents import Commit
from shared.store.runs import RunStore
from tests.integration.gateway.asking import Asking
from tests.integration.store.given import claimed, completing, queued
from tests.unit.services.gateway.test_background_specs import MONITOR
from tests.unit.shared.given import LATER, NOW, a_spec

ADMIN = "organisation_admin"
PATH = "/api/background-agents"
FAST = MONITOR | {"model_config": {"model": "fast"}}


async def tell(asking: Asking, what: str, body: Any = None, **of: Any) -> Any:
    return await asking.ask("POST", f"{PATH}/system_monitor/{what}", ADMIN, json=body, **of)


async def status(asking: Asking) -> dict[str, Any]:
    shown: dict[str, Any] = (await asking.ask("GET", f"{PATH}/system_monitor/status", ADMIN)).json()
    return shown


async def test_one_is_created_stopped_and_goes_through_its_life(asking: Asking) -> None:
    created = await asking.ask("POST", PATH, ADMIN, json=FAST)
    started, paused, resumed, stopped = [
        (await tell(asking, what)).json() for what in ("start", "pause", "resume", "stop")
    ]
    shown = (await asking.ask("GET", "/api/agents/system_monitor")).json()
    history = (await asking.ask("GET", "/api/agents/system_monitor/history")).json()["changes"]

    assert (created.status_code, created.json()["status"], created.json()["next_fire_at"]) == (201, "inactive", None)
    assert (created.json()["run_count"], created.json()["last_run"]) == (0, None)
    assert [each["status"] for each in (started, paused, resumed, stopped)] == [
        "active",
        "paused",
        "active",
        "inactive",
    ]
    assert (started["schedule"], stopped["schedule"], stopped["next_fire_at"]) == ("every 300 s", "every 300 s", None)
    assert started["next_fire_at"] is not None
    assert paused["next_fire_at"] is not None
    assert (shown["visibility"], shown["configuration"]["timeout_seconds"]) == ("organisation", 90)
    assert [each["kind"] for each in history] == [*["status_changed"] * 4, "published"]


async def test_the_status_counts_runs_and_errors_and_shows_the_last_result(asking: Asking, mongo: Mongo) -> None:
    await asking.ask("POST", PATH, ADMIN, json=FAST)
    runs = RunStore(mongo.database)
    mine = {"agent_key": "system_monitor", "user": None, "project": None}
    await queued(runs, "run_1", **mine)
    await queued(runs, "run_2", queued_at=LATER, **mine)
    failed = RunError("model_refused", "The model declined.")
    await runs.write_fenced([Commit(await claimed(runs, "run_1"), RunStatus.FAILED, LATER, Usage(), error=failed)])
    await runs.write_fenced([completing(await claimed(runs, "run_2"))])

    shown = await status(asking)
    listed = (await asking.ask("GET", PATH, ADMIN)).json()

    assert (shown["run_count"], shown["error_count"]) == (2, 1)
    assert (shown["last_run"]["id"], shown["last_run"]["output"]) == ("run_2", {"summary": "well"})
    assert [(each["agent_id"], each["run_count"]) for each in listed["agents"]] == [("system_monitor", 2)]


async def test_starting_it_now_starts_a_run(asking: Asking) -> None:
    await asking.ask("POST", PATH, ADMIN, json=FAST)

    started = await tell(asking, "start", {"now": True, "reason": "At last."})
    (requested,) = [event async for event in asking.gateway.mongo.database["events"].find({})]

    assert started.json()["status"] == "active"
    assert requested["type"] == "agent.execute_requested"


async def test_stopping_asks_before_it_cancels_runs(asking: Asking, mongo: Mongo) -> None:
    await asking.ask("POST", PATH, ADMIN, json=FAST)
    await tell(asking, "start")
    await queued(RunStore(mongo.database), "run_1", agent_key="system_monitor")

    refused = await tell(asking, "stop", {"immediate": True})
    stopped = await tell(asking, "stop", {"immediate": True, "confirm": True})

    assert (refused.status_code, refused.json()["code"]) == (409, "confirmation_required")
    assert (stopped.json()["status"], stopped.json()["last_run"]["status"]) == ("inactive", "cancelled")


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_a_stopped_one_is_started_and_not_paused_or_resumed(asking: Asking, what: str) -> None:
    await asking.ask("POST", PATH, ADMIN, json=FAST)

    refused = await tell(asking, what)

    assert (refused.status_code, refused.json()["code"]) == (409, "agent_inactive")


async def test_it_is_the_organisations_alone_and_for_its_admins(asking: Asking, mongo: Mongo) -> None:
    await AgentStore(mongo.database).seed(a_spec("noter"), NOW)
    created = [await asking.ask("POST", PATH, *roles, json=FAST) for roles in ((), (ADMIN,), (ADMIN,))]
    by_user = await asking.ask("POST", f"{PATH}/system_monitor/start")
    elsewhere = await tell(asking, "start", organisation="harbour")
    unscheduled = await asking.ask("GET", f"{PATH}/noter/status", ADMIN)

    assert [(each.status_code, each.json().get("code")) for each in created] == [
        (403, "forbidden"),
        (201, None),
        (409, "agent_exists"),
    ]
    assert (by_user.status_code, elsewhere.status_code, unscheduled.status_code) == (403, 404, 404)
    assert (await status(asking))["status"] == "inactive"


async def test_one_on_the_clock_of_each_member_is_told_in_utc_until_there_is_a_member(
    asking: Asking, mongo: Mongo
) -> None:
    schedule = DailySchedule(daily_hour=7, timezone="member")
    trigger = {"schedule": schedule, "target": {"type": "day", "id": "{data.date}"}}
    await AgentStore(mongo.database).seed(a_spec("review", schedule_trigger=trigger), NOW)

    shown = (await asking.ask("GET", f"{PATH}/review/status")).json()

    assert shown["schedule"] == "daily at 07:00 on each member's clock"
    assert datetime.fromisoformat(shown["next_fire_at"]).astimezone(UTC).hour == 7
