"""Whether gating is behind, as the server knows it."""

import asyncio

import nats
import pytest
from nats.aio.client import Client

from contracts.streams import CONSUMERS, GATING
from infra.local.nats import NatsServer
from shared.errors import MessagingUnavailable
from shared.messaging.backlog import Backlog, ConsumerBacklog
from shared.messaging.provision import provision_streams
from shared.settings import StreamSettings
from tests.integration.messaging.looking import publish_events, take, until_settled
from tests.support.processes import eventually


async def test_gating_is_behind_until_everything_is_acknowledged(client: Client) -> None:
    backlog = Backlog(client)
    at_first = await backlog.is_gating_behind()

    await publish_events(client, b"one")
    waiting = await backlog.is_gating_behind()
    (message,) = await take(client, 1)
    at_work = await backlog.is_gating_behind()
    await message.ack()
    await until_settled(client)

    assert (at_first, waiting, at_work) == (False, True, True)
    assert not await backlog.is_gating_behind()


async def test_what_a_consumer_was_not_given_and_has_not_acknowledged_is_counted(client: Client) -> None:
    await publish_events(client, b"one", b"two", b"three")
    await take(client, 1)

    counts = await Backlog(client).counts()

    assert counts[GATING.name] == ConsumerBacklog(pending=2, unacknowledged=1)
    assert set(counts) == {consumer.name for consumer in CONSUMERS}


async def test_without_its_consumer_gating_holds_nothing(client: Client) -> None:
    await publish_events(client, b"one")
    await client.jetstream().delete_consumer(GATING.stream, GATING.name)

    assert not await Backlog(client).is_gating_behind()


async def test_while_the_server_is_away_gating_is_taken_to_be_behind_and_nothing_is_counted(
    own_nats_server: NatsServer,
) -> None:
    client = await nats.connect(own_nats_server.url, max_reconnect_attempts=-1)
    await provision_streams(client, StreamSettings())
    backlog = Backlog(client)
    assert not await backlog.is_gating_behind()

    await asyncio.to_thread(own_nats_server.kill)
    await eventually(lambda: not client.is_connected)

    assert await backlog.is_gating_behind()
    with pytest.raises(MessagingUnavailable):
        await backlog.counts()
    # nats-py may end its caller's task when it is closed in the middle of a reconnect.
    await asyncio.to_thread(own_nats_server.start)
    await eventually(lambda: client.is_connected)
    await client.close()
