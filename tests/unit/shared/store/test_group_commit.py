"""Group commit: who shares a write, and what each caller gets of it."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.store.group_commit import GroupCommit
from tests.support.processes import eventually


class Disk:
    """Writes numbers, each becoming its text; a write waits until it is let through."""

    def __init__(self, *, is_open: bool = True) -> None:
        self.batches: list[list[int]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._gate = asyncio.Semaphore(1_000 if is_open else 0)
        self.broken: set[int] = set()

    def let_through(self, writes: int = 1) -> None:
        for _ in range(writes):
            self._gate.release()

    async def write(self, items: list[int]) -> Sequence[str]:
        self.batches.append(items)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self._gate.acquire()
        finally:
            self._at_once -= 1
        if self.broken & set(items):
            raise OSError("disk full")
        return [str(item) for item in items]


async def test_callers_during_a_write_share_the_next_one() -> None:
    disk = Disk(is_open=False)
    group = GroupCommit(disk.write)
    first = asyncio.create_task(group.submit(1))
    await eventually(lambda: disk.batches == [[1]])

    others = [asyncio.create_task(group.submit(item)) for item in (2, 3, 4)]
    disk.let_through(2)

    assert await asyncio.gather(first, *others) == ["1", "2", "3", "4"]
    assert disk.batches == [[1], [2, 3, 4]]


async def test_an_item_that_comes_just_as_the_last_write_ends_is_written_too() -> None:
    write_ends = asyncio.Event()

    async def write(items: list[int]) -> Sequence[str]:
        write_ends.set()
        return [str(item) for item in items]

    group = GroupCommit(write)

    async def submit_late() -> str:
        await write_ends.wait()
        return await group.submit(2)

    late = asyncio.create_task(submit_late())
    await asyncio.sleep(0)
    assert await group.submit(1) == "1"

    async with asyncio.timeout(5):
        assert await late == "2"


async def test_a_single_caller_is_written_at_once_and_alone() -> None:
    disk = Disk()
    group = GroupCommit(disk.write)

    assert [await group.submit(1), await group.submit(2)] == ["1", "2"]
    assert disk.batches == [[1], [2]]


async def test_items_of_one_call_come_back_in_their_order() -> None:
    group = GroupCommit(Disk().write)

    assert await group.submit_all([3, 1, 2, 1]) == ["3", "1", "2", "1"]


async def test_a_call_without_items_writes_nothing() -> None:
    disk = Disk()

    assert await GroupCommit(disk.write).submit_all([]) == []
    assert disk.batches == []


async def test_no_batch_is_larger_than_the_most() -> None:
    disk = Disk()

    assert await GroupCommit(disk.write, most=2).submit_all(range(5)) == ["0", "1", "2", "3", "4"]
    assert disk.batches == [[0, 1], [2, 3], [4]]


async def test_what_one_caller_submits_together_is_written_together() -> None:
    disk = Disk(is_open=False)
    group = GroupCommit(disk.write, most=5)
    first = asyncio.create_task(group.submit(0))
    await eventually(lambda: len(disk.batches) == 1)

    others = [asyncio.create_task(group.submit_all(items)) for items in ([1, 2, 3], [4, 5, 6], [7], [8])]
    disk.let_through(3)

    assert await asyncio.gather(first, *others) == ["0", ["1", "2", "3"], ["4", "5", "6"], ["7"], ["8"]]
    assert disk.batches == [[0], [1, 2, 3], [4, 5, 6, 7, 8]]


@pytest.mark.parametrize("writers", [1, 2])
async def test_no_more_writes_are_under_way_than_there_are_writers(writers: int) -> None:
    disk = Disk(is_open=False)
    group = GroupCommit(disk.write, most=1, writers=writers)

    calls = [asyncio.create_task(group.submit(item)) for item in range(6)]
    await eventually(lambda: len(disk.batches) == writers)
    disk.let_through(6)
    await asyncio.gather(*calls)

    assert disk.most_at_once == writers
    assert sorted(item for batch in disk.batches for item in batch) == list(range(6))


async def test_an_error_goes_to_every_caller_of_its_batch_and_to_no_other() -> None:
    disk = Disk(is_open=False)
    disk.broken = {2}
    group = GroupCommit(disk.write)
    first = asyncio.create_task(group.submit(1))
    await eventually(lambda: disk.batches == [[1]])
    second = [asyncio.create_task(group.submit(item)) for item in (2, 3)]
    disk.let_through(2)

    outcomes = await asyncio.gather(first, *second, return_exceptions=True)

    assert outcomes[0] == "1"
    assert [str(outcome) for outcome in outcomes[1:]] == ["disk full", "disk full"]
    disk.let_through()
    assert await group.submit(4) == "4"


async def test_a_write_that_has_not_a_result_for_each_item_is_an_error_to_every_caller() -> None:
    async def write(items: list[int]) -> Sequence[str]:
        return [str(item) for item in items[1:]]

    group = GroupCommit(write)

    outcomes = await asyncio.gather(group.submit(1), group.submit_all([2, 3]), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [ValueError, ValueError]


async def test_a_call_whose_items_are_in_several_batches_gets_the_error_of_any() -> None:
    disk = Disk()
    disk.broken = {3}

    with pytest.raises(OSError, match="disk full"):
        await GroupCommit(disk.write, most=2).submit_all([1, 2, 3])


async def test_a_cancelled_caller_leaves_the_others_their_results() -> None:
    disk = Disk(is_open=False)
    group = GroupCommit(disk.write)
    calls = [asyncio.create_task(group.submit(item)) for item in (1, 2, 3)]
    await eventually(lambda: len(disk.batches) == 1)

    calls[1].cancel()
    disk.let_through()

    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert (outcomes[0], outcomes[2]) == ("1", "3")
    assert isinstance(outcomes[1], asyncio.CancelledError)


async def test_a_caller_cancelled_before_its_write_does_not_hold_up_the_next() -> None:
    disk = Disk(is_open=False)
    group = GroupCommit(disk.write)
    first, second = (asyncio.create_task(group.submit(item)) for item in (1, 2))
    await eventually(lambda: len(disk.batches) == 1)
    third = asyncio.create_task(group.submit(3))
    await asyncio.sleep(0)

    third.cancel()
    disk.let_through(2)

    assert await first == "1"
    assert await second == "2"
    disk.let_through()
    assert await group.submit(4) == "4"


@given(calls=st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=8), most=st.integers(1, 5))
def test_every_item_is_written_once_and_in_the_order_of_the_calls(calls: list[list[int]], most: int) -> None:
    async def submit_all() -> tuple[Disk, list[list[str]]]:
        disk = Disk()
        group = GroupCommit(disk.write, most=most)
        return disk, await asyncio.gather(*(group.submit_all(items) for items in calls))

    disk, results = asyncio.run(submit_all())

    assert results == [[str(item) for item in items] for items in calls]
    assert [item for batch in disk.batches for item in batch] == [item for items in calls for item in items]
    assert all(1 <= len(batch) <= most for batch in disk.batches)
