"""The slots stay true to the runs, and nobody waits for ever for a place that is free."""

from datetime import timedelta

import pytest
from nats.aio.client import Client

from contracts.agents import Scope
from contracts.lanes import Queue
from shared.domain.binding import Binding, ScopeRef
from shared.domain.run import Waiting
from shared.domain.slot import LARGE, OwnLimits, QueueLimits, paused_key
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.run_documents import waiting_document
from tests.integration.services.sweeping import SECOND, Bench, dispatched
from tests.integration.store.given import queued, run_of

ONE = OwnLimits(per_agent=1)


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Bench:
    return Bench(mongo, publisher, client)


async def leak(bench: Bench, kind: Waiting, *ids: str) -> None:
    """Put runs on a slot that do not hold it."""
    (key,) = [slot.key for slot in await bench.places.all() if slot.kind is kind]
    await bench.places.mend([], [(key, ids)])


@pytest.mark.parametrize("holder", ["ended", "unknown"])
async def test_a_leaked_place_is_freed_after_two_comparisons_and_given_to_who_waits(
    client: Client, bench: Bench, holder: str
) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    await bench.end("run_1")
    if holder == "unknown":
        await bench.admission.slots.free({slot.key: ["run_1"] for slot in await bench.places.all()})
        await leak(bench, Waiting.AGENT, "run_gone")

    seen = []
    for _ in range(2):
        await bench.sweep_slots(5 * SECOND)
        seen.append(await bench.admitted())

    assert seen == [set(), {"run_2"}]
    assert (await bench.holders())["agent"] == {"run_2"}


async def test_a_place_that_differs_for_a_moment_only_is_left_alone(bench: Bench) -> None:
    await bench.start("run_1", own=ONE)
    await leak(bench, Waiting.AGENT, "run_2")
    await bench.sweep_slots(5 * SECOND)
    await queued(bench.store, "run_2", slots=tuple(slot.key for slot in await bench.places.all()))

    await bench.sweep_slots(5 * SECOND)

    assert (await bench.holders())["agent"] == {"run_1", "run_2"}


@pytest.mark.parametrize(("limit", "filled"), [(LARGE - 1, [True, True]), (LARGE, [False, True])])
async def test_a_slot_that_nobody_fills_is_filled_at_once_and_a_large_one_with_the_next_comparison(
    mongo: Mongo, publisher: Publisher, client: Client, limit: int, filled: list[bool]
) -> None:
    bench = Bench(mongo, publisher, client, QueueLimits(organisation=limit))
    names = [f"run_{number:02}" for number in range(limit + 1)]
    await bench.start(*names)
    await bench.sweep_slots()
    # As when a process dies between freeing places and filling them.
    (slot,) = await bench.places.all()
    ended = [run["_id"] for run in await bench.end(*names[:20])]
    await bench.places.mend([(slot.key, ended)], [])

    seen = []
    for _ in range(2):
        await bench.sweep_slots(3 * SECOND)
        seen.append(names[-1] in await bench.admitted())

    assert seen == filled


async def test_comparisons_are_some_seconds_apart(bench: Bench) -> None:
    await bench.start("run_1", own=ONE)
    await leak(bench, Waiting.AGENT, "run_gone")

    for _ in range(4):
        await bench.sweep_slots(1 * SECOND)

    assert (await bench.holders())["agent"] == {"run_1", "run_gone"}


async def test_a_place_that_a_run_lost_is_put_back(bench: Bench) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    keys = [slot.key for slot in await bench.places.all()]
    await bench.places.free({key: ["run_1"] for key in keys})
    await bench.places.want(keys, is_wanted=False)

    for _ in range(2):
        await bench.slots.compare(bench.clock.now)

    assert "run_1" in (await bench.holders())["agent"]
    assert (await bench.holders())["organisation"] >= {"run_1"}


async def test_who_waits_for_a_slot_that_nobody_wants_any_more_is_found(client: Client, bench: Bench) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    keys = [slot.key for slot in await bench.places.all()]
    await bench.end("run_1")
    await bench.places.free({key: ["run_1"] for key in keys})
    await bench.places.want(keys, is_wanted=False)

    await bench.sweep_slots(5 * SECOND)

    assert await bench.admitted() == {"run_2"}


async def test_who_waits_for_a_slot_that_was_lost_is_found(client: Client, mongo: Mongo, bench: Bench) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    await bench.end("run_1")
    await mongo.database["slots"].delete_many({})

    await bench.sweep_slots(5 * SECOND)

    assert await bench.admitted() == {"run_2"}
    assert (await bench.holders())["agent"] == {"run_2"}


async def test_a_place_that_becomes_free_is_filled_between_comparisons(client: Client, bench: Bench) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    await bench.sweep_slots(5 * SECOND)
    await bench.end("run_1")
    await bench.places.free({slot.key: ["run_1"] for slot in await bench.places.all()})

    await bench.sweep_slots(1 * SECOND)

    assert await bench.admitted() == {"run_2"}


async def test_a_slot_that_nobody_waits_for_is_not_wanted_and_goes_when_it_is_empty(bench: Bench) -> None:
    await bench.start("run_1", "run_2", own=ONE)
    await bench.admission.leave(await bench.end("run_1"))
    await bench.admission.leave(await bench.end("run_2"))

    for _ in range(2):
        await bench.slots.compare(bench.clock.now)

    assert await bench.places.wanted() == []
    assert await bench.holders() == {}


async def test_the_runs_of_a_paused_agent_go_on_when_no_binding_pauses_it(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    paused = [Binding("acme", ScopeRef(Scope.USER, user), "noter", paused=True) for user in ("ada", "bob")]
    bench.configuration.replace_bindings(paused)
    waiting = waiting_document(
        Waiting.PAUSED, bench.clock.now, key=paused_key("acme", "noter"), detail="paused at user"
    )
    for user in ("ada", "bob"):
        await queued(bench.store, f"run_{user}", user=user, queued_at=bench.clock.now, waiting_for=waiting)

    await bench.slots.compare(bench.clock.now)
    while_paused = await bench.admitted()
    bench.configuration.replace_bindings(paused[1:])
    await bench.slots.compare(bench.clock.now)

    assert (while_paused, await bench.admitted()) == (set(), {"run_ada"})
    assert await dispatched(client, 1, Queue.EXPRESS_MEDIUM) == ["run_ada"]
    assert (await run_of(mongo, "run_bob"))["waiting_for"]["what"] == "paused"


async def test_a_paused_run_that_is_due_for_the_sweep_stays_paused(mongo: Mongo, bench: Bench) -> None:
    bench.configuration.replace_bindings([Binding("acme", ScopeRef(Scope.USER, "ada"), "noter", paused=True)])
    waiting = waiting_document(
        Waiting.PAUSED, bench.clock.now, key=paused_key("acme", "noter"), detail="paused at user"
    )
    await queued(bench.store, "run_1", queued_at=bench.clock.now, waiting_for=waiting)

    await bench.sweep_runs(timedelta(hours=1))

    run = await run_of(mongo)
    assert run["waiting_for"]["what"] == "paused"
    assert run["sweep_at"] > bench.clock.now


@pytest.mark.parametrize("keys", [set(), {"run_1"}])
async def test_with_nothing_to_mend_nothing_changes(bench: Bench, keys: set[str]) -> None:
    await bench.start(*keys, own=ONE)
    before = await bench.places.all()

    for _ in range(3):
        await bench.slots.compare(bench.clock.now)

    assert await bench.places.all() == before
