"""Which runs are let go: those that find a place in every slot they need, in the order of urgency and age."""

import asyncio
from datetime import timedelta

import pytest
from nats.aio.client import Client

from contracts.lanes import Lane, Queue
from contracts.streams import RUNS
from shared.domain.decision import Target
from shared.domain.run import Claim, Waiting
from shared.domain.slot import CRITICAL_RESERVE, EXPRESS_RUNS, OwnLimits, QueueLimits
from shared.messaging.publisher import Publisher
from shared.store.mongo import Mongo
from shared.store.run_documents import Return, waiting_document
from tests.integration.messaging.looking import count_behind
from tests.integration.services.sweeping import Bench, dispatched
from tests.integration.store.given import LEASE_SECONDS, USED, completing, run_of
from tests.unit.shared.given import Document

TWO = OwnLimits(per_agent=2)


@pytest.fixture
def bench(mongo: Mongo, publisher: Publisher, client: Client) -> Bench:
    return Bench(mongo, publisher, client)


def numbered(count: int, first: int = 0) -> list[str]:
    return [f"run_{number:02}" for number in range(first, first + count)]


async def waiting_of(mongo: Mongo, run_id: str) -> str | None:
    waiting: Document | None = (await run_of(mongo, run_id))["waiting_for"]
    return None if waiting is None else str(waiting["what"])


async def test_of_two_limits_both_hold_and_the_narrower_is_named(mongo: Mongo, bench: Bench) -> None:
    own = OwnLimits(per_target=1, per_agent=2)
    for number in range(4):
        await bench.start(f"run_{number}", own=own, target=Target("doc", f"plan-{number // 2}"))
    await bench.start("run_4", own=own, target=Target("doc", "other"))

    assert await bench.admitted() == {"run_0", "run_2"}
    assert [await waiting_of(mongo, f"run_{number}") for number in (1, 3, 4)] == ["target", "target", "agent"]


async def test_a_run_that_finds_the_wider_slot_full_gives_the_narrower_place_back(
    mongo: Mongo, publisher: Publisher, client: Client
) -> None:
    bench = Bench(mongo, publisher, client, QueueLimits(organisation=1))
    await bench.start("run_0")

    await bench.start("run_1", own=OwnLimits(per_target=1, per_agent=1))

    assert await waiting_of(mongo, "run_1") == "organisation"
    assert await bench.holders() == {"target": set(), "agent": set(), "organisation": {"run_0"}}


async def test_when_a_run_leaves_exactly_one_that_waited_is_dispatched(
    client: Client, mongo: Mongo, bench: Bench
) -> None:
    await bench.start(*numbered(5), own=TWO)
    ended = await bench.end("run_00")

    await bench.admission.leave(ended)

    assert await bench.admitted() == {"run_01", "run_02"}
    assert (await bench.holders())["agent"] == {"run_01", "run_02"}
    assert set(await dispatched(client, 3, Queue.EXPRESS_MEDIUM)) == {"run_00", "run_01", "run_02"}


async def test_leaving_again_changes_nothing(client: Client, bench: Bench) -> None:
    await bench.start(*numbered(5), own=TWO)
    ended = await bench.end("run_00")

    for _ in range(3):
        await bench.admission.leave(ended)

    assert await bench.admitted() == {"run_01", "run_02"}
    assert await count_behind(client, RUNS.name, "run.low.last") == 3


async def test_a_run_that_still_lacks_the_place_it_waits_for_stays_as_it_is(mongo: Mongo, bench: Bench) -> None:
    await bench.start(*numbered(3), own=TWO)
    before = await run_of(mongo, "run_02")
    bench.clock.now += timedelta(seconds=9)

    found_no_room = await bench.admission.release([before], under=before["waiting_for"]["key"])
    after = await run_of(mongo, "run_02")
    was_due = await bench.admission.release([before])

    assert (found_no_room, was_due) == (0, 0)
    assert after == before
    assert (await run_of(mongo, "run_02"))["sweep_at"] > before["sweep_at"]


async def test_a_run_that_waits_again_lets_another_in(mongo: Mongo, bench: Bench) -> None:
    await bench.start(*numbered(3), own=TWO)
    (run,) = await bench.store.claim(["run_00"], "runner-1", LEASE_SECONDS)
    waiting = waiting_document(Waiting.RETRY, bench.clock.now, until=bench.clock.now + timedelta(seconds=9))
    await bench.store.write_fenced([Return(Claim("run_00", 1, "runner-1"), bench.clock.now, USED, None, waiting)])

    await bench.admission.leave([run])

    assert await bench.admitted() == {"run_01", "run_02"}


async def test_the_most_urgent_goes_first_and_within_a_lane_the_oldest(bench: Bench) -> None:
    await bench.start("run_first", own=OwnLimits(per_agent=1))
    for name, lane in (("low", Lane.LOW), ("old", Lane.HIGH), ("new", Lane.HIGH), ("urgent", Lane.CRITICAL)):
        await bench.start(f"run_{name}", own=OwnLimits(per_agent=1), lane=lane)

    order, last = [], "run_first"
    for _ in range(4):
        await bench.admission.leave(await bench.end(last))
        (last,) = await bench.admitted()
        order.append(last)

    assert order == ["run_urgent", "run_old", "run_new", "run_low"]


@pytest.mark.parametrize(("chance", "first"), [(0.0, "run_low"), (0.124, "run_low"), (0.125, "run_urgent")])
async def test_now_and_then_the_least_urgent_lane_goes_first(bench: Bench, chance: float, first: str) -> None:
    await bench.start("run_first", own=OwnLimits(per_agent=1))
    for name, lane in (("urgent", Lane.CRITICAL), ("low", Lane.LOW), ("late", Lane.LOW)):
        await bench.start(f"run_{name}", own=OwnLimits(per_agent=1), lane=lane)
    bench.chance = chance

    await bench.admission.leave(await bench.end("run_first"))

    assert await bench.admitted() == {first}


async def test_the_first_few_open_runs_of_an_organisation_are_express(mongo: Mongo, bench: Bench) -> None:
    await bench.start(*numbered(EXPRESS_RUNS + 1))
    await bench.start("run_other", organisation="harbour")
    before = (await run_of(mongo, f"run_{EXPRESS_RUNS:02}"))["express"]
    await bench.admission.leave(await bench.end("run_00"))
    await bench.start("run_next")

    assert [(await run_of(mongo, run_id))["express"] for run_id in ("run_07", "run_other", "run_next")] == [
        True,
        True,
        False,
    ]
    assert before is False


async def test_critical_runs_have_room_of_their_own_beyond_the_organisations_turn(
    mongo: Mongo, publisher: Publisher, client: Client
) -> None:
    bench = Bench(mongo, publisher, client, QueueLimits(organisation=2))

    await bench.start(*numbered(3))
    await bench.start("run_critical", lane=Lane.CRITICAL)

    assert await bench.admitted() == {"run_00", "run_01", "run_critical"}


async def test_in_one_batch_the_reserve_is_for_the_critical_runs_only(
    mongo: Mongo, publisher: Publisher, client: Client
) -> None:
    bench = Bench(mongo, publisher, client, QueueLimits(organisation=1))
    await bench.start("run_first")
    waiting = waiting_document(Waiting.DELAY, bench.clock.now, until=bench.clock.now)
    await bench.start(*numbered(2), lane=Lane.MEDIUM)
    await bench.start(*numbered(CRITICAL_RESERVE, 10), lane=Lane.CRITICAL)
    everything = [*numbered(2), *numbered(CRITICAL_RESERVE, 10)]
    await mongo.database["runs"].update_many({"_id": {"$in": everything}}, {"$set": {"waiting_for": waiting}})
    await bench.places.mend([(slot.key, everything) for slot in await bench.places.all()], [])

    await bench.admission.release(list((await bench.store.load(everything)).values()))

    assert await bench.admitted() == {"run_first", *numbered(CRITICAL_RESERVE, 10)}


async def test_processes_that_fill_at_once_let_no_more_go_than_there_is_room(
    mongo: Mongo, publisher: Publisher, client: Client
) -> None:
    limits = QueueLimits(organisation=4)
    benches = [Bench(mongo, publisher, client, limits) for _ in range(3)]
    own = OwnLimits(per_agent=3)
    await benches[0].start(*numbered(20), own=own)
    ended = await benches[0].end("run_00", "run_01", "run_02")

    await asyncio.gather(*(bench.admission.leave(ended) for bench in benches))

    assert len(await benches[0].admitted()) == 3
    holders = await benches[0].holders()
    assert holders["agent"] == holders["organisation"] == await benches[0].admitted()


async def test_whatever_several_processes_do_at_once_all_runs_get_their_turn_and_the_limit_holds(
    mongo: Mongo, publisher: Publisher, client: Client
) -> None:
    benches = [Bench(mongo, publisher, client) for _ in range(3)]
    await benches[0].start(*numbered(15), own=TWO)
    done: set[str] = set()

    async def work(bench: Bench, owner: str) -> None:
        while len(done) < 15:
            open_ = await bench.admitted()
            assert len((await bench.holders()).get("agent", set())) <= 2
            won = await bench.store.claim(sorted(open_), owner, LEASE_SECONDS)
            await bench.store.write_fenced([completing(Claim(run["_id"], run["attempt"], owner)) for run in won])
            done.update(run["_id"] for run in won)
            await bench.admission.leave(won)
            await bench.admission.fill(await bench.places.wanted())

    async with asyncio.timeout(60):
        await asyncio.gather(*(work(bench, f"runner-{number}") for number, bench in enumerate(benches)))

    assert done == set(numbered(15))
