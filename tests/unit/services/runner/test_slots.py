"""Slots: urgent queues come first, nobody starves, every slot is used, and none gets lost."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lanes import QUEUES, Queue
from services.runner.slots import STARVED_AFTER, Slots

PATIENT = 30.0
AT_ONCE = 0.001


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def taking(slots: Slots, queue: Queue, most: int = 1) -> asyncio.Task[int]:
    return asyncio.create_task(slots.take(queue, most, PATIENT))


async def full(total: int = 1) -> Slots:
    slots = Slots(total)
    assert await slots.take(Queue.LOW, total, PATIENT) == total
    return slots


async def test_free_slots_are_taken_at_once_but_no_more_than_wanted() -> None:
    slots = Slots(5)

    assert await slots.take(Queue.LOW, 3, PATIENT) == 3
    assert await slots.take(Queue.LOW, 3, PATIENT) == 2
    assert slots.taken == slots.total


async def test_without_a_free_slot_nothing_is_taken_in_time() -> None:
    slots = await full()

    assert await slots.take(Queue.CRITICAL, 1, AT_ONCE) == 0
    assert slots.taken == slots.total


async def test_a_slot_given_back_goes_to_whoever_waits() -> None:
    slots = await full()
    waiting = taking(slots, Queue.LOW)
    await settle()

    slots.give_back()

    assert await waiting == 1
    assert slots.taken == slots.total


async def test_the_most_urgent_queue_gets_the_slot_whoever_waited_longer() -> None:
    slots = await full()
    waiting = {queue: taking(slots, queue) for queue in reversed(QUEUES)}
    await settle()

    served = []
    for _ in QUEUES:
        slots.give_back()
        await settle()
        served.append({queue for queue, task in waiting.items() if task.done()})

    assert served == [set(QUEUES[: count + 1]) for count in range(len(QUEUES))]


async def test_within_a_queue_the_first_to_wait_is_the_first_served() -> None:
    slots = await full()
    first, second = taking(slots, Queue.HIGH), taking(slots, Queue.HIGH)
    await settle()

    slots.give_back()
    await settle()

    assert (first.done(), second.done()) == (True, False)
    slots.give_back()
    assert await second == 1


@pytest.mark.parametrize("newcomer", [Queue.LOW, Queue.CRITICAL])
async def test_a_newcomer_never_takes_the_slot_from_under_one_that_waited(newcomer: Queue) -> None:
    slots = await full()
    waited = taking(slots, Queue.CRITICAL)
    await settle()

    # The newcomer's task is to run before that of the one that waited is awake.
    late = taking(slots, newcomer)
    slots.give_back()
    await settle()

    assert waited.done()
    assert waited.result() == 1
    assert not late.done()
    slots.give_back()
    assert await late == 1


async def test_one_that_was_overtaken_by_a_more_urgent_queue_goes_on_waiting() -> None:
    slots = await full()
    low = taking(slots, Queue.LOW)
    await settle()

    slots.give_back()
    assert await slots.take(Queue.CRITICAL, 1, PATIENT) == 1
    await settle()

    assert not low.done()
    slots.give_back()
    assert await low == 1


async def test_what_one_leaves_over_goes_to_the_next_that_waits() -> None:
    slots = await full(3)
    high, low = taking(slots, Queue.HIGH, most=2), taking(slots, Queue.LOW, most=2)
    await settle()

    slots.give_back(3)

    assert (await high, await low) == (2, 1)


async def test_one_that_gave_up_does_not_hold_up_others() -> None:
    slots = await full()
    assert await slots.take(Queue.CRITICAL, 1, AT_ONCE) == 0
    low = taking(slots, Queue.LOW)
    await settle()

    slots.give_back()

    assert await low == 1


async def test_one_that_is_cancelled_with_its_slot_at_hand_passes_it_on() -> None:
    slots = await full()
    high, low = taking(slots, Queue.HIGH), taking(slots, Queue.LOW)
    await settle()

    slots.give_back()
    high.cancel()

    assert await low == 1
    with pytest.raises(asyncio.CancelledError):
        await high


async def test_closing_lets_everybody_go_with_nothing() -> None:
    slots = await full()
    waiting = [taking(slots, queue) for queue in QUEUES]
    await settle()

    slots.close()
    slots.give_back()

    assert [await task for task in waiting] == [0] * len(QUEUES)
    assert await slots.take(Queue.CRITICAL, 1, PATIENT) == 0
    assert slots.taken == 0


async def test_a_queue_asks_for_as_many_as_are_free_and_for_one_when_none_is_for_a_moment() -> None:
    slots = Slots(3)

    assert await slots.wanted(Queue.LOW, PATIENT) == 3
    await slots.take(Queue.LOW, 3, PATIENT)
    assert await slots.wanted(Queue.LOW, AT_ONCE) == 1


async def test_when_all_slots_are_taken_all_queues_ask_for_what_becomes_free_together() -> None:
    slots = await full(3)
    asking = [asyncio.create_task(slots.wanted(queue, PATIENT)) for queue in (Queue.HIGH, Queue.LOW)]
    await settle()

    are_waiting = not any(task.done() for task in asking)
    for _ in range(2):
        slots.give_back()

    assert are_waiting
    assert [await task for task in asking] == [2, 2]


async def test_a_queue_goes_on_waiting_when_another_was_faster() -> None:
    slots = await full()
    urgent, asking = taking(slots, Queue.CRITICAL), asyncio.create_task(slots.wanted(Queue.LOW, PATIENT))
    await settle()

    slots.give_back()
    await settle()
    is_waiting = not asking.done()
    slots.give_back()

    assert (await urgent, is_waiting, await asking) == (1, True, 1)


async def test_nobody_waits_for_slots_that_are_closed() -> None:
    slots = await full()
    asking = asyncio.create_task(slots.wanted(Queue.LOW, PATIENT))
    await settle()

    slots.close()

    assert await asking == 1


@pytest.mark.parametrize("queue", QUEUES)
async def test_when_all_others_are_taken_only_express_and_critical_runs_have_more(queue: Queue) -> None:
    slots = Slots(2, express=3)
    await slots.take(Queue.LOW, 2, PATIENT)

    more = 3 if queue.is_express or queue is Queue.CRITICAL else 0

    assert (slots.free(queue), await slots.wanted(queue, AT_ONCE)) == (more, max(1, more))
    assert await slots.take(queue, 5, PATIENT if more else AT_ONCE) == more


async def test_a_queue_that_waits_is_served_after_so_many_runs_of_more_urgent_ones() -> None:
    slots = await full()
    low = taking(slots, Queue.LOW)
    urgent = [taking(slots, Queue.CRITICAL) for _ in range(2 * STARVED_AFTER)]
    await settle()

    while not low.done():
        slots.give_back()
        await settle()

    assert sum(task.done() for task in urgent) == STARVED_AFTER
    slots.close()
    await asyncio.gather(*urgent)


async def test_one_that_was_passed_over_gets_a_single_slot_and_the_urgent_ones_the_next() -> None:
    slots = await full(STARVED_AFTER + 3)
    low, first = taking(slots, Queue.LOW, most=5), taking(slots, Queue.CRITICAL, most=STARVED_AFTER)
    await settle()
    slots.give_back(STARVED_AFTER)
    assert await first == STARVED_AFTER

    second = taking(slots, Queue.CRITICAL, most=5)
    await settle()
    slots.give_back(3)

    assert (await low, await second) == (1, 2)


@dataclass(frozen=True, slots=True)
class Taken:
    """A call of `take`."""

    queue: Queue
    most: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One slot given back, if one is taken."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Time for waiting tasks to go on."""


ACTIONS = st.lists(
    st.builds(Taken, st.sampled_from(QUEUES), st.integers(1, 3)) | st.just(GivenBack()) | st.just(Pause()), max_size=30
)


async def play(actions: list[Taken | GivenBack | Pause], total: int, express: int) -> None:
    slots = Slots(total, express)
    calls: list[tuple[Queue, asyncio.Task[int]]] = []
    given_back = 0

    def held() -> int:
        return sum(task.result() for _, task in calls if task.done()) - given_back

    for action in actions:
        match action:
            case Taken(queue, most):
                calls.append((queue, taking(slots, queue, most)))
            case GivenBack() if held() > 0:
                given_back += 1
                slots.give_back()
            case _:
                await settle()
        assert 0 <= slots.taken <= total + express
    await settle()
    assert slots.taken == held()
    assert not any(slots.free(queue) for queue, task in calls if not task.done())
    assert all(task.result() >= 1 for _, task in calls if task.done())
    while any(not task.done() for _, task in calls):
        given_back += 1
        slots.give_back()
        await settle()
    assert slots.taken == held()


@given(actions=ACTIONS, total=st.integers(1, 4), express=st.integers(0, 2))
def test_no_slot_is_lost_or_idle_and_nobody_is_sent_away_before_time(
    actions: list[Taken | GivenBack | Pause], total: int, express: int
) -> None:
    asyncio.run(play(actions, total, express))
