"""Agents that wait for what people do: each quiet time and each full row of messages starts one run."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.events import PROJECT, USER, checkin, event, member_joined
from tests.support.invariants import check_invariants
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(120),
]

# Long enough for the gate and two schedulers to have heard of the Agent, and short enough to wait for.
QUIET_MINUTES = 0.02

GRADER = f"""
[[task]]
name = "progression-grader"
on_idle = true
idle_threshold_minutes = {QUIET_MINUTES}
idle_cooldown_minutes = 0
agent_types = ["tutor"]
batch_size = 50
system = "You are a curriculum grader."
queries = [
    {{ target = "preferences.reviews", question = "When do they like reviews?", recent_limit = 5, merge = "append" }},
]
"""

SUMMARY = """
key = "summary"
name = "Summary"
visibility = "organisation"
handler = "noop"

[after_messages]
count = 3
per = "session"
target = { type = "session", id = "{data.session_id}" }
"""

REMINDER = """
key = "reminder"
name = "Reminder"
visibility = "organisation"
handler = "noop"

[schedule_trigger]
schedule = { every_seconds = 1 }
unless = { event = "checkin.submitted", within_seconds = 3600 }
target = { type = "user", id = "{userid}" }
"""

Document = dict[str, Any]


async def _apply(platform: Platform, caller: Caller, folder: Path, text: str) -> str:
    """Publish the Agent of a file; when this returns, the gate knows it."""
    (folder / "agent.toml").write_text(text)
    applied = await towpath(caller, "agents", "apply", str(folder), "--yes")
    assert applied.exit_code == 0, applied
    await platform.restart("gating")
    return applied.out


def _turn(organisation: str, number: int) -> Document:
    said = [{"role": "user", "text": f"Message {number}."}]
    data = {"session_id": "session-1", "turn_id": f"turn-{number}", "messages": said}
    return event("chat.turn_completed", organisation, data)


async def _runs(caller: Caller, agent_key: str, count: int) -> list[Document]:
    """Wait until the Agent has so many runs, and all of them have ended."""

    async def look() -> list[Document]:
        return [run for run in await caller.runs() if run["agent_key"] == agent_key]

    return await until_seen(
        look, lambda runs: len(runs) >= count and all(run["status"] == "completed" for run in runs), 40.0
    )


def _told(platform: Platform, organisation: str, type: str) -> list[Document]:
    found = platform.database["events"].find({"organisation": organisation, "type": type}).sort("accepted_at", 1)
    return [orjson.loads(stored["json"]) for stored in found]


def _leader(platform: Platform) -> str:
    lease = platform.database["leases"].find_one({"_id": "scheduler"})
    assert lease is not None
    return platform.name_of(lease["owner"])


async def test_each_quiet_time_of_a_user_starts_one_run_also_when_the_leading_scheduler_is_killed(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    printed = await _apply(platform, caller, tmp_path, GRADER)
    assert "queries.0.recent_limit: of no effect, because scope is not 'recent'" in printed
    first = checkin(organisation, "I prefer reviews before lunch.")

    await caller.publish(first)
    (run,) = await _runs(caller, "progression-grader", 1)
    await caller.publish(first)
    async with platform.without(_leader(platform)):
        await caller.publish(checkin(organisation, "Nothing new."))
        runs = await _runs(caller, "progression-grader", 2)

    assert len(runs) == 2
    assert (run["trigger"]["kind"], run["target"]) == ("idle", {"type": "user", "id": USER})
    told = _told(platform, organisation, "user.idle_detected")
    assert [(each["projectid"], each["userid"]) for each in told] == [(PROJECT, USER)] * 2
    assert len({each["data"]["active_at"] for each in told}) == 2
    await platform.settled()
    check_invariants(platform.database)


async def test_every_third_message_of_a_session_starts_one_run_however_often_it_is_sent(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    await _apply(platform, caller, tmp_path, SUMMARY)
    turns = [_turn(organisation, number) for number in range(1, 8)]

    for _ in range(2):
        answers = [await caller.publish(turn) for turn in turns]
    runs = await _runs(caller, "summary", 2)

    said = [
        decision["explanation"]
        for answer in answers
        for decision in answer.body["events"][0]["decisions"]
        if decision["agent_key"] == "summary"
    ]
    assert [text.partition("this is ")[2][:6] for text in said] == ["1 of 3", "2 of 3", "3 of 3"] * 2 + ["1 of 3"]
    assert [run["target"] for run in runs] == [{"type": "session", "id": "session-1"}] * 2
    assert {run["trigger"]["kind"] for run in runs} == {"messages"}
    assert [row["data"]["total"] for row in _told(platform, organisation, "messages.counted")] == [3, 6]
    await platform.settled()
    check_invariants(platform.database)


async def test_a_reminder_goes_to_whom_has_not_checked_in(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    await _apply(platform, caller, tmp_path, REMINDER)
    await caller.publish(checkin(organisation, "I am here."))
    await caller.publish(member_joined(organisation), member_joined(organisation, "bob"))

    async def decided() -> dict[str, set[str]]:
        fires = platform.database["events"].find(
            {"organisation": organisation, "type": "schedule.fired", "gated": True}
        )
        found: dict[str, set[str]] = {}
        for fire in fires:
            reasons = {each["reason"] for each in fire["decisions"] if each["agent_key"] == "reminder"}
            found.setdefault(fire["user"], set()).update(reasons)
        return found

    reasons = await until_seen(decided, lambda found: bool(found.get(USER)) and bool(found.get("bob")), 40.0)
    await caller.ask("DELETE", "/api/agents/reminder", query={"visibility": "organisation"})

    assert reasons == {USER: {"event_seen"}, "bob": {"enabled"}}
    await platform.settled()
