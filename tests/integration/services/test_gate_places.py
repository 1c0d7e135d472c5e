"""Runs that the gate decides take places, wait for one, or for their time."""

import asyncio
from datetime import timedelta

import pytest
from nats.aio.client import Client

from contracts.agents import AgentSpec, Scope
from contracts.lanes import Queue
from contracts.streams import RUNS, runner_consumer
from contracts.subjects import last_id
from services.gating.gate import Gate
from shared.domain.binding import Binding, ScopeRef
from shared.domain.run import Waiting
from shared.domain.slot import EXPRESS_RUNS, QueueLimits, paused_key
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.run_documents import waiting_document
from shared.store.slots import SlotStore
from tests.integration.messaging.looking import count_behind, take
from tests.integration.services.test_gate import AGENTS, LIMITS, Record, a_gate, an_arrival, checkin, runs_of
from tests.unit.shared.given import NOW, a_spec, triggered


async def considered(mongo: Mongo, gate: Gate, *names: str) -> tuple[list[Record], list[Record]]:
    """Have the gate consider events; return the runs that are admitted, and those that wait."""
    await gate.consider([an_arrival(checkin(name)) for name in names])
    runs = await runs_of(mongo)
    return [run for run in runs if run["waiting_for"] is None], [run for run in runs if run["waiting_for"] is not None]


@pytest.mark.parametrize(
    ("agent", "limits", "what", "detail"),
    [
        (triggered("noter", max_concurrent_tasks=2), LIMITS, Waiting.AGENT, "noter of acme"),
        (
            triggered("noter", max_concurrent_per_target=2, target="{data.date}"),
            LIMITS,
            Waiting.TARGET,
            "noter on thing 2026-11-20",
        ),
        (triggered("noter"), QueueLimits(organisation=2), Waiting.ORGANISATION, "acme"),
        (triggered("noter"), QueueLimits(organisation=512, server=2), Waiting.SERVER, "all runners"),
    ],
)
async def test_runs_beyond_a_limit_wait_for_a_place_and_say_so(
    client: Client,
    mongo: Mongo,
    publisher: Publisher,
    agent: AgentSpec,
    limits: QueueLimits,
    what: Waiting,
    detail: str,
) -> None:
    gate = a_gate(mongo, publisher, agents=(agent,), limits=limits)

    admitted, waiting = await considered(mongo, gate, *"abcde")

    assert (len(admitted), len(waiting)) == (2, 3)
    (slot,) = [each for each in await SlotStore(mongo.database).all() if each.kind is what]
    assert set(slot.holders) == {run["_id"] for run in admitted}
    assert all(run["waiting_for"] == waiting_document(what, NOW, key=slot.key, detail=detail) for run in waiting)
    assert all(slot.key in run["slots"] for run in (*admitted, *waiting))
    assert await count_behind(client, RUNS.name, "run.low.last") == 2


async def test_a_run_that_waits_for_a_place_keeps_no_other(client: Client, mongo: Mongo, publisher: Publisher) -> None:
    agent = triggered("noter", max_concurrent_tasks=3)

    await considered(mongo, a_gate(mongo, publisher, agents=(agent,), limits=QueueLimits(organisation=2)), *"abcde")

    held = {slot.kind: len(slot.holders) for slot in await SlotStore(mongo.database).all()}
    assert held == {Waiting.AGENT: 2, Waiting.ORGANISATION: 2}


async def test_the_first_few_runs_of_an_organisation_are_express(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    names = [str(number) for number in range(EXPRESS_RUNS + 3)]

    admitted, _ = await considered(mongo, a_gate(mongo, publisher, agents=AGENTS[:1]), *names)

    express = {run["_id"] for run in admitted if run["express"]}
    assert len(express) == EXPRESS_RUNS
    for queue, count in ((Queue.EXPRESS_MEDIUM, EXPRESS_RUNS), (Queue.MEDIUM, 3)):
        messages = await take(client, count, runner_consumer(queue))
        assert {last_id(message.subject) in express for message in messages} == {queue.is_express}


async def test_a_delayed_run_waits_until_it_is_due_and_takes_no_place(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    trigger = {"event": "checkin.submitted", "target": {"type": "thing", "id": "{id}"}, "delay_seconds": 30}

    admitted, waiting = await considered(mongo, a_gate(mongo, publisher, agents=(a_spec(triggers=[trigger]),)), "a")

    assert admitted == []
    assert waiting[0]["waiting_for"] == waiting_document(Waiting.DELAY, NOW, until=NOW + timedelta(seconds=30))
    assert waiting[0]["sweep_at"] == NOW + timedelta(seconds=30)
    assert await SlotStore(mongo.database).all() == []


async def test_the_runs_of_a_paused_agent_are_decided_and_wait(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    paused = Binding("acme", ScopeRef(Scope.PROJECT, "apollo"), "noter", paused=True)

    admitted, waiting = await considered(mongo, a_gate(mongo, publisher, paused), "a")

    assert [run["agent_key"] for run in admitted] == ["reader"]
    key = paused_key("acme", "noter")
    assert [run["waiting_for"]["key"] for run in waiting] == [key]


async def test_an_event_that_is_delivered_again_takes_no_place_again(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    agent = triggered("noter", max_concurrent_tasks=2)
    gate = a_gate(mongo, publisher, agents=(agent,))
    first, _ = await considered(mongo, gate, "a")
    await gate.admission.leave(first)

    await gate.consider([an_arrival(checkin("a"), is_first=False)])
    admitted, waiting = await considered(mongo, gate, "b", "c")

    assert (len(admitted), waiting) == (3, [])


async def test_gates_that_consider_the_same_at_once_admit_no_more_than_the_limit(
    client: Client, mongo: Mongo, publisher: Publisher
) -> None:
    arrivals = [an_arrival(checkin(str(number)), is_accepted=True) for number in range(20)]
    agent = triggered("noter", max_concurrent_tasks=3)
    gates = [a_gate(mongo, publisher, agents=(agent,)) for _ in range(3)]

    await asyncio.gather(*(gate.consider(arrivals) for gate in gates))

    runs = await runs_of(mongo)
    held = {each.kind: set(each.holders) for each in await SlotStore(mongo.database).all()}
    assert len(runs) == 20
    assert len(held[Waiting.AGENT]) == 3
    assert {run["_id"] for run in runs if run["waiting_for"] is None} <= held[Waiting.AGENT]
