"""Run events from a real stream: old and new, each once and in order, for readers of any pace."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import orjson
import pytest_asyncio
from nats.aio.client import Client

from contracts.streams import RUN_EVENTS
from contracts.subjects import run_event_pattern, run_event_subject
from services.gateway.live_feed import Gap, Heard, LiveFeed
from shared.domain.run_feed import Position
from shared.messaging.provision import provision_streams
from shared.messaging.run_event_stream import RunEventStream
from shared.settings import StreamSettings
from shared.supervise import stop
from tests.integration.messaging.conftest import client

__all__ = ["client"]

OURS = run_event_pattern("acme")
SOON_SECONDS = 20
PATIENT = {"quiet_seconds": 600.0, "longest_seconds": 600.0}


@pytest_asyncio.fixture
async def feed(client: Client) -> AsyncIterator[LiveFeed]:
    """Yield a feed that keeps only ten facts at hand."""
    stream = RunEventStream()
    stream.attach(client)
    feed = LiveFeed(stream, most_at_hand=10)
    following = asyncio.create_task(feed.run())
    yield feed
    feed.close()
    await stop([following])


async def tell(client: Client, numbers: range, organisation: str = "acme", user: str = "ada") -> None:
    """Put numbered facts into the stream."""
    for number in numbers:
        subject = run_event_subject(organisation, user, "noter", f"run_{number}")
        body = orjson.dumps({"type": "run.queued", "data": {"number": number}})
        await client.jetstream().publish(subject, body)


async def heard(feed: LiveFeed, after: Position, count: int, pattern: str = OURS) -> tuple[list[int], Position]:
    """Follow until so many facts have come; return their numbers and the position after them."""
    told: list[int] = []
    async with asyncio.timeout(SOON_SECONDS), aclosing(feed.follow(after, pattern, **PATIENT)) as following:
        async for each in following:
            assert each.gap is None
            told += [orjson.loads(fact.json)["data"]["number"] for fact in each.told]
            if len(told) >= count:
                return told, each.position
    raise AssertionError(told)


async def first(feed: LiveFeed, after: Position) -> Heard:
    async with asyncio.timeout(SOON_SECONDS), aclosing(feed.follow(after, OURS, **PATIENT)) as following:
        return await anext(following)


async def test_what_is_told_while_a_reader_is_away_comes_when_it_is_back(client: Client, feed: LiveFeed) -> None:
    position, told = await feed.now(), []
    for begin in range(0, 60, 20):
        # More than is at hand, so that the first half is read from the stream.
        await tell(client, range(begin, begin + 20))
        numbers, position = await heard(feed, position, 20)
        told += numbers

    assert told == list(range(60))


async def test_a_reader_hears_what_comes_while_it_waits(client: Client, feed: LiveFeed) -> None:
    waiting = asyncio.create_task(heard(feed, await feed.now(), 3))
    await tell(client, range(3))

    assert (await waiting)[0] == [0, 1, 2]


async def test_only_what_is_under_the_pattern_is_heard_from_the_stream_and_as_it_comes(
    client: Client, feed: LiveFeed
) -> None:
    position = await feed.now()
    await tell(client, range(30), organisation="other")
    await tell(client, range(100, 102))
    await tell(client, range(200, 202), user="bob")
    await heard(feed, position, 4)
    following = asyncio.create_task(heard(feed, position, 4, run_event_pattern("acme", "ada")))
    await tell(client, range(300, 301), user="bob")
    await tell(client, range(102, 104))

    assert (await following)[0] == [100, 101, 102, 103]


async def test_a_reader_is_told_that_what_it_missed_is_not_kept_any_more(client: Client, feed: LiveFeed) -> None:
    await tell(client, range(3))
    _, position = await heard(feed, Position((await feed.now()).created_ms, 0), 3)
    await tell(client, range(3, 40))
    await heard(feed, position, 37)
    await client.jetstream().purge_stream(RUN_EVENTS.name, seq=30)

    lost = await first(feed, Position(position.created_ms, 2))
    assert lost == Heard(Position(position.created_ms, 0), gap=Gap.EXPIRED)
    assert (await heard(feed, lost.position, 11))[0] == list(range(29, 40))


async def test_a_reader_is_told_that_the_stream_is_another_one_and_hears_all_of_it(
    client: Client, feed: LiveFeed
) -> None:
    await tell(client, range(5))
    _, position = await heard(feed, Position((await feed.now()).created_ms, 0), 5)
    await client.jetstream().delete_stream(RUN_EVENTS.name)
    await provision_streams(client, StreamSettings())
    await tell(client, range(10, 12))

    lost = await first(feed, position)
    assert lost.gap is Gap.STREAM_REPLACED
    assert (await heard(feed, lost.position, 2))[0] == [10, 11]


async def test_closing_ends_every_reading(feed: LiveFeed) -> None:
    following = feed.follow(await feed.now(), OURS, **PATIENT)
    waiting = asyncio.create_task(anext(following, None))
    await asyncio.sleep(0)
    feed.close()

    async with asyncio.timeout(SOON_SECONDS):
        assert await waiting is None
