"""Slots: urgent lanes come first, every slot is used, and none gets lost."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.lanes import ORDER, Lane
from services.runner.slots import Slots

PATIENT = 30.0
AT_ONCE = 0.001


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def taking(slots: Slots, lane: Lane, most: int = 1) -> asyncio.Task[int]:
    return asyncio.create_task(slots.take(lane, most, PATIENT))


async def full(total: int = 1) -> Slots:
    slots = Slots(total)
    assert await slots.take(Lane.LOW, total, PATIENT) == total
    return slots


async def test_free_slots_are_taken_at_once_but_no_more_than_wanted() -> None:
    slots = Slots(5)

    assert await slots.take(Lane.LOW, 3, PATIENT) == 3
    assert await slots.take(Lane.LOW, 3, PATIENT) == 2
    assert slots.free == 0


async def test_without_a_free_slot_nothing_is_taken_in_time() -> None:
    slots = await full()

    assert await slots.take(Lane.CRITICAL, 1, AT_ONCE) == 0
    assert slots.free == 0


async def test_a_slot_given_back_goes_to_whoever_waits() -> None:
    slots = await full()
    waiting = taking(slots, Lane.LOW)
    await settle()

    slots.give_back()

    assert await waiting == 1
    assert slots.free == 0


async def test_the_most_urgent_lane_gets_the_slot_whoever_waited_longer() -> None:
    slots = await full()
    waiting = {lane: taking(slots, lane) for lane in reversed(ORDER)}
    await settle()

    served = []
    for _ in ORDER:
        slots.give_back()
        await settle()
        served.append({lane for lane, task in waiting.items() if task.done()})

    assert served == [set(ORDER[:count]) for count in (1, 2, 3, 4)]


async def test_within_a_lane_the_first_to_wait_is_the_first_served() -> None:
    slots = await full()
    first, second = taking(slots, Lane.HIGH), taking(slots, Lane.HIGH)
    await settle()

    slots.give_back()
    await settle()

    assert (first.done(), second.done()) == (True, False)
    slots.give_back()
    assert await second == 1


@pytest.mark.parametrize("newcomer", [Lane.LOW, Lane.CRITICAL])
async def test_a_newcomer_never_takes_the_slot_from_under_one_that_waited(newcomer: Lane) -> None:
    slots = await full()
    waited = taking(slots, Lane.CRITICAL)
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


async def test_one_that_was_overtaken_by_a_more_urgent_lane_goes_on_waiting() -> None:
    slots = await full()
    low = taking(slots, Lane.LOW)
    await settle()

    slots.give_back()
    assert await slots.take(Lane.CRITICAL, 1, PATIENT) == 1
    await settle()

    assert not low.done()
    slots.give_back()
    assert await low == 1


async def test_what_one_leaves_over_goes_to_the_next_that_waits() -> None:
    slots = await full(3)
    high, low = taking(slots, Lane.HIGH, most=2), taking(slots, Lane.LOW, most=2)
    await settle()

    slots.give_back(3)

    assert (await high, await low) == (2, 1)


async def test_one_that_gave_up_does_not_hold_up_others() -> None:
    slots = await full()
    assert await slots.take(Lane.CRITICAL, 1, AT_ONCE) == 0
    low = taking(slots, Lane.LOW)
    await settle()

    slots.give_back()

    assert await low == 1


async def test_one_that_is_cancelled_with_its_slot_at_hand_passes_it_on() -> None:
    slots = await full()
    high, low = taking(slots, Lane.HIGH), taking(slots, Lane.LOW)
    await settle()

    slots.give_back()
    high.cancel()

    assert await low == 1
    with pytest.raises(asyncio.CancelledError):
        await high


async def test_closing_lets_everybody_go_with_nothing() -> None:
    slots = await full()
    waiting = [taking(slots, lane) for lane in ORDER]
    await settle()

    slots.close()
    slots.give_back()

    assert [await task for task in waiting] == [0, 0, 0, 0]
    assert await slots.take(Lane.CRITICAL, 1, PATIENT) == 0
    assert slots.free == 1


async def test_a_lane_asks_for_as_many_as_are_free_and_for_one_when_none_is() -> None:
    slots = Slots(3)

    assert slots.wanted() == 3
    await slots.take(Lane.LOW, 3, PATIENT)
    assert slots.wanted() == 1


@dataclass(frozen=True, slots=True)
class Taken:
    """A call of `take`."""

    lane: Lane
    most: int


@dataclass(frozen=True, slots=True)
class GivenBack:
    """One slot given back, if one is taken."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Time for waiting tasks to go on."""


ACTIONS = st.lists(
    st.builds(Taken, st.sampled_from(ORDER), st.integers(1, 3)) | st.just(GivenBack()) | st.just(Pause()), max_size=30
)


async def play(actions: list[Taken | GivenBack | Pause], total: int) -> None:
    slots = Slots(total)
    calls: list[tuple[Lane, asyncio.Task[int]]] = []
    given_back = 0

    def held() -> int:
        return sum(task.result() for _, task in calls if task.done()) - given_back

    for action in actions:
        match action:
            case Taken(lane, most):
                calls.append((lane, taking(slots, lane, most)))
            case GivenBack() if held() > 0:
                given_back += 1
                slots.give_back()
            case _:
                await settle()
        assert 0 <= slots.free <= total
    await settle()
    waiting = [lane for lane, task in calls if not task.done()]
    assert slots.free + held() == total
    assert not waiting or slots.free == 0
    assert all(task.result() >= 1 for _, task in calls if task.done())
    while any(not task.done() for _, task in calls):
        given_back += 1
        slots.give_back()
        await settle()
    assert slots.free + held() == total


@given(actions=ACTIONS, total=st.integers(1, 4))
def test_no_slot_is_lost_or_idle_and_nobody_is_sent_away_before_time(
    actions: list[Taken | GivenBack | Pause], total: int
) -> None:
    asyncio.run(play(actions, total))
