"""Many users are waited for and counted while every service is killed and started again: each gets what is due, once."""

from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.caller import Caller
from tests.support.command_line import towpath
from tests.support.duration import only_when_long
from tests.support.events import checkin, event
from tests.support.invariants import check_invariants
from tests.support.load import publish_all
from tests.support.platform import Platform
from tests.support.waiting import until_seen

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("platform"),
    pytest.mark.timeout(600),
]

USERS = 1_000
PATIENCE_SECONDS = 300.0
QUIET_SECONDS = 6.0

QUIET = f"""
key = "quiet"
name = "Quiet"
visibility = "organisation"
handler = "noop"

[on_idle]
idle_threshold_minutes = {QUIET_SECONDS / 60}
idle_cooldown_minutes = 0
activity = ["checkin.submitted"]
target = {{ type = "user", id = "{{userid}}" }}
"""

THIRD = """
key = "third"
name = "Third"
visibility = "organisation"
handler = "noop"

[after_messages]
count = 3
target = { type = "user", id = "{userid}" }
"""

Document = dict[str, Any]


def _users() -> list[str]:
    return [f"user-{number}" for number in range(USERS)]


def _turn(organisation: str, user: str, number: int) -> Document:
    said = [{"role": "user", "text": f"Message {number}."}]
    data = {"session_id": f"session-{user}", "turn_id": f"turn-{number}", "messages": said}
    return event("chat.turn_completed", organisation, data, userid=user, id=f"turn-{user}-{number}")


async def _prepare(platform: Platform, caller: Caller, folder: Path) -> None:
    """Publish both Agents, and switch off those that would ask a model; when this returns, the gate obeys."""
    for key in ("today_checkin_processor", "chat_memory_reviewer"):
        await caller.bind(key, "organisation", enabled=False)
    for name, text in (("quiet", QUIET), ("third", THIRD)):
        (folder / f"{name}.toml").write_text(text)
    assert (await towpath(caller, "agents", "apply", str(folder), "--yes")).exit_code == 0
    await platform.restart("gating")


async def _publish_while_killed(caller: Caller, events: list[Document], kill: Callable[[], Awaitable[None]]) -> None:
    """Publish the first half, have something killed and started again, and publish the rest."""
    half = len(events) // 2
    for part, then in ((events[:half], kill), (events[half:], None)):
        assert {answer.status for answer in await publish_all(caller, part)} == {202}
        if then is not None:
            await then()


def _told(platform: Platform, organisation: str, type: str) -> list[Document]:
    found = platform.database["events"].find({"organisation": organisation, "type": type})
    return [orjson.loads(stored["json"]) for stored in found]


def _completed(platform: Platform, organisation: str, agent_key: str) -> Counter[str]:
    """Return how many runs of the Agent each user has, all of which have ended well."""
    runs = list(platform.database["runs"].find({"organisation": organisation, "agent_key": agent_key}))
    assert {run["status"] for run in runs} <= {"queued", "running", "completed"}
    return Counter(run["user"] for run in runs if run["status"] == "completed")


@only_when_long
async def test_each_of_many_users_gets_one_run_for_being_idle_and_one_for_three_messages(
    platform: Platform, organisation: str, tmp_path: Path
) -> None:
    caller = platform.caller(organisation)
    await _prepare(platform, caller, tmp_path)

    def killing(*names: str) -> Callable[[], Awaitable[None]]:
        async def kill() -> None:
            async with platform.without(*names):
                pass

        return kill

    schedulers = [name for name in platform.services if name.startswith("scheduler")]
    turns = [_turn(organisation, user, number) for number in range(1, 5) for user in _users()]
    await _publish_while_killed(caller, turns, killing("gateway"))
    await _publish_while_killed(caller, turns, killing("gating"))
    await _publish_while_killed(
        caller, [checkin(organisation, userid=user) for user in _users()], killing(*schedulers, *platform.runners)
    )

    async def missing() -> int:
        done = [_completed(platform, organisation, key) for key in ("quiet", "third")]
        return sum(USERS - len(each) for each in done)

    await until_seen(missing, lambda count: count == 0, PATIENCE_SECONDS)
    await platform.settled(PATIENCE_SECONDS)

    once = dict.fromkeys(_users(), 1)
    assert _completed(platform, organisation, "quiet") == once
    assert _completed(platform, organisation, "third") == once
    idle, counted = (_told(platform, organisation, kind) for kind in ("user.idle_detected", "messages.counted"))
    assert Counter(each["userid"] for each in idle) == Counter(each["userid"] for each in counted) == once
    assert {each["data"]["total"] for each in counted} == {3}
    assert min(_quiet_seconds(each) for each in idle) >= QUIET_SECONDS
    check_invariants(platform.database)


def _quiet_seconds(told: Document) -> float:
    active, detected = (datetime.fromisoformat(told["data"][name]) for name in ("active_at", "detected_at"))
    return (detected - active).total_seconds()
