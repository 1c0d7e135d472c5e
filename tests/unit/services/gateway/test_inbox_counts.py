"""A small inbox is counted every time, a large one every few seconds."""

from services.gateway.inbox_counts import KEPT_SECONDS, LARGE, InboxCounts
from shared.store.inbox import Group, InboxStore
from shared.store.mongo import Document

ADA, BEN = {"user": "ada"}, {"user": "ben"}


class Counted(InboxStore):
    """As many as a test says; each count is one more than before."""

    def __init__(self, count: int) -> None:
        self.count = count

    async def groups(self, query: Document, at_most: int) -> list[Group]:
        self.count += 1
        return [Group("noter", "epic", self.count)]


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_a_small_inbox_is_as_it_is_now() -> None:
    counts = InboxCounts(Counted(0))

    assert [(await counts.of(ADA))[0].count for _ in range(3)] == [1, 2, 3]


async def test_a_large_inbox_is_counted_again_after_a_while() -> None:
    watch = Watch()
    counts = InboxCounts(Counted(LARGE), watch)

    first = [(await counts.of(ADA))[0].count for _ in range(2)]
    watch.now += KEPT_SECONDS
    later = (await counts.of(ADA))[0].count

    assert (first, later) == ([LARGE + 1] * 2, LARGE + 2)


async def test_counts_of_another_question_are_counted_by_themselves() -> None:
    counts = InboxCounts(Counted(LARGE), Watch())

    assert [(await counts.of(whose))[0].count for whose in (ADA, BEN, ADA)] == [LARGE + 1, LARGE + 2, LARGE + 1]


async def test_an_inbox_that_became_small_is_counted_every_time_again() -> None:
    watch, store = Watch(), Counted(LARGE)
    counts = InboxCounts(store, watch)
    await counts.of(ADA)
    watch.now += KEPT_SECONDS
    store.count = 0

    assert [(await counts.of(ADA))[0].count for _ in range(2)] == [1, 2]
