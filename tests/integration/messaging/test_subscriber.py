"""Pulling in batches from a server that may lose its consumer, its stream, its data or its life."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import nats
import pytest
from faststream.nats import NatsBroker
from nats.aio.client import Client
from nats.aio.msg import Msg

from contracts.streams import EVENTS, GATING
from infra.local.nats import NatsServer
from shared.messaging.broker import PULL_SECONDS, EagerBatchSubscriber, make_broker, on_batches
from shared.messaging.provision import provision_streams
from shared.settings import ServiceSettings, StreamSettings
from tests.integration.messaging.looking import publish_events, state_of, take, until_settled
from tests.support.processes import eventually

BATCH = 50


class Keeper:
    """Acknowledges what it gets and keeps it, batch by batch."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.pulls = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, messages: list[Msg]) -> None:
        self.batches.append([message.data for message in messages])
        await self.may_go_on.wait()
        for message in messages:
            await message.ack()

    async def until_asked_for(self, pulls: int) -> None:
        """Wait until the subscriber has asked the server this often from now on."""
        enough = self.pulls + pulls
        await eventually(lambda: self.pulls >= enough)

    @property
    def kept(self) -> list[bytes]:
        return [item for batch in self.batches for item in batch]


@asynccontextmanager
async def subscribed(
    url: str, handler: Callable[[list[Msg]], Awaitable[None]], most: int = BATCH, ahead: int = 0
) -> AsyncIterator[tuple[NatsBroker, EagerBatchSubscriber]]:
    async def wanted() -> int:
        if isinstance(handler, Keeper):
            handler.pulls += 1
        return most

    broker = make_broker(ServiceSettings(nats_url=url))
    subscriber = on_batches(broker, GATING, handler, wanted=wanted, description="Events, for a test.", ahead=ahead)
    await broker.connect()
    await broker.start()
    try:
        yield broker, subscriber
    finally:
        await broker.stop()


async def provisioned(url: str) -> Client:
    client = await nats.connect(url, max_reconnect_attempts=-1, reconnect_time_wait=0.1)
    await provision_streams(client, StreamSettings())
    return client


def numbered(count: int) -> list[bytes]:
    return [str(number).encode() for number in range(count)]


async def test_a_message_is_handed_over_when_it_comes_not_when_a_batch_is_full(client: Client, clean_nats: str) -> None:
    keeper = Keeper()
    async with subscribed(clean_nats, keeper):
        for item in numbered(5):
            before = time.monotonic()
            await publish_events(client, item)
            await eventually(lambda item=item: item in keeper.kept)  # type: ignore[misc]  # bound
            assert time.monotonic() - before < PULL_SECONDS
        await until_settled(client)

    assert keeper.batches == [[item] for item in numbered(5)]


async def test_what_waits_is_handed_over_together_but_never_more_than_wanted(client: Client, clean_nats: str) -> None:
    await publish_events(client, *numbered(100))
    keeper = Keeper()

    async with subscribed(clean_nats, keeper, most=40) as (_, subscriber):
        await until_settled(client)
        assert subscriber.subscription is not None
        assert (subscriber.subscription.pending_msgs, subscriber.subscription.pending_bytes) == (0, 0)

    assert keeper.kept == numbered(100)
    assert max(len(batch) for batch in keeper.batches) == 40


async def test_while_a_full_batch_is_handled_so_many_more_are_fetched_as_may_be_and_the_stop_waits_for_all(
    client: Client, clean_nats: str
) -> None:
    await publish_events(client, *numbered(300))
    keeper = Keeper()
    keeper.may_go_on.clear()
    async with subscribed(clean_nats, keeper, ahead=2) as (_, subscriber):
        await eventually(lambda: len(keeper.batches) == 3)

        stopping = asyncio.create_task(subscriber.stop())
        keeper.may_go_on.set()
        await stopping

    assert sorted(keeper.kept) == sorted(numbered(3 * BATCH))
    rest = await take(client, 300 - 3 * BATCH)
    assert sorted(keeper.kept + [message.data for message in rest]) == sorted(numbered(300))


async def test_while_a_batch_that_was_not_full_is_handled_nothing_is_fetched(client: Client, clean_nats: str) -> None:
    keeper = Keeper()
    keeper.may_go_on.clear()
    async with subscribed(clean_nats, keeper, ahead=2):
        await publish_events(client, b"first")
        await eventually(lambda: keeper.kept == [b"first"])
        await publish_events(client, *numbered(3))
        pulls = keeper.pulls

        keeper.may_go_on.set()
        await until_settled(client)

    assert pulls == 1
    assert keeper.batches[0] == [b"first"]
    assert sorted(keeper.kept) == sorted([b"first", *numbered(3)])


# The client pulls a single message in another way than several.
@pytest.mark.parametrize("most", [1, BATCH])
async def test_a_consumer_that_is_deleted_and_made_again_is_read_on(client: Client, clean_nats: str, most: int) -> None:
    keeper = Keeper()
    async with subscribed(clean_nats, keeper, most):
        await client.jetstream().delete_consumer(GATING.stream, GATING.name)
        await publish_events(client, b"meanwhile")
        await keeper.until_asked_for(3)
        await provision_streams(client, StreamSettings())

        await eventually(lambda: keeper.kept == [b"meanwhile"])
        await until_settled(client)


@pytest.mark.parametrize("most", [1, BATCH])
async def test_a_stream_that_is_deleted_and_made_again_is_read_on(client: Client, clean_nats: str, most: int) -> None:
    keeper = Keeper()
    async with subscribed(clean_nats, keeper, most):
        await client.jetstream().delete_stream(EVENTS.name)
        await keeper.until_asked_for(3)
        await provision_streams(client, StreamSettings())
        await publish_events(client, b"after")

        await eventually(lambda: keeper.kept == [b"after"])
        await until_settled(client)


@pytest.mark.parametrize("most", [1, BATCH])
async def test_a_server_that_was_killed_is_read_on_from_where_it_was(own_nats_server: NatsServer, most: int) -> None:
    client = await provisioned(own_nats_server.url)
    keeper = Keeper()
    async with subscribed(own_nats_server.url, keeper, most):
        await publish_events(client, b"before")
        await eventually(lambda: keeper.kept == [b"before"])
        await until_settled(client)

        await asyncio.to_thread(own_nats_server.kill)
        await asyncio.to_thread(own_nats_server.start)
        await eventually(lambda: client.is_connected)
        await publish_events(client, b"after")

        await eventually(lambda: b"after" in keeper.kept)
    await client.close()


async def test_a_server_that_lost_everything_is_read_on_once_it_is_provisioned(own_nats_server: NatsServer) -> None:
    client = await provisioned(own_nats_server.url)
    keeper = Keeper()
    async with subscribed(own_nats_server.url, keeper):
        await asyncio.to_thread(own_nats_server.wipe)
        await asyncio.to_thread(own_nats_server.start)
        await eventually(lambda: client.is_connected)
        await provision_streams(client, StreamSettings())
        await publish_events(client, b"after")

        await eventually(lambda: keeper.kept == [b"after"])
        await until_settled(client)
    await client.close()


async def test_stopping_waits_for_the_batch_under_way_and_leaves_the_rest_to_others_at_once(
    client: Client, clean_nats: str
) -> None:
    await publish_events(client, *numbered(300))
    keeper = Keeper()
    async with subscribed(clean_nats, keeper) as (_, subscriber):
        keeper.may_go_on.clear()
        await eventually(lambda: len(keeper.batches) == 1)

        stopping = asyncio.create_task(subscriber.stop())
        keeper.may_go_on.set()
        await stopping
    stopped_at = time.monotonic()
    rest = await take(client, 300 - len(keeper.kept))

    assert sorted(keeper.kept + [message.data for message in rest]) == sorted(numbered(300))
    assert len(keeper.batches) == 1
    assert time.monotonic() - stopped_at < GATING.ack_wait_seconds / 2


async def test_stopping_under_a_stream_of_messages_strands_none(client: Client, clean_nats: str) -> None:
    jetstream = client.jetstream()
    keeper = Keeper()
    published: list[bytes] = []
    is_enough = asyncio.Event()

    async def publish() -> None:
        while not is_enough.is_set():
            item = str(len(published)).encode()
            await jetstream.publish("event.checkin.submitted.acme", item)
            published.append(item)

    publishing = asyncio.create_task(publish())
    for stops in range(1, 6):
        enough = stops * 20
        async with subscribed(clean_nats, keeper, most=7):
            await eventually(lambda enough=enough: len(keeper.kept) >= enough)  # type: ignore[misc]  # bound
    is_enough.set()
    await publishing

    stopped_at = time.monotonic()
    async with subscribed(clean_nats, keeper):
        await eventually(lambda: set(keeper.kept) >= set(published))
        await until_settled(client)
    assert time.monotonic() - stopped_at < GATING.ack_wait_seconds / 2


async def test_a_handler_that_fails_does_not_end_the_reading(client: Client, clean_nats: str) -> None:
    keeper = Keeper()

    async def fail_at_first(messages: list[Msg]) -> None:
        if messages[0].data == b"bad":
            await messages[0].term()
            raise ValueError("off by one")
        await keeper(messages)

    async with subscribed(clean_nats, fail_at_first, most=1):
        await publish_events(client, b"bad", b"good")
        await eventually(lambda: keeper.kept == [b"good"])
        await until_settled(client)


async def test_a_subscriber_may_start_before_its_consumer_exists(clean_nats: str) -> None:
    keeper = Keeper()
    client = await nats.connect(clean_nats)
    async with subscribed(clean_nats, keeper):
        await provision_streams(client, StreamSettings())
        await publish_events(client, b"one")

        await eventually(lambda: keeper.kept == [b"one"])
        assert (await state_of(client)).name == GATING.name
        await until_settled(client)
    await client.close()
