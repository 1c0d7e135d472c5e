"""The samples really run: applied and started by the command line, executed at once, and fired by their schedule."""

from functools import partial
from typing import Any

import pytest

from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

SAMPLES = ("archival", "content_aggregator", "health_check")

Document = dict[str, Any]


async def _seen(caller: Caller, path: str) -> Document:
    answer = await caller.get(path)
    assert answer.status == 200, answer
    return dict(answer.body)


def _has_ended(seen: Document) -> bool:
    return seen["last_run"] is not None and seen["last_run"]["finished_at"] is not None


async def test_every_sample_is_applied_started_executed_and_stopped(platform: Platform, organisation: str) -> None:
    caller = platform.caller(organisation)

    applied = (await towpath(caller, "agents", "apply", "samples", "--yes", "--json")).json
    again = (await towpath(caller, "agents", "apply", "samples", "--yes", "--json")).json

    assert len(applied["published"]) == len(SAMPLES)
    assert {file["does"] for file in again["files"]} == {"nothing"}
    for key in SAMPLES:
        started = (await towpath(caller, "background", "start", key, "--now", "--json")).json
        path = f"/api/background-agents/{key}/status"
        shown = await until_seen(partial(_seen, caller, path), _has_ended)
        stopped = (await towpath(caller, "background", "stop", key, "--confirm", "--json")).json
        assert (started["status"], stopped["status"]) == ("active", "inactive")
        assert (shown["last_run"]["status"], shown["error_count"]) == ("completed", 0)
        assert isinstance(shown["last_run"]["output"]["summary"], str)


async def test_the_health_check_is_fired_once_for_the_organisation_without_any_member(
    platform: Platform, organisation: str
) -> None:
    caller = platform.caller(organisation)
    await towpath(caller, "agents", "apply", "samples", "--yes", "--json")
    sooner = await caller.put("/api/heartbeat/agents/health_check/config", {"schedule": {"every_seconds": 1}})
    assert sooner.status == 200, sooner

    await towpath(caller, "background", "start", "health_check", "--json")
    last = await until_seen(
        lambda: _seen(caller, "/api/heartbeat/agents/health_check/last"),
        lambda seen: ((seen["fire"] or {}).get("agent_run") or {}).get("status") == "completed",
    )
    await towpath(caller, "background", "stop", "health_check", "--confirm", "--json")

    fired = last["fire"]["agent_run"]
    assert (fired["trigger"]["kind"], fired["project"], fired["user"]) == ("schedule", None, None)
    assert fired["target"]["type"] == "health_check"
    assert isinstance(fired["output"]["summary"], str)
