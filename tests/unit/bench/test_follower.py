import asyncio
from datetime import UTC, datetime
from typing import Any

from nats.aio.msg import Msg

from infra.bench.load.follower import Follower
from infra.bench.load.job import Job, Pattern
from shared.domain.run import RunStatus
from shared.domain.run_event import run_event

MOMENT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
JOB = Job(
    pattern=Pattern.PACED,
    gateway_url="http://127.0.0.1:1",
    nats_url="nats://127.0.0.1:1",
    token="token",
    organisation="bench-1",
    event_type="ticket.opened",
    agent_key="noop",
    tag="tag",
)


def told(run_id: str, status: RunStatus) -> Msg:
    run = {
        "_id": run_id,
        "agent_key": "noop",
        "agent_version": 1,
        "event_key": "ev_1",
        "target": {"type": "ticket", "id": "t" * 128},
        "attempt": 1,
        "status": status,
        "organisation": "o" * 128,
        "project": "apollo",
        "user": "ada",
        "queued_at": MOMENT,
        "changed_at": MOMENT,
    }
    message = run_event(run)
    client: Any = None
    return Msg(_client=client, subject=message.subject, data=message.json)


async def test_a_start_and_an_end_are_noted() -> None:
    follower = Follower(JOB)

    for status in (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.COMPLETED):
        await follower.on_told(told("run_1", status))

    assert follower.started.keys() == follower.ended.keys() == {"run_1"}
    assert follower.started["run_1"] <= follower.ended["run_1"]


async def test_whoever_waits_for_an_end_goes_on_when_it_is_told() -> None:
    follower = Follower(JOB)
    waiting = asyncio.create_task(follower.end_of("run_1"))
    await asyncio.sleep(0)
    assert not waiting.done()

    await follower.on_told(told("run_1", RunStatus.COMPLETED))

    await asyncio.wait_for(waiting, 1)


async def test_an_end_that_was_told_before_is_not_waited_for() -> None:
    follower = Follower(JOB)
    await follower.on_told(told("run_1", RunStatus.COMPLETED))

    await asyncio.wait_for(follower.end_of("run_1"), 1)


async def test_a_second_attempt_does_not_change_when_the_run_started() -> None:
    follower = Follower(JOB)
    await follower.on_told(told("run_1", RunStatus.RUNNING))
    started = follower.started["run_1"]

    await follower.on_told(told("run_1", RunStatus.RUNNING))

    assert follower.started["run_1"] == started
